//===- ModelTexts.cpp - What a model brings besides its program -------------------------------===//
#include "Generation/ModelTexts.h"

#include "Support/Json.h"
#ifdef QRT_WITH_TEMPLATE
#include "Template/ChatTemplate.h"
#endif

#include <algorithm>

namespace qrt {
namespace {

/// A section as a JSON object; an empty object if the file has none.
Result<Json> sectionObject(const Model &model, SectionKind kind) {
  std::string_view text = model.section(kind);
  if (text.empty())
    return Json::object();
  auto json = parseJson(text, sectionName(kind));
  if (!json)
    return invalidModel(json.status().message());
  if (!json->is_object())
    return invalidModel(std::string(sectionName(kind)) + ": not a JSON object");
  return json;
}

/// A number or a list of numbers, as transformers writes it.
void collectIds(const Json &object, const char *key, int32_t vocab, std::vector<int32_t> &out) {
  auto it = object.find(key);
  if (it == object.end())
    return;
  auto add = [&](const Json &value) {
    if (!value.is_number_integer())
      return;
    auto id = value.get<int64_t>();
    if (id >= 0 && id < vocab && std::find(out.begin(), out.end(), int32_t(id)) == out.end())
      out.push_back(int32_t(id));
  };
  if (it->is_array())
    for (const Json &value : *it)
      add(value);
  else
    add(*it);
}

SamplingOptions readSampling(const Json &config) {
  SamplingOptions out;
  auto number = [&](const char *key, auto &field) {
    if (auto value = jsonNumber(config, key))
      field = std::decay_t<decltype(field)>(*value);
  };
  number("temperature", out.temperature);
  number("top_k", out.topK);
  number("top_p", out.topP);
  number("min_p", out.minP);
  number("repetition_penalty", out.repetitionPenalty);
  if (jsonBool(config, "do_sample") == false)
    out.temperature = 0;
  return out;
}

} // namespace

Result<ModelTexts> ModelTexts::fromModel(const Model &model) {
  ModelTexts texts;
  const int32_t vocab = int32_t(model.program().vocabSize);
  QRT_ASSIGN_OR_RETURN(Json generation, sectionObject(model, SectionKind::GenerationConfig));
  QRT_ASSIGN_OR_RETURN(Json config, sectionObject(model, SectionKind::ModelConfig));
  std::string_view tokenizerConfig = model.section(SectionKind::TokenizerConfig);
  if (std::string_view json = model.section(SectionKind::Tokenizer); !json.empty()) {
    QRT_ASSIGN_OR_RETURN(texts.tokenizer, Tokenizer::fromJson(json, tokenizerConfig));
  }
  collectIds(generation, "eos_token_id", vocab, texts.eosIds);
  if (texts.eosIds.empty()) {
    collectIds(config, "eos_token_id", vocab, texts.eosIds);
    if (auto id = texts.tokenizer ? texts.tokenizer->eosId() : std::nullopt;
        id && std::find(texts.eosIds.begin(), texts.eosIds.end(), *id) == texts.eosIds.end())
      texts.eosIds.push_back(*id);
  }
  texts.samplingDefaults = readSampling(generation);
  if (Status bad = texts.samplingDefaults.verify(vocab); !bad)
    return invalidModel(bad.withContext("generation_config.json").message());
#ifdef QRT_WITH_TEMPLATE
  QRT_ASSIGN_OR_RETURN(
      texts.templateSource,
      findTemplateSource(model.section(SectionKind::ChatTemplate), tokenizerConfig));
#else
  texts.templateSource = std::string(model.section(SectionKind::ChatTemplate));
#endif
  texts.thinkTags = findThinkTags(texts.tokenizer.get(), texts.templateSource);
  if (std::string_view json = model.section(SectionKind::Markers); !json.empty()) {
    QRT_ASSIGN_OR_RETURN(texts.markers, parseMarkerTable(json, vocab));
  }
  return texts;
}

} // namespace qrt
