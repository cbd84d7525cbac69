//===- Json.h - JSON without exceptions ------------------------------------------------------===//
// A wrapper around nlohmann::json's parser for hostile bytes: syntax errors become a Status with
// line and column, nesting is limited (the library parses recursively when it destroys and copies
// values), and duplicate keys keep the last value, as Python's json does.
// Thread safety: free functions without state.
#ifndef QRT_SUPPORT_JSON_H
#define QRT_SUPPORT_JSON_H

#include "qrt/Status.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace qrt {

using Json = nlohmann::json;
/// Keeps the order of keys; chat templates print objects and order shows.
using OrderedJson = nlohmann::ordered_json;

/// InvalidArgument: "<what>: line 3, column 7: ...". A UTF-8 byte order mark is skipped.
Result<Json> parseJson(std::string_view text, const std::string &what, int maxDepth = 200);
Result<OrderedJson> parseOrderedJson(std::string_view text, const std::string &what,
                                     int maxDepth = 200);

/// Members of an object, or nothing if absent or of another type; never throw.
std::optional<std::string> jsonString(const Json &object, const char *key);
std::optional<int64_t> jsonInt(const Json &object, const char *key);
std::optional<double> jsonNumber(const Json &object, const char *key);
std::optional<bool> jsonBool(const Json &object, const char *key);

/// Serializes; bytes that are not UTF-8 become U+FFFD instead of an exception.
std::string dumpJson(const Json &value, int indent = -1);
std::string dumpJson(const OrderedJson &value, int indent = -1);

} // namespace qrt

#endif // QRT_SUPPORT_JSON_H
