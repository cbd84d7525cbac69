//===- Print.cpp - str(), repr() and json.dumps() of template values --------------------------===//
#include "Template/Unicode.h"
#include "Template/Value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace qrt::jinja {

std::string reprOfDouble(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  // The shortest digits that read back as the same value, then Python's choice of notation.
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  std::string_view text(buffer, size_t(end.ptr - buffer));
  size_t e = text.find('e');
  int exponent = std::atoi(std::string(text.substr(e + 1)).c_str());
  if (exponent < -4 || exponent >= 16) {
    char suffix[16];
    std::snprintf(suffix, sizeof suffix, "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
    return std::string(text.substr(0, e)) + suffix;
  }
  end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  std::string result(buffer, size_t(end.ptr - buffer));
  if (result.find('.') == std::string::npos)
    result += ".0";
  return result;
}

std::string reprOfString(std::string_view text) {
  bool doubleQuotes =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  char quote = doubleQuotes ? '"' : '\'';
  std::string result(1, quote);
  for (size_t at = 0; at < text.size();) {
    size_t start = at;
    char32_t c = nextCodePoint(text, at);
    char escape[16];
    if (c == char32_t(quote) || c == '\\') {
      result += '\\';
      result += char(c);
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\r') {
      result += "\\r";
    } else if (c == '\t') {
      result += "\\t";
    } else if (isPrintable(c)) {
      result.append(text.substr(start, at - start));
    } else {
      const char *format = c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
      std::snprintf(escape, sizeof escape, format, unsigned(c));
      result += escape;
    }
  }
  return result + quote;
}

namespace {
/// Appends and charges what it appends.
struct Sink {
  Budget &budget;
  std::string text;
  void add(std::string_view piece) {
    if (text.size() + piece.size() > maxStringBytes)
      failLimit("a string grows over " + std::to_string(maxStringBytes >> 20) + " MiB");
    budget.step(1 + piece.size() / 64);
    text += piece;
  }
};
} // namespace

static void appendRepr(Sink &out, const Value &value, int depth);

static void appendItems(Sink &out, const Values &items, const char *open, const char *close,
                        int depth) {
  out.add(open);
  for (size_t i = 0; i < items.size(); ++i) {
    if (i)
      out.add(", ");
    appendRepr(out, items[i], depth + 1);
  }
  out.add(close);
}

static void appendRepr(Sink &out, const Value &value, int depth) {
  if (depth > maxValueDepth)
    failLimit("values nest deeper than " + std::to_string(maxValueDepth));
  switch (value.kind()) {
  case Kind::Undefined:
    return out.add("Undefined");
  case Kind::None:
    return out.add("None");
  case Kind::Bool:
    return out.add(value.asBool() ? "True" : "False");
  case Kind::Int:
    return out.add(std::to_string(value.asInt()));
  case Kind::Float:
    return out.add(reprOfDouble(value.asDouble()));
  case Kind::String:
    if (value.isMarkup())
      return out.add("Markup(" + reprOfString(value.text()) + ")");
    return out.add(reprOfString(value.text()));
  case Kind::List:
    return appendItems(out, value.items(), "[", "]", depth);
  case Kind::Tuple:
    return appendItems(out, value.items(), "(", value.items().size() == 1 ? ",)" : ")", depth);
  case Kind::View:
    out.add(value.viewType());
    return appendItems(out, value.items(), "([", "])", depth);
  case Kind::Dict: {
    out.add("{");
    bool first = true;
    for (const auto &[key, item] : value.dict().entries) {
      if (!first)
        out.add(", ");
      first = false;
      appendRepr(out, key, depth + 1);
      out.add(": ");
      appendRepr(out, item, depth + 1);
    }
    return out.add("}");
  }
  case Kind::Range: {
    const RangeObject &range = value.range();
    out.add("range(" + std::to_string(range.start) + ", " + std::to_string(range.stop));
    return out.add(range.step == 1 ? ")" : ", " + std::to_string(range.step) + ")");
  }
  case Kind::Namespace: {
    out.add("<Namespace {");
    bool first = true;
    for (const auto &[key, item] : value.space().attributes) {
      if (!first)
        out.add(", ");
      first = false;
      out.add(reprOfString(key) + ": ");
      appendRepr(out, item, depth + 1);
    }
    return out.add("}>");
  }
  case Kind::Iterator:
    fail("a generator is printed; its text would be an address (use the filter `list` or `join`)");
  case Kind::Callable:
    fail("the function '" + value.callable().name + "' is printed; is a call missing?");
  }
}

std::string toRepr(const Value &value, Budget &budget) {
  Sink out{budget, {}};
  appendRepr(out, value, 0);
  return std::move(out.text);
}

std::string toText(const Value &value, Budget &budget) {
  if (value.isString())
    return value.text();
  if (value.isUndefined())
    return "";
  return toRepr(value, budget);
}

static std::string jsonString(std::string_view text, bool ensureAscii) {
  std::string result = "\"";
  char escape[16];
  for (size_t at = 0; at < text.size();) {
    size_t start = at;
    char32_t c = nextCodePoint(text, at);
    switch (c) {
    case '"':
      result += "\\\"";
      continue;
    case '\\':
      result += "\\\\";
      continue;
    case '\n':
      result += "\\n";
      continue;
    case '\r':
      result += "\\r";
      continue;
    case '\t':
      result += "\\t";
      continue;
    case '\f':
      result += "\\f";
      continue;
    case '\b':
      result += "\\b";
      continue;
    default:
      break;
    }
    if (c >= 0x20 && (c < 0x7F || !ensureAscii)) {
      result.append(text.substr(start, at - start));
    } else if (c < 0x10000) {
      std::snprintf(escape, sizeof escape, "\\u%04x", unsigned(c));
      result += escape;
    } else {
      std::snprintf(escape, sizeof escape, "\\u%04x\\u%04x",
                    unsigned(0xD800 + ((c - 0x10000) >> 10)),
                    unsigned(0xDC00 + ((c - 0x10000) & 0x3FF)));
      result += escape;
    }
  }
  return result + '"';
}

static std::string jsonNumber(const Value &value) {
  if (value.is(Kind::Bool))
    return value.asBool() ? "true" : "false";
  if (value.is(Kind::Int))
    return std::to_string(value.asInt());
  double d = value.asDouble();
  if (std::isnan(d))
    return "NaN";
  if (std::isinf(d))
    return d < 0 ? "-Infinity" : "Infinity";
  return reprOfDouble(d);
}

static std::string jsonKey(const Value &key) {
  if (key.isString())
    return key.text();
  if (key.isNone())
    return "null";
  if (key.isNumber())
    return jsonNumber(key);
  fail(std::string("keys must be str, int, float, bool or None, not ") + typeName(key));
}

static void newLine(Sink &out, const JsonStyle &style, int depth) {
  if (!style.pretty)
    return;
  out.add("\n");
  for (int i = 0; i < depth; ++i)
    out.add(style.indent);
}

static void appendJson(Sink &out, const Value &value, const JsonStyle &style, int depth) {
  switch (value.kind()) {
  case Kind::None:
    return out.add("null");
  case Kind::Bool:
  case Kind::Int:
  case Kind::Float:
    return out.add(jsonNumber(value));
  case Kind::String:
    return out.add(jsonString(value.text(), style.ensureAscii));
  case Kind::List:
  case Kind::Tuple: {
    const Values &items = value.items();
    out.add("[");
    for (size_t i = 0; i < items.size(); ++i) {
      if (i)
        out.add(style.itemSeparator);
      newLine(out, style, depth + 1);
      appendJson(out, items[i], style, depth + 1);
    }
    if (!items.empty())
      newLine(out, style, depth);
    return out.add("]");
  }
  case Kind::Dict: {
    std::vector<const std::pair<Value, Value> *> entries;
    for (const auto &entry : value.dict().entries)
      entries.push_back(&entry);
    if (style.sortKeys)
      std::stable_sort(entries.begin(), entries.end(), [&](const auto *a, const auto *b) {
        return lessThan(a->first, b->first, out.budget);
      });
    out.add("{");
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i)
        out.add(style.itemSeparator);
      newLine(out, style, depth + 1);
      out.add(jsonString(jsonKey(entries[i]->first), style.ensureAscii));
      out.add(style.keySeparator);
      appendJson(out, entries[i]->second, style, depth + 1);
    }
    if (!entries.empty())
      newLine(out, style, depth);
    return out.add("}");
  }
  default:
    fail(std::string("Object of type ") + typeName(value) + " is not JSON serializable");
  }
}

