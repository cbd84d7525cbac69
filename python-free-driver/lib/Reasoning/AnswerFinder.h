//===- AnswerFinder.h - Answers that a text has already reached -------------------------------===//
// Candidates in the order of their place, per step (the text split at empty lines, arXiv
// 2504.04823): contents of \boxed{}, what follows "answer is" or "answer:", and the last number of
// the step. Thread safety: pure functions.
#ifndef QRT_REASONING_ANSWERFINDER_H
#define QRT_REASONING_ANSWERFINDER_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qrt {

struct AnswerCandidate {
  enum class Kind { Number, Phrase, Boxed };
  std::string text;
  size_t begin, end; ///< bytes of the text
  Kind kind;
};

std::vector<AnswerCandidate> findAnswers(std::string_view text);

/// The one to commit to: the last boxed one, else the last phrase, else the last number.
std::optional<std::string> committedAnswer(std::string_view text);

/// The content of the last complete \boxed{...} (\fbox too), braces balanced.
std::optional<std::string> lastBoxed(std::string_view text);

/// The pieces between empty lines, none of them blank.
std::vector<std::string_view> splitSteps(std::string_view text);

} // namespace qrt

#endif // QRT_REASONING_ANSWERFINDER_H
