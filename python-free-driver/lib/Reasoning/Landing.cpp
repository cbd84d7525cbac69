//===- Landing.cpp - Where a think block may be ended -----------------------------------------===//
#include "Reasoning/Landing.h"

namespace qrt {
namespace {

bool isSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

/// The last character is complete: count back to its first byte.
bool endsWithWholeCharacter(std::string_view text) {
  size_t follow = 0;
  while (follow < text.size() && follow < 4 &&
         (static_cast<unsigned char>(text[text.size() - 1 - follow]) & 0xC0) == 0x80)
    ++follow;
  if (follow == text.size())
    return follow == 0; // only continuation bytes: not a whole character
  auto first = static_cast<unsigned char>(text[text.size() - 1 - follow]);
  size_t wanted = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
  return follow >= wanted;
}

bool endsSentence(std::string_view text) {
  size_t last = text.find_last_not_of(" \"')]}*_`");
  if (last == std::string_view::npos)
    return false;
  text = text.substr(0, last + 1);
  for (std::string_view mark : {"\n", ".", "!", "?", "\u3002", "\uFF01", "\uFF1F", "\u2026"})
    if (text.ends_with(mark))
      return true;
  return false;
}

} // namespace

bool landsHere(std::string_view tail, std::string_view next, int64_t over, int64_t grace) {
  if (!endsWithWholeCharacter(tail))
    return false;
  if (over >= grace + 32)
    return true;
  const bool atGap = tail.empty() || isSpace(tail.back()) || next.empty() || isSpace(next.front());
  // "3" behind "2." goes on with a number; ideographs need no space behind their full stop.
  const bool wide = !tail.empty() && (static_cast<unsigned char>(tail.back()) & 0x80);
  if (endsSentence(tail) && (atGap || wide))
    return true;
  return over >= grace && atGap;
}

} // namespace qrt
