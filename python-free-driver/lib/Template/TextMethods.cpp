//===- TextMethods.cpp - Methods of str: case, strip, search, classes -------------------------===//
#include "Template/Functions.h"
#include "Template/Interpreter.h"
#include "Template/TextSplit.h"
#include "Template/Unicode.h"

#include <algorithm>
#include <array>

namespace qrt::jinja {

static Value same(Interpreter &in, const Value &self, std::string text) {
  return makeString(std::move(text), in.budget, self.isMarkup());
}

template <auto change>
static Value changed(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("method of str", arguments, {});
  return same(in, self, change(self.text()));
}

template <bool left, bool right>
static Value strip(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("strip", arguments, {"/chars"});
  std::string_view text = self.text();
  if (p[0].isNone()) {
    text = left ? stripLeft(text) : text;
    text = right ? stripRight(text) : text;
  } else {
    in.budget.step(p.text(0).size());
    text = left ? stripLeft(text, p.text(0)) : text;
    text = right ? stripRight(text, p.text(0)) : text;
  }
  return same(in, self, std::string(text));
}

/// The part of a text that optional start and end (arguments first, first + 1) select, in bytes.
static std::optional<std::pair<size_t, size_t>> range(Interpreter &in, const std::string &text,
                                                      const Parameters &p, size_t first) {
  in.budget.step(text.size() / 64);
  int64_t length = int64_t(codePointCount(text));
  auto index = [&](size_t i, int64_t otherwise) {
    if (p[i].isNone())
      return otherwise;
    int64_t at = p.integer(i, otherwise);
    return at < 0 ? std::max<int64_t>(at + length, 0) : at;
  };
  int64_t from = index(first, 0), to = std::min(index(first + 1, length), length);
  if (from > to)
    return std::nullopt;
  return std::pair(byteOffset(text, size_t(from)), byteOffset(text, size_t(to)));
}

template <bool atStart>
static Value startsOrEnds(Interpreter &in, const Value &self, Arguments &arguments) {
  const char *name = atStart ? "startswith" : "endswith";
  Parameters p(name, arguments, {"/prefix", "/start", "/end"}, 1);
  Values options = p[0].is(Kind::Tuple) ? p[0].items() : Values{p[0]};
  auto part = range(in, self.text(), p, 1);
  for (const Value &option : options) {
    in.budget.step();
    if (option.isUndefined())
      fail(option.undefinedMessage());
    if (!option.isString())
      fail(std::string(name) + " first arg must be str or a tuple of str, not " + typeName(option));
    if (!part)
      continue;
    std::string_view text =
        std::string_view(self.text()).substr(part->first, part->second - part->first);
    if (atStart ? text.starts_with(option.text()) : text.ends_with(option.text()))
      return Value::boolean(true);
  }
  return Value::boolean(false);
}

enum class Search { Find, RFind, Index, RIndex, Count };

template <Search what>
static Value search(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("find", arguments, {"/sub", "/start", "/end"}, 1);
  const std::string &needle = p.text(0);
  auto part = range(in, self.text(), p, 1);
  std::string_view text =
      part ? std::string_view(self.text()).substr(part->first, part->second - part->first) : "";
  if constexpr (what == Search::Count) {
    if (!part)
      return Value::integer(0);
    if (needle.empty())
      return Value::integer(int64_t(codePointCount(text)) + 1);
    int64_t count = 0;
    for (size_t at = 0; (at = findText(text, needle, at)) != text.npos; at += needle.size())
      ++count;
    return Value::integer(count);
  }
  size_t at = text.npos;
  if (part) {
    if constexpr (what == Search::Find || what == Search::Index) {
      at = findText(text, needle);
    } else if (needle.empty()) {
      at = text.size();
    } else {
      for (size_t next = 0; (next = findText(text, needle, next)) != text.npos; ++next) {
        at = next;
        in.budget.step();
      }
    }
  }
  if (at == text.npos) {
    if constexpr (what == Search::Index || what == Search::RIndex)
      fail("substring not found");
    return Value::integer(-1);
  }
  return Value::integer(
      int64_t(codePointCount(std::string_view(self.text()).substr(0, part->first + at))));
}

static Value replace(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("replace", arguments, {"/old", "/new", "/count"}, 2);
  return same(in, self,
              replaceText(in.budget, self.text(), p.text(0), p.text(1), p.integer(2, -1)));
}

template <bool prefix>
static Value removeEnd(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("removeprefix", arguments, {"/prefix"}, 1);
  std::string_view text = self.text();
  if (prefix && text.starts_with(p.text(0)))
    text.remove_prefix(p.text(0).size());
  else if (!prefix && text.ends_with(p.text(0)))
    text.remove_suffix(p.text(0).size());
  return same(in, self, std::string(text));
}

template <bool (*accept)(char32_t)>
static Value all(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("method of str", arguments, {});
  const std::string &text = self.text();
  in.budget.step(text.size() / 16);
  for (size_t at = 0; at < text.size();)
    if (!accept(nextCodePoint(text, at)))
      return Value::boolean(false);
  return Value::boolean(!text.empty());
}
static bool isAlphaNumeric(char32_t c) {
  return isAlpha(c) || isDecimal(c) || isDigit(c) || isNumeric(c);
}

static Value isAscii(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("isascii", arguments, {});
  const std::string &text = self.text();
  return Value::boolean(std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; }));
}
static Value allPrintable(Interpreter &in, const Value &self, Arguments &arguments) {
  return Value::boolean(self.text().empty() || all<isPrintable>(in, self, arguments).asBool());
}
template <bool upper>
static Value isCase(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("islower", arguments, {});
  return Value::boolean(upper ? isUpperText(self.text()) : isLowerText(self.text()));
}
static Value isTitle(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("istitle", arguments, {});
  const std::string &text = self.text();
  bool cased = false, inWord = false;
  for (size_t at = 0; at < text.size();) {
    char32_t c = nextCodePoint(text, at);
    bool upper = isCased(c) && !isLowerCase(c);
    if ((upper && inWord) || (isLowerCase(c) && !inWord))
      return Value::boolean(false);
    inWord = isCased(c);
    cased |= inWord;
  }
  return Value::boolean(cased);
}

