//===- Lexer.cpp - Template source to tokens --------------------------------------------------===//
#include "Template/Lexer.h"

#include "Template/Limits.h"
#include "Template/Unicode.h"

#include <algorithm>

namespace qrt::jinja {

/// Line breaks become \n; one at the end is dropped.
static std::string normalize(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      text += '\n';
      i += i + 1 < source.size() && source[i + 1] == '\n';
    } else {
      text += source[i];
    }
  }
  if (text.ends_with('\n'))
    text.pop_back();
  return text;
}

static size_t skipSpace(std::string_view text, size_t at) {
  return text.size() - stripLeft(text.substr(at)).size();
}

namespace {
class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text) {}
  std::vector<Token> run();

private:
  std::string_view text;
  size_t at = 0;
  int line = 1;
  size_t lineCountedTo = 0;
  bool lineStarting = true;
  std::vector<Token> tokens;

  void advance(size_t to) {
    at = to;
    lineStarting = at > 0 && text[at - 1] == '\n';
  }
  int lineAt(size_t position) {
    line += int(std::count(text.begin() + std::ptrdiff_t(lineCountedTo),
                           text.begin() + std::ptrdiff_t(position), '\n'));
    lineCountedTo = position;
    return line;
  }
  Token &push(Token::Type type, size_t position) {
    tokens.emplace_back();
    tokens.back().type = type;
    tokens.back().line = lineAt(position);
    return tokens.back();
  }
  void data(size_t end, char sign, bool variable);
  void comment();
  bool rawBlock(size_t start);
  void tag(bool block);
  bool tagEnd(bool block);
  void expressionToken(std::vector<char> &balance);
  bool number();
  void name();
  void string();
};
} // namespace

/// The text from `at` to the tag at `end`, less what the tag's sign or lstrip_blocks takes away.
void Lexer::data(size_t end, char sign, bool variable) {
  std::string_view piece = text.substr(at, end - at);
  if (sign == '-') {
    piece = stripRight(piece);
  } else if (sign != '+' && !variable) {
    size_t lineStart = piece.rfind('\n') + 1;
    if ((lineStart > 0 || lineStarting) && stripLeft(piece.substr(lineStart)).empty())
      piece = piece.substr(0, lineStart);
  }
  if (!piece.empty())
    push(Token::Type::Data, at).text = std::string(piece);
}

void Lexer::comment() {
  for (size_t end = text.find("#}", at); end != std::string_view::npos;) {
    char sign = end > at ? text[end - 1] : 0;
    size_t next = end + 2;
    if (sign == '-')
      next = skipSpace(text, next);
    else if (sign != '+' && next < text.size() && text[next] == '\n')
      ++next;
    return advance(next);
  }
  failAt(lineAt(at), "a comment is not closed");
}

/// At `{%` of a raw block: emits its text.
bool Lexer::rawBlock(size_t start) {
  size_t next = start + 2;
  char sign = next < text.size() ? text[next] : 0;
  if (sign == '-' || sign == '+')
    ++next;
  next = skipSpace(text, next);
  if (!text.substr(next).starts_with("raw"))
    return false;
  next = skipSpace(text, next + 3);
  if (text.substr(next).starts_with("-%}"))
    next = skipSpace(text, next + 3);
  else if (text.substr(next).starts_with("%}"))
    next += 2;
  else
    return false;
  data(start, sign, false);
  advance(next);
  for (size_t open = text.find("{%", at); open != std::string_view::npos;
       open = text.find("{%", open + 1)) {
    size_t end = open + 2;
    char closing = end < text.size() ? text[end] : 0;
    if (closing == '-' || closing == '+')
      ++end;
    end = skipSpace(text, end);
    if (!text.substr(end).starts_with("endraw"))
      continue;
    end = skipSpace(text, end + 6);
    if (text.substr(end).starts_with("-%}")) {
      end = skipSpace(text, end + 3);
    } else if (text.substr(end).starts_with("+%}")) {
      end += 3;
    } else if (text.substr(end).starts_with("%}")) {
      end += 2;
      end += end < text.size() && text[end] == '\n';
    } else {
      continue;
    }
    data(open, closing, false);
    advance(end);
    return true;
  }
  failAt(lineAt(at), "a raw block is not closed");
}

bool Lexer::tagEnd(bool block) {
  std::string_view rest = text.substr(at);
  std::string_view close = block ? "%}" : "}}";
  size_t next;
  if (rest.starts_with('-') && rest.substr(1).starts_with(close))
    next = skipSpace(text, at + 3);
  else if (block && rest.starts_with("+%}"))
    next = at + 3;
  else if (rest.starts_with(close))
    next = at + 2 + size_t(block && rest.substr(2).starts_with('\n'));
  else
    return false;
  push(block ? Token::Type::BlockEnd : Token::Type::VariableEnd, at);
  advance(next);
  return true;
}

void Lexer::tag(bool block) {
  std::vector<char> balance;
  while (at < text.size()) {
    if (balance.empty() && tagEnd(block))
      return;
    if (size_t next = skipSpace(text, at); next > at) {
      advance(next);
      continue;
    }
    expressionToken(balance);
  }
}

static bool isDigitByte(char c) { return c >= '0' && c <= '9'; }

/// The end of digits with single underscores between them, or `at`.
template <class Accept>
static size_t digits(std::string_view text, size_t at, Accept accept) {
  size_t end = at;
  while (end < text.size()) {
    if (accept(text[end]))
      ++end;
    else if (text[end] == '_' && end > at && end + 1 < text.size() && accept(text[end + 1]))
      ++end;
    else
      break;
  }
  return end;
}

