//===- RegexClasses.cpp - Escapes and character classes of the translator ---------------------===//
#include "Tokenizer/RegexSyntax.h"
#include "Tokenizer/RegexTranslator.h"
#include "Tokenizer/Unicode.h"

#include <cctype>
#include <cstdio>

namespace qrt::text {

static constexpr int maxDepth = 60;

static std::string hexLiteral(char32_t c) {
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, "\\x{%X}", unsigned(c));
  return buffer;
}

static std::string literal(char32_t c) {
  if (c >= 0x80 || (c < 0x80 && std::isalnum(int(c)))) {
    std::string text;
    appendUtf8(text, c);
    return text;
  }
  return hexLiteral(c);
}

char32_t RegexTranslator::literalChar() { return nextChar(in, pos); }

void RegexTranslator::appendLiteral(char32_t c) { out += literal(c); }

std::string RegexTranslator::CharSet::render(bool negated) const {
  if (others.empty() && !items.empty())
    return (negated ? "[^" : "[") + items + "]";
  std::string any;
  for (const std::string &other : others)
    any += (any.empty() ? "" : "|") + other;
  if (!items.empty())
    any = "[" + items + "]|" + any;
  if (any.empty())
    any = "(?!)";
  return negated ? "(?:(?!" + any + ")(?s:.))" : "(?:" + any + ")";
}

Result<char32_t> RegexTranslator::escapedChar() {
  size_t from = pos - 1; // the backslash
  if (atEnd())
    return malformed(from, "ends with a backslash");
  unsigned char c = static_cast<unsigned char>(peek());
  if (c >= 0x80 || !std::isalnum(c))
    return literalChar();
  ++pos;
  static constexpr std::pair<char, char> simple[] = {{'t', '\t'},  {'n', '\n'},   {'r', '\r'},
                                                     {'f', '\f'},  {'a', '\x07'}, {'v', '\x0B'},
                                                     {'e', '\x1B'}};
  for (auto [name, value] : simple)
    if (c == name)
      return char32_t(value);
  if (c != 'x' && c != 'u')
    return notSupported(from);
  bool braces = c == 'x' && !atEnd() && peek() == '{';
  size_t maxDigits = c == 'u' ? 4 : braces ? 8 : 2, digits = 0;
  pos += braces;
  char32_t value = 0;
  for (; digits < maxDigits && !atEnd() && std::isxdigit(static_cast<unsigned char>(peek()));
       ++digits, ++pos)
    value = value * 16 + char32_t(std::isdigit(static_cast<unsigned char>(peek()))
                                      ? peek() - '0'
                                      : (peek() | 0x20) - 'a' + 10);
  if (digits == 0 || (c == 'u' && digits != 4) || (braces && (atEnd() || in[pos++] != '}')))
    return malformed(from, "malformed character escape");
  if (!braces && c == 'x' && value >= 0x80)
    return notSupported(from); // a byte of a character
  if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
    return malformed(from, "no such character");
  return value;
}

Result<bool> RegexTranslator::classEscape(CharSet &set) {
  size_t from = pos - 1;
  if (atEnd())
    return false;
  switch (peek()) {
  case 's':
    set.items += whitespaceClass;
    break;
  case 'S':
    set.items += notWhitespaceClass;
    break;
  case 'd':
    set.items += "\\p{Nd}";
    break;
  case 'D':
    set.items += "\\P{Nd}";
    break;
  case 'h':
    set.items += *translateProperty("xdigit", false);
    break;
  case 'H':
    set.items += *translateProperty("xdigit", true);
    break;
  case 'w':
    set.items += wordClass;
    break;
  case 'W':
    set.others.push_back(std::string("[^") + wordClass + "]");
    break;
  case 'p':
  case 'P': {
    bool negated = in[pos++] == 'P';
    size_t end = in.find('}', pos);
    if (atEnd() || peek() != '{' || end == std::string_view::npos)
      return malformed(from, "malformed property");
    std::string_view name = in.substr(pos + 1, end - pos - 1);
    pos = end + 1;
    if (auto content = translateProperty(name, negated)) {
      set.items += *content;
    } else {
      bool inverse = name.starts_with('^');
      auto positive = translateProperty(name.substr(inverse ? 1 : 0), false);
      if (!positive)
        return notSupported(from);
      set.others.push_back((negated != inverse ? "[^" : "[") + *positive + "]");
    }
    return true;
  }
  default:
    return false;
  }
  ++pos;
  return true;
}

