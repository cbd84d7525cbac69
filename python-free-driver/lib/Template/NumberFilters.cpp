//===- NumberFilters.cpp - Filters over numbers -----------------------------------------------===//
#include "Template/Interpreter.h"
#include "Template/Unicode.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace qrt::jinja {

/// Without the underscores that Python allows between digits; nothing if they stand elsewhere.
static std::optional<std::string> withoutUnderscores(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      result += text[i];
      continue;
    }
    if (i == 0 || i + 1 == text.size() || !std::isalnum((unsigned char)text[i - 1]) ||
        !std::isalnum((unsigned char)text[i + 1]))
      return std::nullopt;
  }
  return result;
}

/// int(text, base).
static std::optional<int64_t> parseInteger(std::string_view text, int64_t base) {
  auto clean = withoutUnderscores(stripRight(stripLeft(text)));
  if (!clean || clean->empty())
    return std::nullopt;
  size_t at = (*clean)[0] == '+' || (*clean)[0] == '-';
  bool negative = (*clean)[0] == '-';
  if (at + 1 < clean->size() && (*clean)[at] == '0') {
    char mark = char((*clean)[at + 1] | 0x20);
    int64_t marked = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    if (marked && (base == marked || base == 0)) {
      base = marked;
      at += 2;
    }
  }
  if (base == 0)
    base = 10;
  if (at == clean->size())
    return std::nullopt;
  int64_t value = 0;
  for (; at < clean->size(); ++at) {
    char c = (*clean)[at], lower = char(c | 0x20);
    int64_t digit = c >= '0' && c <= '9'           ? c - '0'
                    : lower >= 'a' && lower <= 'z' ? lower - 'a' + 10
                                                   : 99;
    if (digit >= base)
      return std::nullopt;
    if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value))
      failUnsupported("an integer does not fit 64 bits");
  }
  return negative ? -value : value;
}

/// float(text).
static std::optional<double> parseDouble(std::string_view text) {
  auto clean = withoutUnderscores(stripRight(stripLeft(text)));
  if (!clean || clean->empty() || clean->find_first_of("xXpP(") != std::string::npos)
    return std::nullopt;
  char *end = nullptr;
  double value = std::strtod(clean->c_str(), &end);
  if (end != clean->c_str() + clean->size())
    return std::nullopt;
  return value;
}

static std::optional<int64_t> truncated(double value) {
  if (!std::isfinite(value))
    return std::nullopt;
  if (std::fabs(value) >= 9.2e18)
    failUnsupported("an integer does not fit 64 bits");
  return int64_t(value);
}

static Value toInteger(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("int", arguments, {"default", "base"});
  Value otherwise = p.has(0) ? p[0] : Value::integer(0);
  if (input.isUndefined())
    fail(input.undefinedMessage());
  std::optional<int64_t> result;
  if (input.isIntegral())
    result = input.asInt();
  else if (input.is(Kind::Float)) {
    if (std::isinf(input.asDouble()))
      fail("cannot convert float infinity to integer");
    result = truncated(input.asDouble());
  } else if (input.isString()) {
    int64_t base = p.integer(1, 10);
    if (base == 0 || (base >= 2 && base <= 36))
      result = parseInteger(input.text(), base);
    if (!result)
      if (auto real = parseDouble(input.text()))
        result = truncated(*real);
  }
  return result ? Value::integer(*result) : otherwise;
}

static Value toFloat(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("float", arguments, {"default"});
  if (input.isUndefined())
    fail(input.undefinedMessage());
  if (input.isNumber())
    return Value::real(input.asDouble());
  if (input.isString())
    if (auto value = parseDouble(input.text()))
      return Value::real(*value);
  return p.has(0) ? p[0] : Value::real(0);
}

static Value absolute(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("abs", arguments, {});
  if (input.is(Kind::Float))
    return Value::real(std::fabs(input.asDouble()));
  if (!input.isIntegral())
    fail(std::string("bad operand type for abs(): '") + typeName(input) + "'");
  return input.asInt() < 0 ? binaryOperation(in, Operator::Subtract, Value::integer(0), input)
                           : Value::integer(input.asInt());
}

