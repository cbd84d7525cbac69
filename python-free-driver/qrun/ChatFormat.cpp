//===- ChatFormat.cpp - A conversation as the model's prompt ---------------------------------===//
#include "ChatFormat.h"

#include "Template/ChatTemplate.h"

namespace qrt {

Result<ChatFormat> ChatFormat::fromModel(const Model &model, const ModelTexts &texts) {
  if (!texts.tokenizer)
    return cannotRead("'" + model.path() + "' has no tokenizer");
  if (texts.templateSource.empty())
    return cannotRead("'" + model.path() + "' has no chat template");
  ChatFormat format;
  format.tokenizer = texts.tokenizer;
  auto compiled = ChatTemplate::compile(texts.templateSource);
  if (!compiled)
    return compiled.status().withContext(model.path() + ": chat template");
  format.render = [compiled = compiled.takeValue(),
                   variables = templateVariables(model.section(SectionKind::TokenizerConfig))](
                      const OrderedJson &messages, const OrderedJson &kwargs) {
    ChatTemplate::Options options;
    options.kwargs = variables.is_object() ? variables : OrderedJson::object();
    if (kwargs.is_object())
      options.kwargs.update(kwargs);
    return compiled->render(messages, options);
  };
  return format;
}

Result<std::vector<int32_t>> ChatFormat::encode(const OrderedJson &messages,
                                                const OrderedJson &kwargs) const {
  QRT_ASSIGN_OR_RETURN(std::string text, render(messages, kwargs));
  // The template writes the special tokens itself.
  return tokenizer->encode(text, {.addSpecialTokens = false, .parseSpecial = true});
}

} // namespace qrt
