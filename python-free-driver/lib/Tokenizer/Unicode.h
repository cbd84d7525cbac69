//===- Unicode.h - UTF-8, character classes and normal forms ----------------------------------===//
// What the tokenizer's components ask of Unicode: decoding, repair of broken UTF-8, the classes of
// characters as Rust's standard library names them, case and the four normal forms (utf8proc).
// Functions that take "valid" text expect valid UTF-8 and do not check it.
// Thread safety: free functions without state.
#ifndef QRT_TOKENIZER_UNICODE_H
#define QRT_TOKENIZER_UNICODE_H

#include <cstddef>
#include <string>
#include <string_view>

namespace qrt::text {

/// The character at `pos` of valid text; moves `pos` behind it.
char32_t nextChar(std::string_view text, size_t &pos);
void appendUtf8(std::string &text, char32_t c);
/// Bytes of the sequence that `lead` starts, in valid text.
inline size_t sequenceLength(unsigned char lead) {
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

bool isValidUtf8(std::string_view bytes);

/// Replaces what is not UTF-8 by U+FFFD, one per maximal broken subsequence (as Rust's
/// from_utf8_lossy and the WHATWG decoder do), across pieces of any size.
class Utf8Repair {
public:
  /// Appends what is certain of the bytes so far.
  void push(std::string_view bytes, std::string &out);
  /// Appends U+FFFD for a sequence that never ended.
  void finish(std::string &out);

private:
  std::string pending;
};

bool isWhitespace(char32_t c);     ///< property White_Space
bool isNumeric(char32_t c);        ///< Nd, Nl, No
bool isPunctuation(char32_t c);    ///< ASCII punctuation and categories P*
bool isMark(char32_t c);           ///< categories M*
bool isNonspacingMark(char32_t c); ///< Mn
bool isControl(char32_t c);        ///< Cc, Cf, Co

/// Character by character, without context (no final sigma).
void appendLower(std::string &text, char32_t c);

enum class NormalForm { C, D, KC, KD };
/// Valid text in the form; O(n log n) for any text.
std::string normalize(std::string_view valid, NormalForm form);

} // namespace qrt::text

#endif // QRT_TOKENIZER_UNICODE_H
