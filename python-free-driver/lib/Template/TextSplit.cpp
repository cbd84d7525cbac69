//===- TextSplit.cpp - Cutting and repeating strings ------------------------------------------===//
#include "Template/TextSplit.h"

#include "Template/Interpreter.h"
#include "Template/Unicode.h"

#include <algorithm>

namespace qrt::jinja {

using Pieces = std::vector<std::string_view>;

static Value toList(Interpreter &in, const Pieces &pieces, bool tuple = false) {
  Values items;
  in.budget.bytes(pieces.size() * (sizeof(Value) + 64));
  for (std::string_view piece : pieces)
    items.push_back(makeString(std::string(piece), in.budget));
  return tuple ? makeTuple(std::move(items), in.budget) : makeList(std::move(items), in.budget);
}

/// At runs of white space; the last piece of a limited split keeps what is behind.
static Pieces splitSpace(std::string_view text, int64_t limit) {
  Pieces pieces;
  text = stripLeft(text);
  while (!text.empty()) {
    if (limit >= 0 && int64_t(pieces.size()) == limit) {
      pieces.push_back(text);
      break;
    }
    size_t end = 0;
    while (end < text.size()) {
      size_t next = end;
      if (isSpace(nextCodePoint(text, next)))
        break;
      end = next;
    }
    pieces.push_back(text.substr(0, end));
    text = stripLeft(text.substr(end));
  }
  return pieces;
}

static Pieces rsplitSpace(std::string_view text, int64_t limit) {
  Pieces pieces;
  text = stripRight(text);
  while (!text.empty()) {
    if (limit >= 0 && int64_t(pieces.size()) == limit) {
      pieces.push_back(text);
      break;
    }
    size_t start = text.size();
    while (start > 0) {
      size_t before = start;
      if (isSpace(previousCodePoint(text, before)))
        break;
      start = before;
    }
    pieces.push_back(text.substr(start));
    text = stripRight(text.substr(0, start));
  }
  std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

static Pieces splitAt(std::string_view text, std::string_view separator, int64_t limit) {
  Pieces pieces;
  size_t from = 0;
  while (limit < 0 || int64_t(pieces.size()) < limit) {
    size_t hit = findText(text, separator, from);
    if (hit == text.npos)
      break;
    pieces.push_back(text.substr(from, hit - from));
    from = hit + separator.size();
  }
  pieces.push_back(text.substr(from));
  return pieces;
}

/// The last occurrence that ends at or before `end`. Looks at reversed copies, for linear time.
static Pieces rsplitAt(std::string_view text, std::string_view separator, int64_t limit) {
  std::string backText(text.rbegin(), text.rend());
  std::string backSeparator(separator.rbegin(), separator.rend());
  Pieces pieces;
  size_t end = text.size();
  while (limit < 0 || int64_t(pieces.size()) < limit) {
    size_t hit = findText(backText, backSeparator, text.size() - end);
    if (hit == text.npos)
      break;
    size_t stop = text.size() - hit; // behind the separator
    pieces.push_back(text.substr(stop, end - stop));
    end = stop - separator.size();
  }
  pieces.push_back(text.substr(0, end));
  std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

template <bool fromRight>
static Value split(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p(fromRight ? "rsplit" : "split", arguments, {"sep", "maxsplit"});
  int64_t limit = p.integer(1, -1);
  in.budget.step(self.text().size() / 16);
  // Before anything is made: there can be as many pieces as bytes.
  in.budget.bytes(self.text().size());
  if (p[0].isNone())
    return toList(in, fromRight ? rsplitSpace(self.text(), limit) : splitSpace(self.text(), limit));
  if (p.text(0).empty())
    fail("empty separator");
  return toList(in, fromRight ? rsplitAt(self.text(), p.text(0), limit)
                              : splitAt(self.text(), p.text(0), limit));
}
Value splitMethod(Interpreter &in, const Value &self, Arguments &arguments) {
  return split<false>(in, self, arguments);
}
Value rsplitMethod(Interpreter &in, const Value &self, Arguments &arguments) {
  return split<true>(in, self, arguments);
}

Pieces splitLines(std::string_view text, bool keepEnds) {
  Pieces lines;
  size_t start = 0;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    char32_t c = nextCodePoint(text, at);
    if (!isLineBreak(c))
      continue;
    if (c == '\r' && at < text.size() && text[at] == '\n')
      ++at;
    lines.push_back(text.substr(start, (keepEnds ? at : end) - start));
    start = at;
  }
  if (start < text.size())
    lines.push_back(text.substr(start));
  return lines;
}

Value splitLinesMethod(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("splitlines", arguments, {"keepends"});
  in.budget.step(self.text().size() / 16);
  return toList(in, splitLines(self.text(), p.truth(0, false)));
}

template <bool fromRight>
static Value partition(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p(fromRight ? "rpartition" : "partition", arguments, {"/sep"}, 1);
  if (p.text(0).empty())
    fail("empty separator");
  Pieces pieces =
      fromRight ? rsplitAt(self.text(), p.text(0), 1) : splitAt(self.text(), p.text(0), 1);
  if (pieces.size() == 1)
    pieces = fromRight ? Pieces{"", "", pieces[0]} : Pieces{pieces[0], "", ""};
  else
    pieces = {pieces[0], p.text(0), pieces[1]};
  return toList(in, pieces, true);
}
Value partitionMethod(Interpreter &in, const Value &self, Arguments &arguments) {
  return partition<false>(in, self, arguments);
}
Value rpartitionMethod(Interpreter &in, const Value &self, Arguments &arguments) {
  return partition<true>(in, self, arguments);
}

std::string replaceText(Budget &budget, const std::string &text, const std::string &old,
                        const std::string &with, int64_t count) {
  std::string result;
  auto grow = [&](std::string_view piece) {
    if (result.size() + piece.size() > maxStringBytes)
      budget.string(result.size() + piece.size());
    result += piece;
  };
  budget.step(text.size() / 64);
  size_t from = 0;
  if (old.empty()) { // between all characters, and at both ends
    while (count != 0) {
      grow(with);
      count -= count > 0;
      if (from >= text.size())
        return result;
      size_t next = from;
      nextCodePoint(text, next);
      grow(std::string_view(text).substr(from, next - from));
      from = next;
    }
    grow(std::string_view(text).substr(from));
    return result;
  }
  while (count != 0) {
    size_t hit = findText(text, old, from);
    if (hit == std::string::npos)
      break;
    budget.step();
    grow(std::string_view(text).substr(from, hit - from));
    grow(with);
    from = hit + old.size();
    count -= count > 0;
  }
  grow(std::string_view(text).substr(from));
  return result;
}

std::string repeatText(Budget &budget, std::string_view text, int64_t count) {
  std::string result;
  if (count <= 0 || text.empty())
    return result;
  uint64_t size = 0;
  if (__builtin_mul_overflow(uint64_t(count), uint64_t(text.size()), &size))
    size = UINT64_MAX;
  budget.string(std::min<uint64_t>(size, maxStringBytes + 1));
  for (int64_t i = 0; i < count; ++i)
    result += text;
  return result;
}

bool isUpperText(std::string_view text) {
  bool cased = false;
  for (size_t at = 0; at < text.size();) {
    char32_t c = nextCodePoint(text, at);
    if (isCased(c) && !isUpperCase(c))
      return false;
    cased |= isUpperCase(c);
  }
  return cased;
}
bool isLowerText(std::string_view text) {
  bool cased = false;
  for (size_t at = 0; at < text.size();) {
    char32_t c = nextCodePoint(text, at);
    if (isCased(c) && !isLowerCase(c))
      return false;
    cased |= isLowerCase(c);
  }
  return cased;
}

} // namespace qrt::jinja
