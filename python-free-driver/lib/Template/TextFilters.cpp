//===- TextFilters.cpp - Filters that make text -----------------------------------------------===//
#include "Template/Interpreter.h"
#include "Template/TextSplit.h"
#include "Template/Unicode.h"

#include <algorithm>
#include <cstdio>

namespace qrt::jinja {

/// Filters stringify their input; text marked safe stays so.
static Value keep(Interpreter &in, const Value &input, std::string text) {
  return makeString(std::move(text), in.budget, input.isMarkup());
}

template <auto change>
static Value changed(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("filter", arguments, {});
  return keep(in, input, change(toText(input, in.budget)));
}

/// Words start behind white space and -({[<, unlike those of str.title.
static std::string titleWords(std::string_view text) {
  std::string result, word;
  auto flush = [&] {
    if (word.empty())
      return;
    size_t first = 0;
    nextCodePoint(word, first);
    result += upperCase(word.substr(0, first)) + lowerCase(word.substr(first));
    word.clear();
  };
  for (size_t at = 0; at < text.size();) {
    size_t start = at;
    char32_t c = nextCodePoint(text, at);
    std::string_view piece = text.substr(start, at - start);
    if (isSpace(c) ||
        std::string_view("-({[<").find(char(c < 128 ? c : 0)) != std::string_view::npos) {
      flush();
      result += piece;
    } else {
      word += piece;
    }
  }
  flush();
  return result;
}

std::string escapeHtml(std::string_view text) {
  std::string result;
  for (char c : text) {
    switch (c) {
    case '&':
      result += "&amp;";
      break;
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '"':
      result += "&#34;";
      break;
    case '\'':
      result += "&#39;";
      break;
    default:
      result += c;
    }
  }
  return result;
}

template <bool force>
static Value escape(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("escape", arguments, {});
  if (!force && input.isMarkup())
    return input;
  return makeString(escapeHtml(toText(input, in.budget)), in.budget, true);
}
static Value safe(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("safe", arguments, {});
  return makeString(toText(input, in.budget), in.budget, true);
}
static Value string(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("string", arguments, {});
  return input.isString() ? input : in.text(toText(input, in.budget));
}

static Value trim(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("trim", arguments, {"chars"});
  std::string text = toText(input, in.budget);
  std::string_view result = p[0].isNone() ? stripRight(stripLeft(text))
                                          : stripRight(stripLeft(text, p.text(0)), p.text(0));
  return keep(in, input, std::string(result));
}

static Value replace(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("replace", arguments, {"old", "new", "count"}, 2);
  int64_t count = p[2].isNone() ? -1 : p.integer(2, -1);
  return in.text(replaceText(in.budget, toText(input, in.budget), toText(p[0], in.budget),
                             toText(p[1], in.budget), count));
}

static Value join(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("join", arguments, {"d", "attribute"});
  std::string glue = p.has(0) ? toText(p[0], in.budget) : "";
  AttributePath path(p[1]);
  std::string result;
  bool first = true;
  for (const Value &item : iterate(input, in.budget)) {
    if (!std::exchange(first, false))
      result += glue;
    result += toText(path.of(in, item), in.budget);
    if (result.size() > maxStringBytes)
      in.budget.string(result.size());
  }
  return in.text(std::move(result));
}

static Value indent(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("indent", arguments, {"width", "first", "blank"});
  if (input.isUndefined())
    fail(input.undefinedMessage());
  if (!input.isString())
    fail(std::string("indent() needs a str, not ") + typeName(input));
  std::string margin = p[0].isString() ? p[0].text() : repeatText(in.budget, " ", p.integer(0, 4));
  std::string source = input.text() + "\n";
  std::string result = p.truth(1, false) ? margin : "";
  bool blank = p.truth(2, false), firstLine = true;
  for (std::string_view line : splitLines(source)) {
    if (!std::exchange(firstLine, false)) {
      result += '\n';
      if (blank || !line.empty())
        result += margin;
    }
    result += line;
    if (result.size() > maxStringBytes)
      in.budget.string(result.size());
  }
  return keep(in, input, std::move(result));
}

static Value toJsonFilter(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("tojson", arguments, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ensureAscii = p.truth(0, false);
  style.sortKeys = p.truth(3, false);
  if (!p[1].isNone()) {
    style.pretty = true;
    style.itemSeparator = ",";
    style.indent = p[1].isString() ? p[1].text() : repeatText(in.budget, " ", p.integer(1, 0));
  }
  if (!p[2].isNone()) {
    Values parts = iterate(p[2], in.budget);
    if (parts.size() != 2 || !parts[0].isString() || !parts[1].isString())
      fail("tojson(): separators must be two strings");
    style.itemSeparator = parts[0].text();
    style.keySeparator = parts[1].text();
  }
  return in.text(toJson(input, style, in.budget));
}

static Value format(Interpreter &in, const Value &input, Arguments &arguments) {
  if (!arguments.positional.empty() && !arguments.keyword.empty())
    fail("format(): can't handle positional and keyword arguments at the same time");
  std::string text = toText(input, in.budget);
  if (arguments.keyword.empty())
    return keep(in, input, percentFormat(in, text, makeTuple(arguments.positional, in.budget)));
  auto dict = std::make_shared<DictObject>();
  for (const auto &[name, value] : arguments.keyword)
    dict->set(in.text(name), value, in.budget);
  return keep(in, input, percentFormat(in, text, Value::dict(std::move(dict))));
}

static Value center(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("center", arguments, {"width"});
  Arguments width;
  width.positional.push_back(p.has(0) ? p[0] : Value::integer(80));
  return findTextMethod("center")(in, keep(in, input, toText(input, in.budget)), width);
}

static Value truncate(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("truncate", arguments, {"length", "killwords", "end", "leeway"});
  if (!input.isString())
    fail(std::string("truncate() needs a str, not ") + typeName(input));
  std::string end = p.has(2) ? p.text(2) : "...";
  int64_t length = p.integer(0, 255), leeway = p[3].isNone() ? 5 : p.integer(3, 5);
  int64_t endLength = int64_t(codePointCount(end));
  if (length < endLength || leeway < 0)
    fail("truncate(): length or leeway is too small");
  if (lengthOf(input) - leeway <= length)
    return input;
  std::string text = input.text().substr(0, byteOffset(input.text(), size_t(length - endLength)));
  if (!p.truth(1, false))
    text = text.substr(0, text.rfind(' '));
  return keep(in, input, text + end);
}

static Value wordCount(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("wordcount", arguments, {});
  std::string text = toText(input, in.budget);
  int64_t count = 0;
  bool inWord = false;
  for (size_t at = 0; at < text.size();) {
    char32_t c = nextCodePoint(text, at);
    bool word = c == '_' || isAlpha(c) || isNumeric(c);
    count += word && !inWord;
    inWord = word;
  }
  return Value::integer(count);
}

static std::string quoteUrl(std::string_view text, bool query) {
  std::string result;
  char hex[4];
  for (unsigned char c : text) {
    if (std::isalnum(c) || std::string_view("_.-~").find(char(c)) != std::string_view::npos ||
        (c == '/' && !query)) {
      result += char(c);
    } else if (c == ' ' && query) {
      result += '+';
    } else {
      std::snprintf(hex, sizeof hex, "%%%02X", c);
      result += hex;
    }
  }
  return result;
}

static Value urlEncode(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("urlencode", arguments, {});
  if (input.isString() || !isIterable(input))
    return in.text(quoteUrl(toText(input, in.budget), false));
  Values pairs;
  if (input.is(Kind::Dict)) {
    for (const auto &[key, value] : input.dict().entries)
      pairs.push_back(makeTuple({key, value}, in.budget));
  } else {
    pairs = iterate(input, in.budget);
  }
  std::string result;
  for (const Value &item : pairs) {
    Values parts = iterate(item, in.budget);
    if (parts.size() != 2)
      fail("urlencode(): expected pairs");
    if (!result.empty())
      result += '&';
    result += quoteUrl(toText(parts[0], in.budget), true) + "=" +
              quoteUrl(toText(parts[1], in.budget), true);
  }
  return in.text(std::move(result));
}

Function findTextFilter(std::string_view name) {
  static constexpr std::pair<std::string_view, Function> table[] = {
      {"capitalize", changed<capitalize>},
      {"center", center},
      {"e", escape<false>},
      {"escape", escape<false>},
      {"forceescape", escape<true>},
      {"format", format},
      {"indent", indent},
      {"join", join},
      {"lower", changed<lowerCase>},
      {"replace", replace},
      {"safe", safe},
      {"string", string},
      {"title", changed<titleWords>},
      {"tojson", toJsonFilter},
      {"trim", trim},
      {"truncate", truncate},
      {"upper", changed<upperCase>},
      {"urlencode", urlEncode},
      {"wordcount", wordCount},
  };
  for (const auto &[entry, function] : table)
    if (entry == name)
      return function;
  return nullptr;
}

} // namespace qrt::jinja
