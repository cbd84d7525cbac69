//===- JsonFields.cpp - Fields of a component in tokenizer.json -------------------------------===//
#include "Tokenizer/JsonFields.h"

#include "Tokenizer/Unicode.h"

namespace qrt::text {

const Json *JsonFields::find(const char *key) const {
  if (!json.is_object())
    return nullptr;
  auto it = json.find(key);
  return it == json.end() || it->is_null() ? nullptr : &*it;
}

static std::string quoted(const char *key) { return std::string("'") + key + "'"; }

Result<std::string> JsonFields::string(const char *key,
                                       std::optional<std::string> otherwise) const {
  const Json *value = find(key);
  if (!value && otherwise)
    return std::move(*otherwise);
  if (!value || !value->is_string())
    return invalid(quoted(key) + " expects a string");
  return value->get<std::string>();
}

Result<bool> JsonFields::boolean(const char *key, std::optional<bool> otherwise) const {
  const Json *value = find(key);
  if (!value && otherwise)
    return *otherwise;
  if (!value || !value->is_boolean())
    return invalid(quoted(key) + " expects true or false");
  return value->get<bool>();
}

Result<int64_t> JsonFields::count(const char *key, std::optional<int64_t> otherwise) const {
  if (!find(key) && otherwise)
    return *otherwise;
  std::optional<int64_t> value = jsonInt(json, key);
  if (!value || *value < 0)
    return invalid(quoted(key) + " expects a number that is not negative");
  return *value;
}

Result<std::string> JsonFields::character(const char *key,
                                          std::optional<std::string> otherwise) const {
  QRT_ASSIGN_OR_RETURN(std::string value, string(key, std::move(otherwise)));
  if (value.empty() || sequenceLength(static_cast<unsigned char>(value[0])) != value.size())
    return invalid(quoted(key) + " expects one character");
  return value;
}

Result<std::string> JsonFields::type() const {
  if (!json.is_object())
    return invalid("expects an object");
  return string("type");
}

Result<JsonFields::Pattern> JsonFields::pattern(const char *key) const {
  const Json *value = find(key);
  if (value)
    for (const char *kind : {"String", "Regex"})
      if (auto text = jsonString(*value, kind))
        return Pattern{std::move(*text), kind[0] == 'R'};
  return invalid(quoted(key) + " expects {\"String\": ...} or {\"Regex\": ...}");
}

} // namespace qrt::text
