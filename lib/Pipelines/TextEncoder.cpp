//===- TextEncoder.cpp - Calibration text through a model's own tokenizer --------------------===//
#include "TextEncoder.h"

#include "Reasoning/Markers.h"
#include "Reasoning/ThinkTags.h"
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

  std::string templateSource() {
#ifdef QOPT_WITH_TEMPLATE
    auto source = qrt::findTemplateSource(section(qrt::SectionKind::ChatTemplate),
                                          section(qrt::SectionKind::TokenizerConfig));
    return source ? *source : std::string();
#else
    return {};
#endif
  }

  /// The default markers as this tokenizer spells them, and what closes the thinking.
  qrt::Result<calibration::TokenClasses> classes() {
    QRT_RETURN_IF_ERROR(load());
    std::vector<std::string> words;
    for (std::string_view word : qrt::markerWordSet("default50"))
      words.emplace_back(word);
    calibration::TokenClasses classes;
    // A tokenizer without any of the words has no markers, which is not an error yet.
    if (auto markers = qrt::expandMarkers(*tokenizer, words, "default50"))
      for (const qrt::Marker &marker : markers->markers)
        classes.markers.push_back(marker.token);
    const std::optional<qrt::ThinkTags> tags =
        qrt::findThinkTags(tokenizer.get(), templateSource());
    if (tags && tags->closeId)
      classes.endOfThink.push_back(*tags->closeId);
    return classes;
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
  functions.tokenClasses = [encoder] { return encoder->classes(); };
  functions.encodeText = [encoder](std::string_view text) { return encoder->encode(text, true); };
#ifdef QOPT_WITH_TEMPLATE
  functions.encodeMessages = [encoder](const qrt::OrderedJson &messages) {
    return encoder->encodeMessages(messages);
  };
#endif
  return functions;
}

} // namespace qopt