Status RegexTranslator::escape(bool &quantifiable) {
  size_t from = pos++;
  CharSet set;
  QRT_ASSIGN_OR_RETURN(bool isClass, classEscape(set));
  if (isClass) {
    out += set.render(false);
    return Status::ok();
  }
  char c = atEnd() ? '\0' : peek();
  const std::string word = std::string("[") + wordClass + "]";
  switch (c) {
  case 'A':
  case 'z':
  case 'Z':
  case 'b':
  case 'B': {
    ++pos;
    quantifiable = false;
    bool inverse = c == 'B';
    if (c != 'b' && c != 'B')
      out.append("\\").push_back(c);
    else
      out += "(?:(?<=" + word + ")(?" + (inverse ? "=" : "!") + word + ")|(?<!" + word + ")(?" +
             (inverse ? "!" : "=") + word + "))";
    return Status::ok();
  }
  case 'R':
  case 'X':
    ++pos;
    out.append("\\").push_back(c);
    return Status::ok();
  default:
    break;
  }
  if (c >= '1' && c <= '9') {
    ++pos;
    if (!atEnd() && std::isdigit(static_cast<unsigned char>(peek())))
      return notSupported(from);
    out += std::string("(?:\\") + c + ")"; // a digit behind it stays a literal
    return Status::ok();
  }
  QRT_ASSIGN_OR_RETURN(char32_t value, escapedChar());
  appendLiteral(value);
  return Status::ok();
}

Status RegexTranslator::posixBracket(CharSet &set) {
  size_t from = pos, end = in.find(":]", pos);
  if (end == std::string_view::npos)
    return malformed(from, "'[:' without ':]'");
  std::string_view name = in.substr(pos + 2, end - pos - 2);
  pos = end + 2;
  bool negated = name.starts_with('^');
  if (negated)
    name.remove_prefix(1);
  auto content = translateProperty(name, false);
  if (!content)
    return notSupported(from);
  if (negated)
    set.others.push_back("[^" + *content + "]");
  else
    set.items += *content;
  return Status::ok();
}

/// One character, range, escape or nested class.
Status RegexTranslator::classItem(int depth, CharSet &set) {
  auto one = [&]() -> Result<char32_t> {
    if (peek() != '\\')
      return literalChar();
    ++pos;
    if (!atEnd() && peek() == 'b') {
      ++pos;
      return char32_t(8);
    }
    return escapedChar();
  };
  size_t from = pos;
  if (in.substr(pos).starts_with("[:"))
    return posixBracket(set);
  if (peek() == '[') {
    ++pos;
    QRT_ASSIGN_OR_RETURN(std::string nested, characterClass(depth + 1));
    set.others.push_back(std::move(nested));
    return Status::ok();
  }
  if (peek() == '\\') {
    ++pos;
    QRT_ASSIGN_OR_RETURN(bool isClass, classEscape(set));
    if (isClass)
      return Status::ok();
    --pos;
  }
  QRT_ASSIGN_OR_RETURN(char32_t low, one());
  bool range = pos + 1 < in.size() && peek() == '-' && in[pos + 1] != ']' &&
               !in.substr(pos + 1).starts_with("[") && !in.substr(pos + 1).starts_with("&&");
  if (!range) {
    set.items += literal(low);
    return Status::ok();
  }
  size_t dash = pos++;
  if (peek() == '\\' && pos + 1 < in.size() &&
      std::string_view("sSdDhHwWpP").find(in[pos + 1]) != std::string_view::npos) {
    pos = dash; // "a-\s": the dash is a character
    set.items += literal(low);
    return Status::ok();
  }
  QRT_ASSIGN_OR_RETURN(char32_t high, one());
  if (high < low)
    return malformed(from, "empty range in a character class");
  set.items += literal(low) + "-" + literal(high);
  return Status::ok();
}

Result<std::string> RegexTranslator::characterClass(int depth) {
  size_t from = pos - 1;
  if (depth > maxDepth)
    return malformed(from, "character classes nest too deeply");
  bool negated = !atEnd() && peek() == '^';
  pos += negated;
  std::string left; // what stands before the last "&&"
  CharSet set;
  bool first = true;
  auto close = [&] {
    std::string right = set.render(false);
    left = left.empty() ? right : "(?:(?=" + right + ")" + left + ")";
    set = CharSet();
  };
  for (;; first = false) {
    if (atEnd())
      return malformed(from, "character class without ']'");
    if (peek() == ']' && first && in.find(']', pos + 1) != std::string_view::npos) {
      ++pos;
      set.items += literal(']');
      continue;
    }
    if (peek() == ']')
      break;
    if (in.substr(pos).starts_with("&&")) {
      pos += 2;
      close();
      continue;
    }
    QRT_RETURN_IF_ERROR(classItem(depth, set));
  }
  ++pos;
  if (left.empty())
    return set.render(negated);
  close();
  return negated ? "(?:(?!" + left + ")(?s:.))" : left;
}

} // namespace qrt::text
