//===- TemplateSource.cpp - Where a model keeps its chat template -----------------------------===//
#include "Template/ChatTemplate.h"

namespace qrt {

static Result<OrderedJson> parseConfig(std::string_view text) {
  QRT_ASSIGN_OR_RETURN(OrderedJson config, parseOrderedJson(text, "tokenizer_config.json"));
  if (!config.is_object())
    return invalidModel("tokenizer_config.json: not an object");
  return config;
}

Result<std::string> findTemplateSource(std::string_view templateFile,
                                       std::string_view tokenizerConfig) {
  if (!templateFile.empty())
    return std::string(templateFile);
  if (tokenizerConfig.empty())
    return std::string();
  QRT_ASSIGN_OR_RETURN(OrderedJson config, parseConfig(tokenizerConfig));
  auto it = config.find("chat_template");
  if (it == config.end() || it->is_null())
    return std::string();
  if (it->is_string())
    return it->get<std::string>();
  if (!it->is_array())
    return invalidModel("tokenizer_config.json: chat_template is neither a string nor a list");
  std::string names;
  for (const OrderedJson &entry : *it) {
    if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string() ||
        !entry.contains("template") || !entry["template"].is_string())
      return invalidModel("tokenizer_config.json: a chat_template has no name or no template");
    if (entry["name"] == "default")
      return entry["template"].get<std::string>();
    names += (names.empty() ? "" : ", ") + entry["name"].get<std::string>();
  }
  return invalidModel("tokenizer_config.json: no chat_template is named default (" + names + ")");
}

OrderedJson templateVariables(std::string_view tokenizerConfig) {
  OrderedJson variables = OrderedJson::object();
  if (tokenizerConfig.empty())
    return variables;
  auto config = parseConfig(tokenizerConfig);
  if (!config)
    return variables;
  for (const char *name : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
                           "cls_token", "mask_token", "additional_special_tokens"}) {
    auto it = config->find(name);
    if (it == config->end())
      continue;
    auto text = [](const OrderedJson &token) -> OrderedJson {
      // A token is a string, or an object that carries it.
      return token.is_object() && token.contains("content") ? token["content"] : token;
    };
    if (it->is_array()) {
      OrderedJson list = OrderedJson::array();
      for (const OrderedJson &token : *it)
        list.push_back(text(token));
      if (!list.empty())
        variables[name] = std::move(list);
    } else if (OrderedJson token = text(*it); token.is_string()) {
      variables[name] = std::move(token);
    }
  }
  return variables;
}

} // namespace qrt
