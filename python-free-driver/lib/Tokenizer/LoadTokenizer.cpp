//===- LoadTokenizer.cpp - tokenizer.json and tokenizer_config.json ---------------------------===//
#include "Tokenizer/JsonTokenizer.h"

#include <algorithm>

namespace qrt {

Result<std::shared_ptr<const Tokenizer>> Tokenizer::fromJson(std::string_view json,
                                                             std::string_view config) {
  auto parsed = parseJson(json, "tokenizer.json");
  if (!parsed)
    return invalidModel(parsed.status().message());
  if (!parsed->is_object())
    return invalidModel("tokenizer.json: expects an object");
  Json settings;
  if (!config.empty()) {
    auto parsedConfig = parseJson(config, "tokenizer_config.json");
    if (!parsedConfig)
      return invalidModel(parsedConfig.status().message());
    settings = parsedConfig.takeValue();
    if (!settings.is_object())
      return invalidModel("tokenizer_config.json: expects an object");
  }
  auto tokenizer = std::make_shared<text::JsonTokenizer>();
  QRT_RETURN_IF_ERROR(tokenizer->load(*parsed, settings));
  return std::shared_ptr<const Tokenizer>(std::move(tokenizer));
}

namespace text {

/// A special token of tokenizer_config.json: a string, or an object with 'content'.
static std::optional<std::string> tokenName(const Json &config, const char *key) {
  if (auto name = jsonString(config, key))
    return name;
  if (config.is_object() && config.contains(key))
    return jsonString(config[key], "content");
  return std::nullopt;
}

Status JsonTokenizer::load(const Json &json, const Json &config) {
  static const Json none;
  const std::string file = "tokenizer.json: ";
  auto member = [&](const char *key) -> const Json & {
    auto it = json.find(key);
    return it == json.end() ? none : *it;
  };
  QRT_ASSIGN_OR_RETURN(model, TokenModel::fromJson(member("model")));
  QRT_ASSIGN_OR_RETURN(normalizer, Normalizer::fromJson(member("normalizer"), file + "normalizer"));
  QRT_ASSIGN_OR_RETURN(preTokenizer,
                       PreTokenizer::fromJson(member("pre_tokenizer"), file + "pre_tokenizer"));
  QRT_ASSIGN_OR_RETURN(postProcessor,
                       PostProcessor::fromJson(member("post_processor"), file + "post_processor"));
  QRT_ASSIGN_OR_RETURN(decoder, Decoder::fromJson(member("decoder"), file + "decoder"));
  QRT_RETURN_IF_ERROR(loadAddedTokens(member("added_tokens"), config));
  if (auto name = tokenName(config, "bos_token"))
    bos = tokenId(*name);
  if (auto name = tokenName(config, "eos_token"))
    eos = tokenId(*name);
  return Status::ok();
}

/// Tokens that only tokenizer_config.json knows, by ascending id, as the transformers library adds
/// them.
static Status configTokens(const Json &config, std::vector<std::pair<int64_t, AddedToken>> &out) {
  if (!config.is_object() || !config.contains("added_tokens_decoder"))
    return Status::ok();
  const Json &table = config["added_tokens_decoder"];
  const std::string where = "tokenizer_config.json: added_tokens_decoder";
  if (!table.is_object())
    return invalidModel(where + ": expects an object");
  for (auto it = table.begin(); it != table.end(); ++it) {
    JsonFields fields(*it, where + ": " + it.key().substr(0, 20));
    if (it.key().empty() || it.key().size() > 9 ||
        it.key().find_first_not_of("0123456789") != std::string::npos)
      return fields.invalid("the key is not a token id");
    QRT_ASSIGN_OR_RETURN(AddedToken token, AddedTokens::parse(fields));
    out.emplace_back(std::stoll(it.key()), std::move(token));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto &a, const auto &b) { return a.first < b.first; });
  return Status::ok();
}

Status JsonTokenizer::loadAddedTokens(const Json &json, const Json &config) {
  const std::string where = "tokenizer.json: added_tokens";
  if (!json.is_null() && !json.is_array())
    return invalidModel(where + ": expects an array");
  std::vector<AddedToken> tokens;
  for (size_t i = 0; i < json.size(); ++i) {
    JsonFields fields(json[i], where + "[" + std::to_string(i) + "]");
    QRT_ASSIGN_OR_RETURN(AddedToken token, AddedTokens::parse(fields));
    tokens.push_back(std::move(token));
  }
  QRT_RETURN_IF_ERROR(added.add(tokens, model->vocabulary()));
  std::vector<std::pair<int64_t, AddedToken>> fromConfig;
  QRT_RETURN_IF_ERROR(configTokens(config, fromConfig));
  tokens.clear();
  for (auto &[id, token] : fromConfig)
    if (!added.find(token.content))
      tokens.push_back(std::move(token));
  QRT_RETURN_IF_ERROR(added.add(tokens, model->vocabulary()));
  added.buildTries(normalizer);
  return Status::ok();
}

} // namespace text
} // namespace qrt
