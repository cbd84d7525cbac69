//===- Unicode.cpp - UTF-8 text seen as Python sees str ---------------------------------------===//
#include "Template/Unicode.h"

#include <algorithm>
#include <cstring>
#include <utf8proc.h>
#include <vector>

namespace qrt::jinja {

char32_t nextCodePoint(std::string_view text, size_t &at) {
  unsigned char c = text[at];
  if (c < 0x80) {
    ++at;
    return c;
  }
  utf8proc_int32_t code = 0;
  utf8proc_ssize_t length = utf8proc_iterate(
      reinterpret_cast<const utf8proc_uint8_t *>(text.data()) + at, text.size() - at, &code);
  if (length <= 0) {
    ++at;
    return 0xFFFD;
  }
  at += size_t(length);
  return char32_t(code);
}

char32_t previousCodePoint(std::string_view text, size_t &end) {
  size_t at = end - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80)
    --at;
  end = at;
  return nextCodePoint(text, at);
}

void appendCodePoint(std::string &text, char32_t c) {
  utf8proc_uint8_t bytes[4];
  utf8proc_ssize_t length = utf8proc_encode_char(utf8proc_int32_t(c), bytes);
  text.append(reinterpret_cast<const char *>(bytes), size_t(length));
}

bool isValidUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    utf8proc_int32_t code = 0;
    utf8proc_ssize_t length = utf8proc_iterate(
        reinterpret_cast<const utf8proc_uint8_t *>(text.data()) + at, text.size() - at, &code);
    if (length <= 0)
      return false;
    at += size_t(length);
  }
  return true;
}

std::string sanitizeUtf8(std::string_view text) {
  if (isValidUtf8(text))
    return std::string(text);
  std::string result;
  for (size_t at = 0; at < text.size();)
    appendCodePoint(result, nextCodePoint(text, at));
  return result;
}

size_t codePointCount(std::string_view text) {
  return size_t(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

size_t byteOffset(std::string_view text, size_t index) {
  size_t at = 0;
  for (; at < text.size(); ++at)
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80 && index-- == 0)
      return at;
  return text.size();
}

static utf8proc_category_t category(char32_t c) { return utf8proc_category(utf8proc_int32_t(c)); }

bool isSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}
bool isLineBreak(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}
bool isPrintable(char32_t c) {
  if (c == ' ')
    return true;
  switch (category(c)) {
  case UTF8PROC_CATEGORY_CC:
  case UTF8PROC_CATEGORY_CF:
  case UTF8PROC_CATEGORY_CS:
  case UTF8PROC_CATEGORY_CO:
  case UTF8PROC_CATEGORY_CN:
  case UTF8PROC_CATEGORY_ZL:
  case UTF8PROC_CATEGORY_ZP:
  case UTF8PROC_CATEGORY_ZS:
    return false;
  default:
    return true;
  }
}
bool isAlpha(char32_t c) {
  utf8proc_category_t k = category(c);
  return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT ||
         k == UTF8PROC_CATEGORY_LM || k == UTF8PROC_CATEGORY_LO;
}
bool isDecimal(char32_t c) { return category(c) == UTF8PROC_CATEGORY_ND; }
bool isDigit(char32_t c) {
  return isDecimal(c) || c == 0xB2 || c == 0xB3 || c == 0xB9 || c == 0x2070 ||
         (c >= 0x2074 && c <= 0x2079) || (c >= 0x2080 && c <= 0x2089) ||
         (c >= 0x2460 && c <= 0x2468);
}
bool isNumeric(char32_t c) {
  utf8proc_category_t k = category(c);
  return k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_NO;
}
bool isLowerCase(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_LL || c == 0xAA || c == 0xBA;
}
bool isUpperCase(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LU; }
bool isCased(char32_t c) {
  return isLowerCase(c) || isUpperCase(c) || category(c) == UTF8PROC_CATEGORY_LT;
}
bool isIdentifierStart(char32_t c) {
  return c == '_' || isAlpha(c) || category(c) == UTF8PROC_CATEGORY_NL;
}
bool isIdentifierPart(char32_t c) {
  utf8proc_category_t k = category(c);
  return isIdentifierStart(c) || k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_MN ||
         k == UTF8PROC_CATEGORY_MC || k == UTF8PROC_CATEGORY_PC;
}

