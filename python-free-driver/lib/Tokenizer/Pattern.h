//===- Pattern.h - What a text is split at ----------------------------------------------------===//
// Patterns find stretches of a text; a behaviour says what becomes of them. Together they are the
// `split` of the tokenizers library (NormalizedString::split), whose results these functions give.
// Thread safety: immutable.
#ifndef QRT_TOKENIZER_PATTERN_H
#define QRT_TOKENIZER_PATTERN_H

#include "Tokenizer/JsonFields.h"
#include "Tokenizer/Regex.h"

#include <string>

namespace qrt::text {

/// A literal, a regular expression or a class of characters.
class Pattern {
public:
  using CharClass = bool (*)(char32_t);

  static Result<Pattern> fromJson(const JsonFields &fields, const char *key);
  static Result<Pattern> regex(std::string_view expression);
  static Pattern literal(std::string text);
  static Pattern characters(CharClass belongs);

  /// Appends stretches that cover `valid`, as Regex::findMatches() does.
  void findMatches(std::string_view valid, std::vector<Match> &out) const;
  /// The literal, or nullptr.
  const std::string *literalText() const { return text.empty() ? nullptr : &text; }
  /// `valid` with each match replaced.
  std::string replaceAll(std::string_view valid, std::string_view replacement) const;

private:
  std::string text;
  std::shared_ptr<const Regex> expression;
  CharClass charClass = nullptr;
};

enum class SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };
Result<SplitBehavior> splitBehavior(const JsonFields &fields, const char *key,
                                    std::optional<std::string> otherwise = {});

/// Turns stretches into the pieces that are kept: each becomes isMatch == false, those to drop are
/// gone. Empty pieces may remain.
void applyBehavior(std::vector<Match> &stretches, SplitBehavior behavior);

} // namespace qrt::text

#endif // QRT_TOKENIZER_PATTERN_H
