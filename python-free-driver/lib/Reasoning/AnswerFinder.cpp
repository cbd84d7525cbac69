//===- AnswerFinder.cpp - Answers that a text has already reached -----------------------------===//
#include "Reasoning/AnswerFinder.h"

#include <algorithm>

namespace qrt {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; }

std::string_view trimmed(std::string_view s, std::string_view what = " \t\r\n") {
  size_t begin = std::min(s.find_first_not_of(what), s.size());
  s.remove_prefix(begin);
  return s.substr(0, s.find_last_not_of(what) + 1);
}

/// The bytes inside the braces that open at `open`; nothing if they never close.
std::optional<std::string_view> balanced(std::string_view text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size())
      ++i; // \{ and \} are not braces
    else if (text[i] == '{')
      ++depth;
    else if (text[i] == '}' && --depth == 0)
      return text.substr(open + 1, i - open - 1);
  }
  return std::nullopt;
}

void findBoxed(std::string_view text, size_t offset, std::vector<AnswerCandidate> &out) {
  for (std::string_view mark : {"\\boxed{", "\\fbox{"})
    for (size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1))
      if (auto inside = balanced(text, at + mark.size() - 1))
        out.push_back({std::string(trimmed(*inside)), offset + at,
                       offset + size_t(inside->data() - text.data()) + inside->size() + 1,
                       AnswerCandidate::Kind::Boxed});
}

/// "answer is 12." "answer: x = 3": up to the end of the line or sentence.
void findPhrases(std::string_view text, size_t offset, std::vector<AnswerCandidate> &out) {
  std::string small(text);
  std::transform(small.begin(), small.end(), small.begin(), lower);
  for (std::string_view mark : {"answer is", "answer:"})
    for (size_t at = small.find(mark); at != std::string::npos; at = small.find(mark, at + 1)) {
      size_t begin = at + mark.size();
      if (begin < text.size() && text[begin] == ':')
        ++begin;
      size_t end = begin;
      while (end < text.size() && text[end] != '\n' &&
             !(text[end] == '.' && (end + 1 == text.size() || !isDigit(text[end + 1]))))
        ++end;
      std::string_view answer = trimmed(text.substr(begin, end - begin), " \t\r$*:");
      if (!answer.empty() && answer.find("\\boxed") == std::string_view::npos)
        out.push_back(
            {std::string(answer), offset + at, offset + end, AnswerCandidate::Kind::Phrase});
    }
}

void findLastNumber(std::string_view text, size_t offset, std::vector<AnswerCandidate> &out) {
  size_t end = text.find_last_of("0123456789");
  if (end == std::string_view::npos)
    return;
  size_t begin = end++;
  while (begin > 0 &&
         (isDigit(text[begin - 1]) || ((text[begin - 1] == '.' || text[begin - 1] == ',') &&
                                       begin > 1 && isDigit(text[begin - 2]))))
    --begin;
  if (begin > 0 && text[begin - 1] == '-' && (begin == 1 || !isDigit(text[begin - 2])))
    --begin;
  out.push_back({std::string(text.substr(begin, end - begin)), offset + begin, offset + end,
                 AnswerCandidate::Kind::Number});
}

} // namespace

std::vector<std::string_view> splitSteps(std::string_view text) {
  std::vector<std::string_view> steps;
  while (!text.empty()) {
    size_t end = std::min(text.find("\n\n"), text.size());
    if (!trimmed(text.substr(0, end)).empty())
      steps.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return steps;
}

std::vector<AnswerCandidate> findAnswers(std::string_view text) {
  std::vector<AnswerCandidate> out;
  for (std::string_view step : splitSteps(text)) {
    size_t offset = size_t(step.data() - text.data());
    findBoxed(step, offset, out);
    findPhrases(step, offset, out);
    findLastNumber(step, offset, out);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto &a, const auto &b) { return a.end < b.end; });
  return out;
}

std::optional<std::string> committedAnswer(std::string_view text) {
  std::vector<AnswerCandidate> all = findAnswers(text);
  const AnswerCandidate *best = nullptr;
  for (const AnswerCandidate &candidate : all)
    if (!best || candidate.kind >= best->kind)
      best = &candidate;
  return best ? std::optional(best->text) : std::nullopt;
}

std::optional<std::string> lastBoxed(std::string_view text) {
  std::vector<AnswerCandidate> boxed;
  findBoxed(text, 0, boxed);
  if (boxed.empty())
    return std::nullopt;
  return std::max_element(boxed.begin(), boxed.end(),
                          [](const auto &a, const auto &b) { return a.begin < b.begin; })
      ->text;
}

} // namespace qrt
