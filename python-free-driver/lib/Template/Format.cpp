//===- Format.cpp - str.format ----------------------------------------------------------------===//
#include "Template/FormatSpec.h"
#include "Template/Interpreter.h"
#include "Template/Unicode.h"

#include <algorithm>

namespace qrt::jinja {

static Spec parseSpec(std::string_view text) {
  Spec spec;
  size_t at = 0, first = 0;
  auto isAlign = [&](size_t i) {
    return i < text.size() && std::string_view("<>=^").find(text[i]) != std::string_view::npos;
  };
  if (!text.empty())
    nextCodePoint(text, first);
  if (first && isAlign(first)) {
    spec.fill = std::string(text.substr(0, first));
    spec.align = text[first];
    at = first + 1;
  } else if (isAlign(0)) {
    spec.align = text[at++];
  }
  auto flag = [&](char c) { return at < text.size() && text[at] == c && (++at, true); };
  if (at < text.size() && std::string_view("+- ").find(text[at]) != std::string_view::npos)
    spec.sign = text[at++];
  spec.alternate = flag('#');
  if (flag('0') && !spec.align) {
    spec.fill = "0";
    spec.align = '=';
  }
  spec.width = formatNumber(text, at);
  if (flag(','))
    spec.group = ',';
  else if (flag('_'))
    spec.group = '_';
  if (flag('.')) {
    if (at >= text.size() || !std::isdigit((unsigned char)text[at]))
      fail("Format specifier missing precision");
    spec.precision = formatNumber(text, at);
  }
  if (at < text.size())
    spec.type = text[at++];
  if (at != text.size())
    fail("Invalid format specifier '" + std::string(text) + "'");
  return spec;
}

static std::string formatValue(Interpreter &in, const Value &value, std::string_view text) {
  if (text.empty())
    return toText(value, in.budget);
  if (value.isUndefined() || !(value.isNumber() || value.isString()))
    fail(std::string("unsupported format string passed to ") + typeName(value) + ".__format__");
  Spec spec = parseSpec(text);
  auto badType = [&] {
    fail(std::string("Unknown format code '") + spec.type + "' for object of type '" +
         typeName(value) + "'");
  };
  if (value.isString()) {
    if (spec.type && spec.type != 's')
      badType();
    if (spec.align == '=' && spec.fill == "0")
      spec.align = '<';
    std::string result = value.text();
    if (spec.precision >= 0)
      result = result.substr(0, byteOffset(result, size_t(spec.precision)));
    return padded(in, result, spec, spec.align ? spec.align : '<');
  }
  std::string result;
  bool realType =
      spec.type && std::string_view("eEfFgG%").find(spec.type) != std::string_view::npos;
  if (value.isIntegral() && !realType) {
    if (spec.type && std::string_view("bdoxXn").find(spec.type) == std::string_view::npos)
      badType();
    if (value.is(Kind::Bool) && !spec.type && spec.precision < 0)
      return padded(in, value.asBool() ? "1" : "0", spec, spec.align ? spec.align : '>');
    result = integerDigits(value.asInt(), spec.type, spec.alternate);
  } else if (!spec.type && spec.precision < 0) {
    result = reprOfDouble(value.asDouble());
  } else {
    if (spec.type && !realType)
      badType();
    bool percent = spec.type == '%';
    char type = percent ? 'f' : spec.type ? spec.type : 'g';
    result = realDigits(value.asDouble() * (percent ? 100 : 1), type,
                        spec.precision < 0 ? 6 : spec.precision, spec.alternate);
    if (!spec.type && result.find_first_of(".en") == std::string::npos)
      result += ".0";
    result += percent ? "%" : "";
  }
  result = signedText(grouped(result, spec.group), spec.sign);
  return padded(in, result, spec, spec.align ? spec.align : '>');
}

namespace {
/// {} {} or {0} {1}, but not both.
struct Numbering {
  size_t next = 0;
  bool automatic = false, manual = false;
};
} // namespace

/// The value of "0.name[key]" or "name".
static Value fieldValue(Interpreter &in, std::string_view field, Arguments &arguments,
                        Numbering &numbering) {
  size_t end = std::min(field.find_first_of(".["), field.size());
  std::string first(field.substr(0, end));
  Value value;
  bool isNumber =
      std::all_of(first.begin(), first.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (isNumber) {
    size_t at = 0;
    (first.empty() ? numbering.automatic : numbering.manual) = true;
    if (numbering.automatic && numbering.manual)
      fail("cannot switch between manual and automatic field numbering");
    size_t index = first.empty() ? numbering.next++ : size_t(formatNumber(first, at));
    if (index >= arguments.positional.size())
      fail("Replacement index " + std::to_string(index) +
           " out of range for positional args tuple");
    value = arguments.positional[index];
  } else {
    auto it = std::find_if(arguments.keyword.begin(), arguments.keyword.end(),
                           [&](const auto &entry) { return entry.first == first; });
    if (it == arguments.keyword.end())
      fail("format(): no argument '" + first + "'");
    value = it->second;
  }
  while (end < field.size()) {
    bool isItem = field[end] == '[';
    size_t stop =
        isItem ? field.find(']', end) : std::min(field.find_first_of(".[", end + 1), field.size());
    if (stop == field.npos)
      fail("Missing ']' in format string");
    std::string name(field.substr(end + 1, stop - end - 1));
    size_t at = 0;
    bool index = !name.empty() &&
                 std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    value = isItem ? in.item(value, index ? Value::integer(formatNumber(name, at)) : in.text(name))
                   : in.attribute(value, name);
    end = stop + size_t(isItem);
  }
  return value;
}

std::string formatText(Interpreter &in, const std::string &format, Arguments &arguments) {
  std::string result;
  Numbering numbering;
  for (size_t at = 0; at < format.size(); ++at) {
    char c = format[at];
    if ((c == '{' || c == '}') && at + 1 < format.size() && format[at + 1] == c) {
      result += c;
      ++at;
      continue;
    }
    if (c == '}')
      fail("Single '}' encountered in format string");
    if (c != '{') {
      result += c;
      continue;
    }
    size_t close = format.find('}', at);
    if (close == std::string::npos)
      fail("expected '}' before end of string");
    std::string_view field = std::string_view(format).substr(at + 1, close - at - 1);
    if (field.find('{') != field.npos)
      failUnsupported("nested fields in a format string are not supported");
    size_t colon = field.find(':');
    std::string_view spec = colon == field.npos ? std::string_view() : field.substr(colon + 1);
    std::string_view name = field.substr(0, colon);
    size_t mark = name.find('!');
    std::string_view conversion = mark == name.npos ? std::string_view() : name.substr(mark + 1);
    Value value = fieldValue(in, name.substr(0, mark), arguments, numbering);
    if (conversion == "r")
      value = in.text(toRepr(value, in.budget));
    else if (conversion == "s")
      value = in.text(toText(value, in.budget));
    else if (!conversion.empty() || mark != name.npos)
      fail("Unknown conversion specifier in format string");
    result += formatValue(in, value, spec);
    if (result.size() > maxStringBytes)
      in.budget.string(result.size());
    at = close;
  }
  return result;
}

} // namespace qrt::jinja
