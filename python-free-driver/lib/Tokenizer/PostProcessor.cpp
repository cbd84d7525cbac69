//===- PostProcessor.cpp - Special tokens around a text ---------------------------------------===//
#include "Tokenizer/PostProcessor.h"

#include "Tokenizer/Vocabulary.h"

namespace qrt::text {

static constexpr int maxDepth = 20;
static constexpr size_t maxParts = 64;

Result<PostProcessor> PostProcessor::fromJson(const Json &json, const std::string &where) {
  PostProcessor processor;
  if (!json.is_null())
    QRT_RETURN_IF_ERROR(processor.add(json, where, 0));
  return processor;
}

void PostProcessor::apply(std::vector<int32_t> &ids, bool addSpecialTokens) const {
  for (const std::vector<Part> &parts : templates) {
    std::vector<int32_t> result;
    for (const Part &part : parts) {
      if (part.isSequence)
        result.insert(result.end(), ids.begin(), ids.end());
      else if (addSpecialTokens)
        result.insert(result.end(), part.ids.begin(), part.ids.end());
    }
    ids = std::move(result);
  }
}

static Result<int32_t> tokenId(const JsonFields &fields, const Json &value) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() >= uint64_t(Vocabulary::maxIds))
    return fields.invalid("an id is not a number from 0 to " +
                          std::to_string(Vocabulary::maxIds - 1));
  return int32_t(value.get<uint64_t>());
}

/// The ids that the template's own table gives for a name.
static Result<std::vector<int32_t>> specialIds(const JsonFields &fields, const std::string &name) {
  const Json *table = fields.find("special_tokens");
  if (!table || !table->is_object() || !table->contains(name))
    return fields.invalid("'special_tokens' has no '" + name + "'");
  JsonFields token((*table)[name], fields.place() + ": special_tokens: " + name);
  const Json *list = token.find("ids");
  if (!list || !list->is_array() || list->size() > maxParts)
    return token.invalid("'ids' expects an array of numbers");
  std::vector<int32_t> ids;
  for (const Json &value : *list) {
    QRT_ASSIGN_OR_RETURN(int32_t id, tokenId(token, value));
    ids.push_back(id);
  }
  return ids;
}

Status PostProcessor::addTemplate(const JsonFields &fields) {
  const Json *single = fields.find("single");
  if (!single || !single->is_array() || single->size() > maxParts)
    return fields.invalid("'single' expects an array of at most 64 pieces");
  std::vector<Part> parts;
  size_t sequences = 0;
  for (size_t i = 0; i < single->size(); ++i) {
    JsonFields piece((*single)[i], fields.place() + ": single[" + std::to_string(i) + "]");
    if (const Json *sequence = piece.find("Sequence")) {
      if (jsonString(*sequence, "id") != "A")
        return piece.invalid("only sequence A is there");
      if (++sequences > 1)
        return piece.notSupported("a template that repeats the text is not supported");
      parts.push_back({true, {}});
    } else if (const Json *special = piece.find("SpecialToken")) {
      JsonFields token(*special, piece.place());
      QRT_ASSIGN_OR_RETURN(std::string name, token.string("id"));
      QRT_ASSIGN_OR_RETURN(std::vector<int32_t> ids, specialIds(fields, name));
      parts.push_back({false, std::move(ids)});
    } else {
      return piece.invalid("expects 'Sequence' or 'SpecialToken'");
    }
  }
  templates.push_back(std::move(parts));
  return Status::ok();
}

/// `cls` text `sep`, each given as ["<s>", 0].
Status PostProcessor::addPair(const JsonFields &fields) {
  std::vector<Part> parts;
  for (const char *key : {"cls", "sep"}) {
    const Json *token = fields.find(key);
    if (!token || !token->is_array() || token->size() != 2)
      return fields.invalid(std::string("'") + key + "' expects a spelling and an id");
    QRT_ASSIGN_OR_RETURN(int32_t id, tokenId(fields, (*token)[1]));
    parts.push_back({false, {id}});
    if (parts.size() == 1)
      parts.push_back({true, {}});
  }
  templates.push_back(std::move(parts));
  return Status::ok();
}

Status PostProcessor::add(const Json &json, const std::string &where, int depth) {
  JsonFields fields(json, where);
  QRT_ASSIGN_OR_RETURN(std::string type, fields.type());
  if (type == "ByteLevel")
    return Status::ok();
  if (type == "TemplateProcessing")
    return addTemplate(fields);
  if (type == "RobertaProcessing" || type == "BertProcessing")
    return addPair(fields);
  if (type != "Sequence")
    return fields.notSupported("post-processor '" + type + "' is not supported");
  const Json *list = fields.find("processors");
  if (!list || !list->is_array() || list->size() > maxParts)
    return fields.invalid("'processors' expects an array of at most 64");
  if (depth > maxDepth)
    return fields.invalid("sequences nest too deeply");
  for (size_t i = 0; i < list->size(); ++i)
    QRT_RETURN_IF_ERROR(add((*list)[i], where + "[" + std::to_string(i) + "]", depth + 1));
  return Status::ok();
}

} // namespace qrt::text
