//===- Pattern.cpp - What a text is split at --------------------------------------------------===//
#include "Tokenizer/Pattern.h"

#include "Tokenizer/Unicode.h"

#include <algorithm>

namespace qrt::text {

Result<Pattern> Pattern::fromJson(const JsonFields &fields, const char *key) {
  QRT_ASSIGN_OR_RETURN(JsonFields::Pattern pattern, fields.pattern(key));
  if (!pattern.isRegex && !pattern.text.empty())
    return literal(std::move(pattern.text));
  auto compiled = regex(pattern.text); // the empty literal matches between characters, as "" does
  if (!compiled)
    return compiled.status().withContext(fields.place());
  return compiled;
}

Result<Pattern> Pattern::regex(std::string_view expression) {
  Pattern pattern;
  QRT_ASSIGN_OR_RETURN(pattern.expression, Regex::compile(expression));
  return pattern;
}

Pattern Pattern::literal(std::string text) {
  Pattern pattern;
  pattern.text = std::move(text);
  return pattern;
}

Pattern Pattern::characters(CharClass belongs) {
  Pattern pattern;
  pattern.charClass = belongs;
  return pattern;
}

void Pattern::findMatches(std::string_view valid, std::vector<Match> &out) const {
  if (expression)
    return expression->findMatches(valid, out);
  if (valid.empty()) {
    out.push_back({0, 0, false});
    return;
  }
  size_t previous = 0;
  auto add = [&](size_t begin, size_t end) {
    if (previous != begin)
      out.push_back({previous, begin, false});
    out.push_back({begin, end, true});
    previous = end;
  };
  if (charClass) {
    for (size_t pos = 0; pos < valid.size();) {
      size_t begin = pos;
      if (charClass(nextChar(valid, pos)))
        add(begin, pos);
    }
  } else {
    for (size_t at = 0; (at = valid.find(text, at)) != std::string_view::npos; at += text.size())
      add(at, at + text.size());
  }
  if (previous != valid.size())
    out.push_back({previous, valid.size(), false});
}

std::string Pattern::replaceAll(std::string_view valid, std::string_view replacement) const {
  std::vector<Match> stretches;
  findMatches(valid, stretches);
  std::string out;
  out.reserve(valid.size());
  for (const Match &stretch : stretches)
    out.append(stretch.isMatch ? replacement
                               : valid.substr(stretch.begin, stretch.end - stretch.begin));
  return out;
}

Result<SplitBehavior> splitBehavior(const JsonFields &fields, const char *key,
                                    std::optional<std::string> otherwise) {
  QRT_ASSIGN_OR_RETURN(std::string name, fields.string(key, std::move(otherwise)));
  static constexpr std::pair<const char *, SplitBehavior> names[] = {
      {"Removed", SplitBehavior::Removed},
      {"Isolated", SplitBehavior::Isolated},
      {"MergedWithPrevious", SplitBehavior::MergedWithPrevious},
      {"MergedWithNext", SplitBehavior::MergedWithNext},
      {"Contiguous", SplitBehavior::Contiguous}};
  for (const auto &[known, behavior] : names)
    if (name == known)
      return behavior;
  return fields.notSupported(std::string(key) + " '" + name + "' is not known");
}

static void removeMatches(std::vector<Match> &stretches) {
  std::erase_if(stretches, [](const Match &s) { return s.isMatch; });
}

static void joinRuns(std::vector<Match> &stretches) {
  std::vector<Match> joined;
  bool previous = false;
  for (const Match &s : stretches) {
    if (s.isMatch == previous && !joined.empty())
      joined.back().end = s.end;
    else
      joined.push_back({s.begin, s.end, false});
    previous = s.isMatch;
  }
  stretches = std::move(joined);
}

/// Joins each match to the stretch before it, unless that is a match too.
static void joinToPrevious(std::vector<Match> &stretches) {
  std::vector<Match> joined;
  bool previous = false;
  for (const Match &s : stretches) {
    if (s.isMatch && !previous && !joined.empty())
      joined.back().end = s.end;
    else
      joined.push_back({s.begin, s.end, false});
    previous = s.isMatch;
  }
  stretches = std::move(joined);
}

static void joinToNext(std::vector<Match> &stretches) {
  std::vector<Match> joined;
  bool previous = false;
  for (auto s = stretches.rbegin(); s != stretches.rend(); ++s) {
    if (s->isMatch && !previous && !joined.empty())
      joined.back().begin = s->begin;
    else
      joined.push_back({s->begin, s->end, false});
    previous = s->isMatch;
  }
  std::reverse(joined.begin(), joined.end());
  stretches = std::move(joined);
}

void applyBehavior(std::vector<Match> &stretches, SplitBehavior behavior) {
  switch (behavior) {
  case SplitBehavior::Removed:
    return removeMatches(stretches);
  case SplitBehavior::Isolated:
    return; // every stretch is a piece
  case SplitBehavior::MergedWithPrevious:
    return joinToPrevious(stretches);
  case SplitBehavior::MergedWithNext:
    return joinToNext(stretches);
  case SplitBehavior::Contiguous:
    return joinRuns(stretches);
  }
}

} // namespace qrt::text