std::string toJson(const Value &value, const JsonStyle &style, Budget &budget) {
  Sink out{budget, {}};
  appendJson(out, value, style, 0);
  return std::move(out.text);
}

Value fromJson(const OrderedJson &json, Budget &budget, int depth) {
  if (depth > maxValueDepth)
    failLimit("values nest deeper than " + std::to_string(maxValueDepth));
  switch (json.type()) {
  case OrderedJson::value_t::boolean:
    return Value::boolean(json.get<bool>());
  case OrderedJson::value_t::number_unsigned:
    if (json.get<uint64_t>() > uint64_t(INT64_MAX))
      failUnsupported("the integer " + json.dump() + " does not fit 64 bits");
    [[fallthrough]];
  case OrderedJson::value_t::number_integer:
    return Value::integer(json.get<int64_t>());
  case OrderedJson::value_t::number_float:
    return Value::real(json.get<double>());
  case OrderedJson::value_t::string:
    return makeString(sanitizeUtf8(json.get_ref<const std::string &>()), budget);
  case OrderedJson::value_t::array: {
    Values items;
    for (const OrderedJson &item : json)
      items.push_back(fromJson(item, budget, depth + 1));
    return makeList(std::move(items), budget);
  }
  case OrderedJson::value_t::object: {
    auto dict = std::make_shared<DictObject>();
    for (const auto &item : json.items())
      dict->set(makeString(sanitizeUtf8(item.key()), budget),
                fromJson(item.value(), budget, depth + 1), budget);
    return Value::dict(std::move(dict));
  }
  default:
    return Value();
  }
}

} // namespace qrt::jinja
