//===- JsonFields.h - Fields of a component in tokenizer.json ---------------------------------===//
// Reads members of one JSON object and names the place in errors: "tokenizer.json: decoder[2]:
// 'start' expects a number". Missing or null members take the default where one is given, as in the
// tokenizers library.
// Thread safety: values; no shared state.
#ifndef QRT_TOKENIZER_JSONFIELDS_H
#define QRT_TOKENIZER_JSONFIELDS_H

#include "Support/Json.h"

#include <optional>
#include <string>

namespace qrt::text {

class JsonFields {
public:
  JsonFields(const Json &object, std::string where) : json(object), where(std::move(where)) {}

  const std::string &place() const { return where; }
  const Json &object() const { return json; }
  Status invalid(const std::string &what) const { return invalidModel(where + ": " + what); }
  Status notSupported(const std::string &what) const { return unsupported(where + ": " + what); }

  /// The member, or nullptr if it is absent or null.
  const Json *find(const char *key) const;
  Result<std::string> string(const char *key, std::optional<std::string> otherwise = {}) const;
  Result<bool> boolean(const char *key, std::optional<bool> otherwise = {}) const;
  /// Not negative.
  Result<int64_t> count(const char *key, std::optional<int64_t> otherwise = {}) const;
  /// A string of one character.
  Result<std::string> character(const char *key, std::optional<std::string> otherwise = {}) const;
  /// "type", an error if there is none.
  Result<std::string> type() const;

  /// `{"String": ...}` or `{"Regex": ...}`.
  struct Pattern {
    std::string text;
    bool isRegex;
  };
  Result<Pattern> pattern(const char *key) const;

private:
  const Json &json;
  std::string where;
};

} // namespace qrt::text

#endif // QRT_TOKENIZER_JSONFIELDS_H
