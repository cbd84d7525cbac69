//===- RegexTranslator.h - The parser behind translateRegex() ---------------------------------===//
// Private to RegexSyntax.cpp (groups, alternatives, quantifiers) and RegexClasses.cpp (escapes and
// character classes). One pass over the pattern writes the translation; recursion is limited.
#ifndef QRT_TOKENIZER_REGEXTRANSLATOR_H
#define QRT_TOKENIZER_REGEXTRANSLATOR_H

#include "qrt/Status.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace qrt::text {

class RegexTranslator {
public:
  explicit RegexTranslator(std::string_view pattern) : in(pattern) {}
  Result<std::string> run();

private:
  /// A set of characters: content of one PCRE2 class, and expressions that match one character
  /// each.
  struct CharSet {
    std::string items;
    std::vector<std::string> others;
    std::string render(bool negated) const;
  };

  Status alternatives(int depth);
  Status element(int depth, bool &quantifiable);
  Status quantifiers(size_t atom, bool quantifiable);
  std::string interval();
  Status group(int depth, bool &quantifiable);
  Status groupBody(int depth, size_t from);
  Status options(int depth, size_t from);

  Status escape(bool &quantifiable);
  /// The class behind an opened '[', with its ']'; as an expression that matches one character.
  Result<std::string> characterClass(int depth);
  Status classItem(int depth, CharSet &set);
  Status posixBracket(CharSet &set);
  /// `\s`, `\p{..}` ... at `pos`, behind the backslash; false if it is none of them.
  Result<bool> classEscape(CharSet &set);
  /// A character that stands for itself or is written as an escape (`\n`, `\x{..}`, `\u....`).
  Result<char32_t> escapedChar();
  char32_t literalChar();
  void appendLiteral(char32_t c);

  Status malformed(size_t at, const std::string &what) const;
  /// Names the text from `from` to `pos`.
  Status notSupported(size_t from) const;
  bool atEnd() const { return pos >= in.size(); }
  char peek() const { return in[pos]; }

  std::string_view in;
  size_t pos = 0;
  std::string out;
};

} // namespace qrt::text

#endif // QRT_TOKENIZER_REGEXTRANSLATOR_H
