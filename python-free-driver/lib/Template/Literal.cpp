//===- Literal.cpp - Escapes in string literals -----------------------------------------------===//
#include "Template/Lexer.h"
#include "Template/Limits.h"
#include "Template/Unicode.h"

namespace qrt::jinja {

static int hexDigit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  char lower = char(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static char32_t hexEscape(std::string_view text, size_t &at, int count, int line) {
  char32_t value = 0;
  for (int i = 0; i < count; ++i, ++at) {
    int digit = at < text.size() ? hexDigit(text[at]) : -1;
    if (digit < 0)
      failAt(line, "a string literal has an incomplete \\x, \\u or \\U escape");
    value = value * 16 + char32_t(digit);
  }
  if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
    failAt(line, "a string literal has an escape that is no character");
  return value;
}

std::string unescapeLiteral(std::string_view text, int line) {
  if (text.find('\\') == std::string_view::npos)
    return std::string(text);
  std::string result;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      result += text[at++];
      continue;
    }
    char c = at + 1 < text.size() ? text[at + 1] : 0;
    at += 2;
    static constexpr std::string_view names = "\\'\"abfnrtv";
    static constexpr std::string_view values = "\\'\"\a\b\f\n\r\t\v";
    if (size_t k = names.find(c); k != std::string_view::npos) {
      result += values[k];
    } else if (c == '\n') {
      // the line goes on
    } else if (c >= '0' && c <= '7') {
      char32_t value = 0;
      --at;
      for (int i = 0; i < 3 && at < text.size() && text[at] >= '0' && text[at] <= '7'; ++i)
        value = value * 8 + char32_t(text[at++] - '0');
      appendCodePoint(result, value);
    } else if (c == 'x' || c == 'u' || c == 'U') {
      appendCodePoint(result, hexEscape(text, at, c == 'x' ? 2 : c == 'u' ? 4 : 8, line));
    } else if (c == 'N') {
      failUnsupported("\\N{...} in a string literal is not supported", line);
    } else {
      result += '\\'; // an unknown escape stays as it is
      --at;
    }
  }
  return result;
}

} // namespace qrt::jinja
