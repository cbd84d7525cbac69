//===- Lexer.h - Template source to tokens ----------------------------------------------------===//
// The rules of Jinja's lexer with trim_blocks and lstrip_blocks on, keep_trailing_newline and line
// statements off. Errors are TemplateError with the line.
// Thread safety: a free function without state.
#ifndef QRT_TEMPLATE_LEXER_H
#define QRT_TEMPLATE_LEXER_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qrt::jinja {

struct Token {
  enum class Type : uint8_t {
    Data,
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End
  };
  Type type = Type::End;
  int line = 1;
  std::string text; ///< data, name, value of a string, operator
  int64_t integer = 0;
  double real = 0;
};

/// `source`: valid UTF-8. The last token is End.
std::vector<Token> tokenize(std::string_view source);

/// The value of a string literal without its quotes (Python's escapes).
std::string unescapeLiteral(std::string_view text, int line);

} // namespace qrt::jinja

#endif // QRT_TEMPLATE_LEXER_H
