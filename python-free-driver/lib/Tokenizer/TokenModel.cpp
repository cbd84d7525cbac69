//===- TokenModel.cpp - From a piece of text to ids -------------------------------------------===//
#include "Tokenizer/TokenModel.h"

namespace qrt::text {

Result<std::unique_ptr<TokenModel>> TokenModel::fromJson(const Json &json) {
  JsonFields fields(json, "tokenizer.json: model");
  if (!json.is_object())
    return fields.invalid("expects an object");
  // Early files name no type; merges are what makes BPE.
  QRT_ASSIGN_OR_RETURN(std::string type,
                       fields.string("type", fields.find("merges") ? "BPE" : "of no type"));
  if (type == "BPE")
    return parseBpe(fields);
  return fields.notSupported("model '" + type + "' is not supported");
}

} // namespace qrt::text