static std::string withoutUnderscores(std::string_view text) {
  std::string result(text);
  result.erase(std::remove(result.begin(), result.end(), '_'), result.end());
  return result;
}

bool Lexer::number() {
  size_t end = digits(text, at, isDigitByte);
  if (end == at)
    return false;
  bool isFloat = false;
  if (at == 0 || text[at - 1] != '.') {
    size_t stop = end;
    if (stop < text.size() && text[stop] == '.') {
      size_t fraction = digits(text, stop + 1, isDigitByte);
      if (fraction > stop + 1)
        stop = fraction, isFloat = true;
    }
    if (stop < text.size() && (text[stop] == 'e' || text[stop] == 'E')) {
      size_t exponent = stop + 1;
      if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-'))
        ++exponent;
      size_t last = digits(text, exponent, isDigitByte);
      if (last > exponent)
        stop = last, isFloat = true;
    }
    if (isFloat) {
      Token &token = push(Token::Type::Float, at);
      token.real = std::strtod(withoutUnderscores(text.substr(at, stop - at)).c_str(), nullptr);
      advance(stop);
      return true;
    }
  }
  int base = 10;
  size_t first = at;
  if (text[at] == '0' && at + 1 < text.size()) {
    char mark = char(text[at + 1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
    auto accept = [base](char c) {
      char lower = char(c | 0x20);
      int digit = isDigitByte(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
      return digit < base;
    };
    size_t start = at + 2 + size_t(at + 2 < text.size() && text[at + 2] == '_');
    if (base != 10 && digits(text, start, accept) > start) {
      first = start;
      end = digits(text, start, accept);
    } else {
      base = 10;
      end = digits(text, at, [](char c) { return c == '0'; });
    }
  }
  int64_t value = 0;
  for (char c : withoutUnderscores(text.substr(first, end - first))) {
    int digit = isDigitByte(c) ? c - '0' : (c | 0x20) - 'a' + 10;
    if (__builtin_mul_overflow(value, int64_t(base), &value) ||
        __builtin_add_overflow(value, int64_t(digit), &value))
      failUnsupported("an integer literal does not fit 64 bits", lineAt(at));
  }
  push(Token::Type::Integer, at).integer = value;
  advance(end);
  return true;
}

void Lexer::string() {
  char quote = text[at];
  size_t end = at + 1;
  while (end < text.size() && text[end] != quote)
    end += text[end] == '\\' ? 2 : 1;
  if (end >= text.size())
    failAt(lineAt(at), "a string is not closed");
  Token &token = push(Token::Type::String, at);
  token.text = unescapeLiteral(text.substr(at + 1, end - at - 1), token.line);
  advance(end + 1);
}

void Lexer::expressionToken(std::vector<char> &balance) {
  if (number())
    return;
  size_t end = at;
  char32_t c = nextCodePoint(text, end);
  if (isIdentifierStart(c)) {
    for (size_t next = end; end < text.size() && isIdentifierPart(nextCodePoint(text, next));)
      end = next;
    push(Token::Type::Name, at).text = std::string(text.substr(at, end - at));
    return advance(end);
  }
  if (c == '"' || c == '\'')
    return string();
  std::string_view rest = text.substr(at);
  size_t length = 0;
  for (std::string_view two : {"//", "**", "==", "!=", ">=", "<="})
    if (rest.starts_with(two))
      length = 2;
  if (!length && std::string_view("+-/*%~[](){}><=.:|,;").find(rest[0]) != std::string_view::npos)
    length = 1;
  if (!length)
    failAt(lineAt(at), "unexpected character '" + std::string(text.substr(at, end - at)) + "'");
  if (length == 1 && (c == '(' || c == '[' || c == '{')) {
    balance.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
  } else if (length == 1 && (c == ')' || c == ']' || c == '}')) {
    if (balance.empty() || balance.back() != char(c))
      failAt(lineAt(at),
             std::string("unexpected '") + char(c) + "'" +
                 (balance.empty() ? "" : std::string(", expected '") + balance.back() + "'"));
    balance.pop_back();
  }
  push(Token::Type::Operator, at).text = std::string(rest.substr(0, length));
  advance(at + length);
}

std::vector<Token> Lexer::run() {
  while (at < text.size()) {
    size_t open = at;
    while ((open = text.find('{', open)) != std::string_view::npos) {
      char kind = open + 1 < text.size() ? text[open + 1] : 0;
      if (kind == '%' || kind == '{' || kind == '#')
        break;
      ++open;
    }
    if (open == std::string_view::npos) {
      push(Token::Type::Data, at).text = std::string(text.substr(at));
      break;
    }
    char kind = text[open + 1];
    if (kind == '%' && rawBlock(open))
      continue;
    char sign = open + 2 < text.size() ? text[open + 2] : 0;
    bool hasSign = sign == '-' || sign == '+';
    data(open, sign, kind == '{');
    if (kind != '#')
      push(kind == '%' ? Token::Type::BlockBegin : Token::Type::VariableBegin, open);
    advance(open + 2 + size_t(hasSign));
    if (kind == '#')
      comment();
    else
      tag(kind == '%');
  }
  push(Token::Type::End, text.size());
  return std::move(tokens);
}

std::vector<Token> tokenize(std::string_view source) {
  std::string text = normalize(source);
  return Lexer(text).run();
}

} // namespace qrt::jinja
