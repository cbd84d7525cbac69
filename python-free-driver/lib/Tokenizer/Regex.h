//===- Regex.h - Regular expressions of tokenizers --------------------------------------------===//
// A compiled pattern (PCRE2 with UTF, UCP and, where there is one, the JIT), matched as the
// tokenizers library walks over a text: from left to right, an empty match only where no match just
// ended. Limits: matching stops at PCRE2's match and heap limits; the rest of the text then counts
// as unmatched. No pattern of a known model comes near them. Thread safety: immutable after
// compile(); forEachMatch() may run in several threads.
#ifndef QRT_TOKENIZER_REGEX_H
#define QRT_TOKENIZER_REGEX_H

#include "qrt/Status.h"

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace qrt::text {

/// A stretch of a text, in bytes, that a pattern matched or that lies between matches.
struct Match {
  size_t begin, end;
  bool isMatch;
};

class Regex {
public:
  /// `pattern` in Ruby syntax (RegexSyntax.h). Errors: those of translateRegex(), Unsupported for
  /// what PCRE2 cannot compile (lookbehind of unbounded length ...).
  static Result<std::shared_ptr<const Regex>> compile(std::string_view pattern);
  ~Regex();

  /// Appends matches and what lies between them, in order; together they cover `valid`. An empty
  /// text gives one empty stretch without a match.
  void findMatches(std::string_view valid, std::vector<Match> &out) const;

private:
  struct Code;
  explicit Regex(std::unique_ptr<Code> code);
  std::unique_ptr<Code> code;
};

} // namespace qrt::text

#endif // QRT_TOKENIZER_REGEX_H
