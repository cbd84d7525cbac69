//===- Checkers.cpp - Whether an answer is the right one --------------------------------------===//
#include "Eval/Tasks.h"
#include "Reasoning/AnswerFinder.h"
#include "Tokenizer/Regex.h"

#include <charconv>
#include <cmath>
#include <optional>

namespace qrt {
namespace {

void eraseAll(std::string &s, std::string_view what) {
  for (size_t at = s.find(what); at != std::string::npos; at = s.find(what, at))
    s.erase(at, what.size());
}

std::string normalised(std::string_view text) {
  std::string s(text);
  for (const char *what : {"\\left", "\\right", "\\!", "\\,", "\\;", "\\ ", "\\$", "$", " ", "\n",
                           "\t", "\r", "^\\circ", "\\%", "%"})
    eraseAll(s, what);
  for (size_t at = s.find("dfrac"); at != std::string::npos; at = s.find("dfrac"))
    s.erase(at, 1);
  while (s.ends_with('.'))
    s.pop_back();
  for (const char *wrapper : {"\\text{", "\\mathrm{", "\\textbf{"})
    if (s.starts_with(wrapper) && s.ends_with('}'))
      s = s.substr(std::string_view(wrapper).size(),
                   s.size() - std::string_view(wrapper).size() - 1);
  return s;
}

std::optional<double> decimal(std::string s) {
  // 1,234,567: commas before groups of three digits.
  for (size_t at = s.find(','); at != std::string::npos; at = s.find(',', at)) {
    size_t digits = 0;
    while (at + 1 + digits < s.size() && s[at + 1 + digits] >= '0' && s[at + 1 + digits] <= '9')
      ++digits;
    if (digits != 3 || at == 0)
      return std::nullopt;
    s.erase(at, 1);
  }
  if (s.starts_with('+'))
    s.erase(0, 1);
  double value;
  auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc() || end != s.data() + s.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::optional<double> numberOf(const std::string &s) {
  if (auto value = decimal(s))
    return value;
  const bool negative = s.starts_with('-');
  std::string body = negative ? s.substr(1) : s, top, bottom;
  if (body.starts_with("\\frac{") && body.ends_with('}')) {
    size_t middle = body.find("}{");
    if (middle == std::string::npos)
      return std::nullopt;
    top = body.substr(6, middle - 6);
    bottom = body.substr(middle + 2, body.size() - middle - 3);
  } else if (size_t slash = body.find('/'); slash != std::string::npos) {
    top = body.substr(0, slash);
    bottom = body.substr(slash + 1);
  }
  auto a = decimal(top), b = decimal(bottom);
  if (!a || !b || *b == 0)
    return std::nullopt;
  return (negative ? -1 : 1) * *a / *b;
}

bool isLetter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/// The first or the last letter A to J that stands alone.
std::optional<char> choiceIn(std::string_view text, bool last) {
  for (size_t k = 0; k < text.size(); ++k)
    if (size_t i = last ? text.size() - 1 - k : k; text[i] >= 'A' && text[i] <= 'J' &&
                                                   (i == 0 || !isLetter(text[i - 1])) &&
                                                   (i + 1 == text.size() || !isLetter(text[i + 1])))
      return text[i];
  return std::nullopt;
}

} // namespace

bool sameAnswer(std::string_view candidate, std::string_view expected) {
  std::string a = normalised(candidate), b = normalised(expected);
  if (a.empty() || b.empty())
    return false;
  if (a == b)
    return true;
  auto x = numberOf(a), y = numberOf(b);
  return x && y && std::fabs(*x - *y) <= 1e-9 * std::fmax(1, std::fabs(*y));
}

bool isCorrect(const Task &task, std::string_view content) {
  switch (task.checker) {
  case Checker::Boxed: {
    auto answer = lastBoxed(content);
    return answer && sameAnswer(*answer, task.answer);
  }
  case Checker::Choice: {
    // The first letter of the last boxed or "answer is", else the last letter that stands alone.
    std::optional<char> found = choiceIn(content, true), wanted = choiceIn(task.answer, true);
    for (const AnswerCandidate &c : findAnswers(content))
      if (auto letter = choiceIn(c.text, false); letter && c.kind != AnswerCandidate::Kind::Number)
        found = letter;
    return found && wanted && *found == *wanted;
  }
  case Checker::Exact: {
    auto trim = [](std::string_view s) {
      s.remove_prefix(std::min(s.find_first_not_of(" \t\r\n"), s.size()));
      return s.substr(0, s.find_last_not_of(" \t\r\n") + 1);
    };
    return trim(content) == trim(task.answer);
  }
  case Checker::Regex: {
    auto regex = text::Regex::compile(task.answer);
    if (!regex)
      return false; // readTasks() has refused such a pattern
    std::vector<text::Match> matches;
    (*regex)->findMatches(content, matches);
    for (const text::Match &match : matches)
      if (match.isMatch)
        return true;
    return false;
  }
  }
  return false;
}

} // namespace qrt
