//===- Unicode.h - UTF-8 text seen as Python sees str -----------------------------------------===//
// Strings are valid UTF-8; positions and lengths are in code points. Character classes and case are
// those of Python's str methods (isspace, upper with the usual special casing, isprintable). Thread
// safety: free functions without state.
#ifndef QRT_TEMPLATE_UNICODE_H
#define QRT_TEMPLATE_UNICODE_H

#include <cstddef>
#include <string>
#include <string_view>

namespace qrt::jinja {

/// The code point at byte `at` of valid UTF-8; moves `at` behind it.
char32_t nextCodePoint(std::string_view text, size_t &at);
/// The code point that ends before byte `end`; moves `end` to its first byte.
char32_t previousCodePoint(std::string_view text, size_t &end);
void appendCodePoint(std::string &text, char32_t c);
bool isValidUtf8(std::string_view text);
/// Bytes that are not UTF-8 become U+FFFD.
std::string sanitizeUtf8(std::string_view text);
size_t codePointCount(std::string_view text);
/// The byte offset of code point `index`, text.size() if there are fewer.
size_t byteOffset(std::string_view text, size_t index);

bool isSpace(char32_t c);
/// What str.splitlines splits at.
bool isLineBreak(char32_t c);
bool isPrintable(char32_t c);
bool isAlpha(char32_t c);
bool isDecimal(char32_t c);
bool isDigit(char32_t c);
bool isNumeric(char32_t c);
bool isLowerCase(char32_t c);
bool isUpperCase(char32_t c);
bool isCased(char32_t c);
bool isIdentifierStart(char32_t c);
bool isIdentifierPart(char32_t c);

std::string upperCase(std::string_view text);
std::string lowerCase(std::string_view text);
/// First character of every word upper, the others lower (str.title).
std::string titleCase(std::string_view text);
std::string capitalize(std::string_view text);
std::string swapCase(std::string_view text);

std::string_view stripLeft(std::string_view text);
std::string_view stripRight(std::string_view text);
/// Strips the code points of `characters` instead of white space.
std::string_view stripLeft(std::string_view text, std::string_view characters);
std::string_view stripRight(std::string_view text, std::string_view characters);

/// The first position of `needle` at or behind `from`, or npos; linear time.
size_t findText(std::string_view text, std::string_view needle, size_t from = 0);

} // namespace qrt::jinja

#endif // QRT_TEMPLATE_UNICODE_H