enum class Side { Left, Right, Both };
template <Side side>
static Value justify(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("ljust", arguments, {"/width", "/fillchar"}, 1);
  std::string fill = p.has(1) ? p.text(1) : " ";
  if (codePointCount(fill) != 1)
    fail("the fill character must be exactly one character long");
  int64_t length = lengthOf(self), missing = p.integer(0, 0) - length;
  if (missing <= 0)
    return self;
  if (uint64_t(missing) > maxStringBytes)
    in.budget.string(uint64_t(missing));
  int64_t left = 0;
  if (side == Side::Right)
    left = missing;
  else if (side == Side::Both)
    left = missing / 2 + (missing & (missing + length) & 1);
  return same(in, self,
              repeatText(in.budget, fill, left) + self.text() +
                  repeatText(in.budget, fill, missing - left));
}

static Value zeroFill(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("zfill", arguments, {"/width"}, 1);
  int64_t missing = p.integer(0, 0) - lengthOf(self);
  if (missing <= 0)
    return self;
  std::string text = self.text();
  size_t sign = text.starts_with('-') || text.starts_with('+');
  return same(in, self, text.insert(sign, repeatText(in.budget, "0", missing)));
}

static Value expandTabs(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("expandtabs", arguments, {"tabsize"});
  int64_t size = p.integer(0, 8), column = 0;
  std::string result;
  for (char c : self.text()) {
    if (c == '\t') {
      int64_t width = size > 0 ? size - column % size : 0;
      result += repeatText(in.budget, " ", width);
      if (result.size() > maxStringBytes)
        in.budget.string(result.size());
      column += width;
      continue;
    }
    result += c;
    column = c == '\n' || c == '\r' ? 0 : column + ((c & 0xC0) != 0x80);
  }
  return same(in, self, std::move(result));
}

static Value join(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("join", arguments, {"/iterable"}, 1);
  std::string result;
  int64_t index = 0;
  for (const Value &item : iterate(p[0], in.budget)) {
    if (!item.isString())
      fail("sequence item " + std::to_string(index) + ": expected str instance, " + typeName(item) +
           " found");
    if (index++)
      result += self.text();
    result += item.text();
    if (result.size() > maxStringBytes)
      in.budget.string(result.size());
  }
  return same(in, self, std::move(result));
}

static Value format(Interpreter &in, const Value &self, Arguments &arguments) {
  return same(in, self, formatText(in, self.text(), arguments));
}
static Value formatMap(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("format_map", arguments, {"/mapping"}, 1);
  if (!p[0].is(Kind::Dict))
    fail("format_map() needs a dict");
  Arguments named;
  for (const auto &[key, value] : p[0].dict().entries)
    if (key.isString())
      named.keyword.emplace_back(key.text(), value);
  return same(in, self, formatText(in, self.text(), named));
}

Function findTextMethod(std::string_view name) {
  static constexpr std::pair<std::string_view, Function> table[] = {
      {"capitalize", changed<capitalize>},
      {"casefold", changed<lowerCase>},
      {"center", justify<Side::Both>},
      {"count", search<Search::Count>},
      {"endswith", startsOrEnds<false>},
      {"expandtabs", expandTabs},
      {"find", search<Search::Find>},
      {"format", format},
      {"format_map", formatMap},
      {"index", search<Search::Index>},
      {"isalnum", all<isAlphaNumeric>},
      {"isalpha", all<isAlpha>},
      {"isascii", isAscii},
      {"isdecimal", all<isDecimal>},
      {"isdigit", all<isDigit>},
      {"islower", isCase<false>},
      {"isnumeric", all<isNumeric>},
      {"isprintable", allPrintable},
      {"isspace", all<isSpace>},
      {"istitle", isTitle},
      {"isupper", isCase<true>},
      {"join", join},
      {"ljust", justify<Side::Left>},
      {"lower", changed<lowerCase>},
      {"lstrip", strip<true, false>},
      {"partition", partitionMethod},
      {"removeprefix", removeEnd<true>},
      {"removesuffix", removeEnd<false>},
      {"replace", replace},
      {"rfind", search<Search::RFind>},
      {"rindex", search<Search::RIndex>},
      {"rjust", justify<Side::Right>},
      {"rpartition", rpartitionMethod},
      {"rsplit", rsplitMethod},
      {"rstrip", strip<false, true>},
      {"split", splitMethod},
      {"splitlines", splitLinesMethod},
      {"startswith", startsOrEnds<true>},
      {"strip", strip<true, true>},
      {"swapcase", changed<swapCase>},
      {"title", changed<titleCase>},
      {"upper", changed<upperCase>},
      {"zfill", zeroFill},
  };
  for (const auto &[entry, function] : table)
    if (entry == name)
      return function;
  return nullptr;
}

} // namespace qrt::jinja
