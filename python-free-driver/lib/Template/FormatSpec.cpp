//===- FormatSpec.cpp - Numbers and padding in formatted text ---------------------------------===//
#include "Template/FormatSpec.h"

#include "Template/Interpreter.h"
#include "Template/TextSplit.h"
#include "Template/Unicode.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace qrt::jinja {

int64_t formatNumber(std::string_view text, size_t &at) {
  int64_t value = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
    if ((value = value * 10 + (text[at] - '0')) > int64_t(maxStringBytes))
      failLimit("a format asks for too many characters");
  return value;
}

std::string padded(Interpreter &in, const std::string &text, const Spec &spec, char align) {
  int64_t missing = spec.width - int64_t(codePointCount(text));
  if (missing <= 0)
    return text;
  int64_t left = align == '>' ? missing : align == '^' ? missing / 2 : 0;
  if (align == '=') {
    size_t sign = text.starts_with('-') || text.starts_with('+') || text.starts_with(' ');
    return text.substr(0, sign) + repeatText(in.budget, spec.fill, missing) + text.substr(sign);
  }
  return repeatText(in.budget, spec.fill, left) + text +
         repeatText(in.budget, spec.fill, missing - left);
}

std::string grouped(const std::string &digits, char separator) {
  size_t start = digits.find_first_of("0123456789");
  if (!separator || start == std::string::npos)
    return digits;
  size_t end = std::min(digits.find_first_not_of("0123456789", start), digits.size());
  std::string result = digits;
  for (size_t at = end; at > start + 3; at -= 3)
    result.insert(at - 3, 1, separator);
  return result;
}

std::string integerDigits(int64_t value, char type, bool alternate) {
  uint64_t magnitude = value < 0 ? 0 - uint64_t(value) : uint64_t(value);
  unsigned base = type == 'x' || type == 'X' ? 16 : type == 'o' ? 8 : type == 'b' ? 2 : 10;
  const char *const all = type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string digits;
  do {
    digits += all[magnitude % base];
    magnitude /= base;
  } while (magnitude);
  if (alternate && base != 10)
    digits += std::string(1, type) + "0";
  std::reverse(digits.begin(), digits.end());
  return (value < 0 ? "-" : "") + digits;
}

std::string realDigits(double value, char type, int64_t precision, bool alternate) {
  if (!std::isfinite(value))
    return std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
  if (precision > 200)
    failUnsupported("a format asks for more than 200 digits");
  char format[] = {'%', alternate ? '#' : '.', '.', '*', type, 0};
  if (!alternate)
    std::copy_n(".*", 2, format + 1), format[3] = type, format[4] = 0;
  char buffer[700];
  std::snprintf(buffer, sizeof buffer, format, int(precision), value);
  return buffer;
}

std::string signedText(std::string text, char sign) {
  return !text.starts_with('-') && sign != '-' ? std::string(1, sign) + text : text;
}

} // namespace qrt::jinja
