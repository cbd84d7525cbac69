//===- TextEncoder.cpp - Calibration text through a model's own tokenizer --------------------===//
#include "TextEncoder.h"

#include "Tokenizer/Tokenizer.h"
#ifdef QOPT_WITH_TEMPLATE
#include "Template/ChatTemplate.h"
#endif

#include <optional>

namespace qopt {

namespace {

using Ids = qrt::Result<std::vector<int32_t>>;

struct Encoder {
  std::shared_ptr<const Sidecars> sidecars;
  std::shared_ptr<const qrt::Tokenizer> tokenizer;

  std::string_view section(qrt::SectionKind kind) const {
    for (const auto &[found, bytes] : sidecars->sections)
      if (found == kind)
        return bytes;
    return {};
  }

  qrt::Status load() {
    if (tokenizer)
      return qrt::Status::ok();
    QRT_ASSIGN_OR_RETURN(tokenizer,
                         qrt::Tokenizer::fromJson(section(qrt::SectionKind::Tokenizer),
                                                  section(qrt::SectionKind::TokenizerConfig)));
    return qrt::Status::ok();
  }

  Ids encode(std::string_view text, bool addSpecial) {
    QRT_RETURN_IF_ERROR(load());
    return tokenizer->encode(text, {addSpecial, true});
  }

#ifdef QOPT_WITH_TEMPLATE
  std::shared_ptr<const qrt::ChatTemplate> chatTemplate;

  Ids encodeMessages(const qrt::OrderedJson &messages) {
    const std::string_view config = section(qrt::SectionKind::TokenizerConfig);
    if (!chatTemplate) {
      QRT_ASSIGN_OR_RETURN(
          std::string source,
          qrt::findTemplateSource(section(qrt::SectionKind::ChatTemplate), config));
      if (source.empty())
        return qrt::invalidModel("the model has no chat template");
      QRT_ASSIGN_OR_RETURN(chatTemplate, qrt::ChatTemplate::compile(std::move(source)));
    }
    qrt::ChatTemplate::Options options;
    // A conversation that ends with an answer is complete; else the answer is to come.
    options.addGenerationPrompt = messages.empty() || !messages.back().is_object() ||
                                  messages.back().value("role", qrt::OrderedJson()) != "assistant";
    options.kwargs = qrt::templateVariables(config);
    options.now = 0; // the same command gives the same bytes
    QRT_ASSIGN_OR_RETURN(std::string text, chatTemplate->render(messages, options));
    return encode(text, /*addSpecial=*/false); // templates write their own special tokens
  }
#endif
};

} // namespace

calibration::TextEncoder makeTextEncoder(std::shared_ptr<const Sidecars> sidecars) {
  auto encoder = std::make_shared<Encoder>();
  encoder->sidecars = std::move(sidecars);
  calibration::TextEncoder functions;
  if (encoder->section(qrt::SectionKind::Tokenizer).empty())
    return functions;
  functions.encodeText = [encoder](std::string_view text) { return encoder->encode(text, true); };
#ifdef QOPT_WITH_TEMPLATE
  functions.encodeMessages = [encoder](const qrt::OrderedJson &messages) {
    return encoder->encodeMessages(messages);
  };
#endif
  return functions;
}

} // namespace qopt
