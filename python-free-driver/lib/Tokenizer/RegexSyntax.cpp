//===- RegexSyntax.cpp - Ruby regular expressions as PCRE2 ones -------------------------------===//
#include "Tokenizer/RegexSyntax.h"

#include "Tokenizer/RegexTranslator.h"

namespace qrt::text {

static constexpr int maxDepth = 60;
static constexpr size_t maxPattern = 64 * 1024;

Result<std::string> translateRegex(std::string_view pattern) {
  if (pattern.size() > maxPattern)
    return unsupported("regular expression longer than 64 KiB");
  RegexTranslator translator(pattern);
  return translator.run();
}

Status RegexTranslator::malformed(size_t at, const std::string &what) const {
  return invalidModel("regular expression, byte " + std::to_string(at) + ": " + what);
}

Status RegexTranslator::notSupported(size_t from) const {
  size_t end = std::max(pos, from + 1);
  while (end < in.size() && (static_cast<unsigned char>(in[end]) & 0xC0) == 0x80)
    ++end;
  return unsupported("regular expression, byte " + std::to_string(from) + ": '" +
                     std::string(in.substr(from, end - from)) + "' is not supported");
}

Result<std::string> RegexTranslator::run() {
  QRT_RETURN_IF_ERROR(alternatives(0));
  if (!atEnd())
    return malformed(pos, "unmatched ')'");
  return std::move(out);
}

/// Up to the end of the enclosing group, whose ')' stays unread.
Status RegexTranslator::alternatives(int depth) {
  if (depth > maxDepth)
    return malformed(pos, "groups nest too deeply");
  while (!atEnd() && peek() != ')') {
    size_t atom = out.size();
    bool quantifiable = true;
    QRT_RETURN_IF_ERROR(element(depth, quantifiable));
    QRT_RETURN_IF_ERROR(quantifiers(atom, quantifiable));
  }
  return Status::ok();
}

Status RegexTranslator::element(int depth, bool &quantifiable) {
  char c = peek();
  switch (c) {
  case '(':
    return group(depth, quantifiable);
  case '[': {
    ++pos;
    QRT_ASSIGN_OR_RETURN(std::string set, characterClass(depth));
    out += set;
    return Status::ok();
  }
  case '\\':
    return escape(quantifiable);
  case '|':
  case '^':
  case '$':
    quantifiable = false;
    [[fallthrough]];
  case '.':
    out.push_back(c);
    ++pos;
    return Status::ok();
  case '*':
  case '+':
  case '?':
    return malformed(pos, "nothing to repeat");
  default:
    appendLiteral(literalChar());
    return Status::ok();
  }
}

/// `{n,m}` at `pos`, or nothing. "" as PCRE2 text means: not an interval.
std::string RegexTranslator::interval() {
  size_t at = pos + 1;
  auto number = [&] {
    std::string digits;
    while (at < in.size() && in[at] >= '0' && in[at] <= '9')
      digits.push_back(in[at++]);
    return digits;
  };
  std::string low = number(), high;
  bool comma = at < in.size() && in[at] == ',';
  if (comma) {
    ++at;
    high = number();
  }
  if (at >= in.size() || in[at] != '}' || (low.empty() && high.empty()))
    return "";
  pos = at + 1;
  return "{" + (low.empty() ? "0" : low) + (comma ? "," : "") + high + "}";
}

Status RegexTranslator::quantifiers(size_t atom, bool quantifiable) {
  for (bool first = true;; first = false) {
    if (atEnd())
      return Status::ok();
    char c = peek();
    size_t from = pos;
    std::string quantifier;
    bool isInterval = c == '{';
    if (c == '*' || c == '+' || c == '?') {
      quantifier = c;
      ++pos;
    } else if (isInterval) {
      quantifier = interval();
    }
    if (quantifier.empty())
      return Status::ok();
    if (!quantifiable)
      return malformed(from, "nothing to repeat");
    bool exact = isInterval && quantifier.find(',') == std::string::npos;
    // Behind an interval '+' is a repetition of its own, as is '?' behind an exact one.
    if (!atEnd() && ((peek() == '?' && !exact) || (peek() == '+' && !isInterval)))
      quantifier.push_back(in[pos++]);
    if (!first) {
      out.insert(atom, "(?:");
      out.push_back(')');
    }
    out += quantifier;
  }
}

Status RegexTranslator::group(int depth, bool &quantifiable) {
  size_t from = pos++;
  if (!atEnd() && peek() == '*')
    return notSupported(from);
  if (atEnd() || peek() != '?') {
    out += "(";
    return groupBody(depth, from);
  }
  ++pos;
  for (const char *kind : {":", "=", "!", ">", "<=", "<!"})
    if (in.substr(pos).starts_with(kind)) {
      pos += std::string_view(kind).size();
      out.append("(?").append(kind);
      return groupBody(depth, from);
    }
  if (!atEnd() && peek() == '#') {
    size_t end = in.find(')', pos);
    if (end == std::string_view::npos)
      return malformed(from, "comment without ')'");
    pos = end + 1;
    quantifiable = false;
    return Status::ok();
  }
  return options(depth, from);
}

Status RegexTranslator::groupBody(int depth, size_t from) {
  QRT_RETURN_IF_ERROR(alternatives(depth + 1));
  if (atEnd())
    return malformed(from, "group without ')'");
  ++pos;
  out.push_back(')');
  return Status::ok();
}

/// `(?im-x:...)` and `(?i)`; the latter reaches to the end of the enclosing group, alternatives
/// included.
Status RegexTranslator::options(int depth, size_t from) {
  std::string flags = "(?";
  for (; !atEnd() && peek() != ':' && peek() != ')'; ++pos) {
    char c = peek();
    if (c != 'i' && c != 'm' && c != '-') {
      ++pos;
      return notSupported(from);
    }
    flags.push_back(c == 'm' ? 's' : c); // Ruby's multiline lets the dot match a line feed
  }
  if (atEnd())
    return malformed(from, "group without ')'");
  out += flags + ":";
  if (in[pos++] == ':')
    return groupBody(depth, from);
  QRT_RETURN_IF_ERROR(alternatives(depth + 1));
  out.push_back(')');
  return Status::ok();
}

} // namespace qrt::text
