//===- PercentFormat.cpp - The % operator on strings ------------------------------------------===//
#include "Template/FormatSpec.h"
#include "Template/Interpreter.h"
#include "Template/TextSplit.h"
#include "Template/Unicode.h"

#include <cmath>

namespace qrt::jinja {

static std::string percentValue(Interpreter &in, const Value &value, char type, const Spec &spec,
                                bool left, bool zero) {
  std::string text;
  bool numeric = std::string_view("diuxXoeEfFgG").find(type) != std::string_view::npos;
  if (type == 's' || type == 'r' || type == 'a') {
    text = type == 's' ? toText(value, in.budget) : toRepr(value, in.budget);
    if (spec.precision >= 0)
      text = text.substr(0, byteOffset(text, size_t(spec.precision)));
  } else if (type == 'c') {
    if (value.isString() && codePointCount(value.text()) == 1)
      text = value.text();
    else if (value.isIntegral() && value.asInt() >= 0 && value.asInt() < 0x110000 &&
             (value.asInt() < 0xD800 || value.asInt() > 0xDFFF))
      appendCodePoint(text, char32_t(value.asInt()));
    else
      fail("%c requires int or char");
  } else if (!numeric) {
    fail(std::string("unsupported format character '") + type + "'");
  } else if (value.isUndefined()) {
    fail(value.undefinedMessage());
  } else if (!value.isNumber()) {
    fail(std::string("%") + type + " format: a real number is required, not " + typeName(value));
  } else if (std::string_view("diuxXo").find(type) != std::string_view::npos) {
    if (!value.isIntegral() && std::string_view("diu").find(type) == std::string_view::npos)
      fail(std::string("%") + type + " format: an integer is required, not float");
    double real = value.asDouble();
    if (value.is(Kind::Float) && !(std::fabs(real) < 9.2e18))
      failUnsupported("an integer does not fit 64 bits");
    int64_t integer = value.is(Kind::Float) ? int64_t(real) : value.asInt();
    text = integerDigits(integer, type == 'i' || type == 'u' ? 'd' : type, spec.alternate);
    size_t sign = text.starts_with('-');
    int64_t missing = spec.precision - int64_t(text.size() - sign);
    if (missing > 0)
      text.insert(sign, repeatText(in.budget, "0", missing));
  } else {
    text =
        realDigits(value.asDouble(), type, spec.precision < 0 ? 6 : spec.precision, spec.alternate);
  }
  if (numeric)
    text = signedText(std::move(text), spec.sign);
  Spec padding = spec;
  padding.fill = zero && numeric && !left ? "0" : " ";
  return padded(in, text, padding, left ? '<' : zero && numeric ? '=' : '>');
}

std::string percentFormat(Interpreter &in, const std::string &format, const Value &values) {
  std::string result;
  bool isTuple = values.is(Kind::Tuple), usedMapping = false;
  size_t nextValue = 0, count = isTuple ? values.items().size() : 1;
  auto take = [&]() -> Value {
    if (nextValue >= count)
      fail("not enough arguments for format string");
    ++nextValue;
    return isTuple ? values.items()[nextValue - 1] : values;
  };
  for (size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%') {
      result += format[at];
      continue;
    }
    ++at;
    std::optional<Value> named;
    if (at < format.size() && format[at] == '(') {
      size_t close = format.find(')', at);
      if (close == std::string::npos)
        fail("incomplete format key");
      if (!values.is(Kind::Dict))
        fail("format requires a mapping");
      std::string key = format.substr(at + 1, close - at - 1);
      const Value *value = values.dict().find(key);
      if (!value)
        fail("format(): no key " + reprOfString(key));
      named = *value;
      usedMapping = true;
      at = close + 1;
    }
    Spec spec;
    bool left = false, zero = false;
    for (; at < format.size(); ++at) {
      char c = format[at];
      if (c == '-')
        left = true;
      else if (c == '0')
        zero = true;
      else if (c == '+' || (c == ' ' && spec.sign != '+'))
        spec.sign = c;
      else if (c == '#')
        spec.alternate = true;
      else if (c != ' ')
        break;
    }
    auto amount = [&]() -> int64_t {
      if (at >= format.size() || format[at] != '*')
        return formatNumber(format, at);
      ++at;
      Value value = take();
      if (!value.isIntegral())
        fail("* wants int");
      if (value.asInt() > int64_t(maxStringBytes))
        failLimit("a format asks for too many characters");
      return value.asInt();
    };
    spec.width = amount();
    if (at < format.size() && format[at] == '.') {
      ++at;
      spec.precision = amount();
    }
    if (at >= format.size())
      fail("incomplete format");
    if (format[at] == '%') {
      result += '%';
      continue;
    }
    result += percentValue(in, named ? *named : take(), format[at], spec, left, zero);
    if (result.size() > maxStringBytes)
      in.budget.string(result.size());
  }
  bool mayRemain = values.is(Kind::Dict) || values.is(Kind::List) || usedMapping;
  if (nextValue < count && !mayRemain)
    fail("not all arguments converted during string formatting");
  return result;
}

} // namespace qrt::jinja