static void appendUpper(std::string &out, char32_t c, bool title) {
  // Characters whose upper case is more than one character (Unicode's SpecialCasing,
  // unconditional).
  switch (c) {
  case 0xDF:
    out += title ? "Ss" : "SS";
    return;
  case 0x149:
    out += "\xCA\xBCN";
    return;
  case 0xFB00:
    out += title ? "Ff" : "FF";
    return;
  case 0xFB01:
    out += title ? "Fi" : "FI";
    return;
  case 0xFB02:
    out += title ? "Fl" : "FL";
    return;
  case 0xFB03:
    out += title ? "Ffi" : "FFI";
    return;
  case 0xFB04:
    out += title ? "Ffl" : "FFL";
    return;
  case 0xFB05:
  case 0xFB06:
    out += title ? "St" : "ST";
    return;
  default:
    appendCodePoint(out, char32_t(title ? utf8proc_totitle(utf8proc_int32_t(c))
                                        : utf8proc_toupper(utf8proc_int32_t(c))));
  }
}

/// `at`: the byte offset of `c`, for the sigma that ends a word.
static void appendLower(std::string &out, std::string_view text, size_t at, char32_t c) {
  if (c == 0x130) {
    out += "i\xCC\x87";
    return;
  }
  if (c == 0x3A3) {
    size_t before = at, behind = at + 2;
    bool letterBefore = before > 0 && isCased(previousCodePoint(text, before));
    bool letterBehind = behind < text.size() && isCased(nextCodePoint(text, behind));
    appendCodePoint(out, letterBefore && !letterBehind ? 0x3C2 : 0x3C3);
    return;
  }
  appendCodePoint(out, char32_t(utf8proc_tolower(utf8proc_int32_t(c))));
}

std::string upperCase(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t at = 0; at < text.size();)
    appendUpper(result, nextCodePoint(text, at), false);
  return result;
}
std::string lowerCase(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    size_t start = at;
    char32_t c = nextCodePoint(text, at);
    appendLower(result, text, start, c);
  }
  return result;
}
std::string titleCase(std::string_view text) {
  std::string result;
  bool inWord = false;
  for (size_t at = 0; at < text.size();) {
    size_t start = at;
    char32_t c = nextCodePoint(text, at);
    if (inWord)
      appendLower(result, text, start, c);
    else
      appendUpper(result, c, true);
    inWord = isCased(c);
  }
  return result;
}
std::string capitalize(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    size_t start = at;
    char32_t c = nextCodePoint(text, at);
    if (start == 0)
      appendUpper(result, c, true);
    else
      appendLower(result, text, start, c);
  }
  return result;
}
std::string swapCase(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    size_t start = at;
    char32_t c = nextCodePoint(text, at);
    if (isUpperCase(c))
      appendLower(result, text, start, c);
    else
      appendUpper(result, c, false);
  }
  return result;
}

std::string_view stripLeft(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    size_t next = at;
    if (!isSpace(nextCodePoint(text, next)))
      break;
    at = next;
  }
  return text.substr(at);
}
std::string_view stripRight(std::string_view text) {
  size_t end = text.size();
  while (end > 0) {
    size_t before = end;
    if (!isSpace(previousCodePoint(text, before)))
      break;
    end = before;
  }
  return text.substr(0, end);
}

static std::vector<char32_t> sortedSet(std::string_view characters) {
  std::vector<char32_t> set;
  for (size_t at = 0; at < characters.size();)
    set.push_back(nextCodePoint(characters, at));
  std::sort(set.begin(), set.end());
  return set;
}

std::string_view stripLeft(std::string_view text, std::string_view characters) {
  std::vector<char32_t> set = sortedSet(characters);
  size_t at = 0;
  while (at < text.size()) {
    size_t next = at;
    if (!std::binary_search(set.begin(), set.end(), nextCodePoint(text, next)))
      break;
    at = next;
  }
  return text.substr(at);
}
std::string_view stripRight(std::string_view text, std::string_view characters) {
  std::vector<char32_t> set = sortedSet(characters);
  size_t end = text.size();
  while (end > 0) {
    size_t before = end;
    if (!std::binary_search(set.begin(), set.end(), previousCodePoint(text, before)))
      break;
    end = before;
  }
  return text.substr(0, end);
}

size_t findText(std::string_view text, std::string_view needle, size_t from) {
  if (from > text.size())
    return std::string_view::npos;
  if (needle.empty())
    return from;
  // memmem is linear; std::string_view::find is quadratic on hostile text.
  const void *hit = memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
  return hit ? size_t(static_cast<const char *>(hit) - text.data()) : std::string_view::npos;
}

} // namespace qrt::jinja