/// Python's round(value, digits): to even at the exact half.
static Value roundHalfEven(const Value &input, int64_t digits) {
  if (input.isIntegral()) {
    if (digits >= 0)
      return Value::integer(input.asInt());
    if (digits < -18)
      return Value::integer(0);
    int64_t unit = 1;
    for (int64_t i = digits; i < 0; ++i)
      unit *= 10;
    int64_t value = input.asInt(), rest = value % unit, base = value - rest;
    int64_t twice = std::abs(rest) * 2;
    if (twice > unit || (twice == unit && (base / unit) % 2 != 0))
      base += rest < 0 ? -unit : unit;
    return Value::integer(base);
  }
  double value = input.asDouble();
  if (!std::isfinite(value) || digits > 300)
    return input;
  if (digits < 0) {
    double unit = std::pow(10.0, double(-digits));
    return Value::real(std::nearbyint(value / unit) * unit);
  }
  // printf rounds the exact binary value, as Python does.
  char buffer[700];
  std::snprintf(buffer, sizeof buffer, "%.*f", int(digits), value);
  return Value::real(std::strtod(buffer, nullptr));
}

static Value round(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("round", arguments, {"precision", "method"});
  std::string method = p.has(1) ? p.text(1) : "common";
  if (method != "common" && method != "ceil" && method != "floor")
    fail("method must be common, ceil or floor");
  if (!input.isNumber())
    fail(std::string("type ") + typeName(input) + " doesn't define __round__ method");
  int64_t digits = p.integer(0, 0);
  if (method == "common")
    return roundHalfEven(input, digits);
  double scale = std::pow(10.0, double(digits)), scaled = input.asDouble() * scale;
  return Value::real((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale);
}

static Value sum(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("sum", arguments, {"attribute", "start"});
  AttributePath path(p[0]);
  Value total = p.has(1) ? p[1] : Value::integer(0);
  if (total.isString())
    fail("sum() can't sum strings");
  for (const Value &item : iterate(input, in.budget))
    total = binaryOperation(in, Operator::Add, total, path.of(in, item));
  return total;
}

template <bool largest>
static Value extreme(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p(largest ? "max" : "min", arguments, {"case_sensitive", "attribute"});
  AttributePath path(p[1]);
  Values items = iterate(input, in.budget);
  if (items.empty())
    return Value::undefined("No aggregated item, sequence was empty.");
  auto keyOf = [&](const Value &item) {
    Value key = path.of(in, item);
    return key.isString() && !p.truth(0, false) ? in.text(lowerCase(key.text())) : key;
  };
  size_t best = 0;
  Value bestKey = keyOf(items[0]);
  for (size_t i = 1; i < items.size(); ++i) {
    Value key = keyOf(items[i]);
    if (largest ? lessThan(bestKey, key, in.budget) : lessThan(key, bestKey, in.budget)) {
      best = i;
      bestKey = std::move(key);
    }
  }
  return items[best];
}

static Value fileSize(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("filesizeformat", arguments, {"binary"});
  Arguments noArguments;
  double bytes = toFloat(in, input, noArguments).asDouble();
  bool binary = p.truth(0, false);
  double base = binary ? 1024 : 1000, unit = base;
  if (bytes == 1)
    return in.text("1 Byte");
  if (bytes < base)
    return in.text(std::to_string(int64_t(bytes)) + " Bytes");
  char buffer[400];
  for (const char *prefix = "kMGTPEZY"; *prefix; ++prefix) {
    unit *= base;
    if (bytes < unit || !prefix[1]) {
      std::snprintf(buffer, sizeof buffer, "%.1f %c%sB", base * bytes / unit,
                    binary && *prefix == 'k' ? 'K' : *prefix, binary ? "i" : "");
      return in.text(buffer);
    }
  }
  return in.text({});
}

Function findNumberFilter(std::string_view name) {
  static constexpr std::pair<std::string_view, Function> table[] = {
      {"abs", absolute},      {"filesizeformat", fileSize}, {"float", toFloat}, {"int", toInteger},
      {"max", extreme<true>}, {"min", extreme<false>},      {"round", round},   {"sum", sum},
  };
  for (const auto &[entry, function] : table)
    if (entry == name)
      return function;
  return nullptr;
}

} // namespace qrt::jinja
