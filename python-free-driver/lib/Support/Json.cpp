//===- Json.cpp - JSON without exceptions ----------------------------------------------------===//
#include "Support/Json.h"

namespace qrt {

/// The first byte where brackets outside strings nest deeper than allowed, or npos. Cheap, and done
/// before parsing, since a deep value costs stack when it is destroyed.
static size_t tooDeepAt(std::string_view text, int maxDepth) {
  int depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inString) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        inString = false;
    } else if (c == '"') {
      inString = true;
    } else if (c == '[' || c == '{') {
      if (++depth > maxDepth)
        return i;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return std::string_view::npos;
}

static std::string position(std::string_view text, size_t offset) {
  size_t line = 1, column = 1;
  for (size_t i = 0; i < offset && i < text.size(); ++i) {
    ++column;
    if (text[i] == '\n')
      ++line, column = 1;
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

template <class J>
static Result<J> parse(std::string_view text, const std::string &what, int maxDepth) {
  if (text.starts_with("\xEF\xBB\xBF"))
    text.remove_prefix(3);
  if (size_t at = tooDeepAt(text, maxDepth); at != std::string_view::npos)
    return invalidArgument(what + ": " + position(text, at) + ": nested deeper than " +
                           std::to_string(maxDepth));
  try {
    return J::parse(text.begin(), text.end());
  } catch (const typename J::parse_error &error) {
    size_t offset = error.byte > 0 ? error.byte - 1 : 0;
    // The library's text repeats the position and its own error number; keep what follows.
    std::string reason = error.what();
    if (size_t colon = reason.find(": ", reason.find("column")); colon != std::string::npos)
      reason = reason.substr(colon + 2);
    return invalidArgument(what + ": " + position(text, offset) + ": " + reason);
  } catch (const std::exception &error) {
    return invalidArgument(what + ": " + error.what());
  }
}

Result<Json> parseJson(std::string_view text, const std::string &what, int maxDepth) {
  return parse<Json>(text, what, maxDepth);
}
Result<OrderedJson> parseOrderedJson(std::string_view text, const std::string &what, int maxDepth) {
  return parse<OrderedJson>(text, what, maxDepth);
}

static const Json *member(const Json &object, const char *key) {
  if (!object.is_object())
    return nullptr;
  auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

std::optional<std::string> jsonString(const Json &object, const char *key) {
  const Json *value = member(object, key);
  if (!value || !value->is_string())
    return std::nullopt;
  return value->get<std::string>();
}

std::optional<int64_t> jsonInt(const Json &object, const char *key) {
  const Json *value = member(object, key);
  if (!value || !value->is_number_integer())
    return std::nullopt;
  if (value->is_number_unsigned() && value->get<uint64_t>() > uint64_t(INT64_MAX))
    return std::nullopt;
  return value->get<int64_t>();
}

std::optional<double> jsonNumber(const Json &object, const char *key) {
  const Json *value = member(object, key);
  if (!value || !value->is_number())
    return std::nullopt;
  return value->get<double>();
}

std::optional<bool> jsonBool(const Json &object, const char *key) {
  const Json *value = member(object, key);
  if (!value || !value->is_boolean())
    return std::nullopt;
  return value->get<bool>();
}

std::string dumpJson(const Json &value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}
std::string dumpJson(const OrderedJson &value, int indent) {
  return value.dump(indent, ' ', false, OrderedJson::error_handler_t::replace);
}

} // namespace qrt
