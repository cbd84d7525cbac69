//===- Parser.h - Tokens to a syntax tree -----------------------------------------------------===//
// Jinja's grammar with the loop controls and the `generation` tag. Template inheritance and
// inclusion (extends, include, import, from) and autoescape are Unsupported errors. An unknown
// filter or test is an error at once, except where Jinja leaves it to the moment when it runs:
// inside conditions. Thread safety: one parser, one thread.
#ifndef QRT_TEMPLATE_PARSER_H
#define QRT_TEMPLATE_PARSER_H

#include "Template/Ast.h"
#include "Template/Lexer.h"

namespace qrt::jinja {

/// Throws TemplateError. `source`: valid UTF-8.
Template parseTemplate(std::string_view source);

/// The recursive-descent parser; its methods are in ParseExpression.cpp and ParseStatement.cpp.
class Parser {
public:
  explicit Parser(std::vector<Token> tokens) : tokens(std::move(tokens)) {}
  Template parse();

private:
  std::vector<Token> tokens;
  size_t at = 0;
  Template result;
  int nesting = 0;
  int loops = 0;                                         // enclosing loops that break can leave
  std::vector<std::pair<int, std::string>> unknownNames; // outside conditions: line, what
  std::vector<MacroDef *> macros;

  struct Nest {
    Parser &parser;
    explicit Nest(Parser &p);
    ~Nest() { --parser.nesting; }
  };

  const Token &current() const { return tokens[at]; }
  const Token &look() const { return tokens[std::min(at + 1, tokens.size() - 1)]; }
  const Token &next();
  bool isName(std::string_view name) const;
  bool isOperator(std::string_view text) const;
  bool skipName(std::string_view name);
  bool skipOperator(std::string_view text);
  void expectOperator(std::string_view text);
  void expectName(std::string_view name);
  std::string expectAnyName();
  [[noreturn]] void unexpected(const std::string &expected) const;

  ExprPtr make(ExprKind kind, int line) const;
  ExprPtr make(ExprKind kind, int line, std::vector<ExprPtr> children) const;
  void addDepth(Expr &expr, const ExprPtr &child) const;

  ExprPtr expression();
  ExprPtr conditionalExpression();
  ExprPtr orExpression();
  ExprPtr andExpression();
  ExprPtr notExpression();
  ExprPtr comparison();
  ExprPtr sum();
  ExprPtr binary(int line, Operator op, ExprPtr left, ExprPtr right);
  ExprPtr concatenation();
  ExprPtr product();
  ExprPtr power();
  ExprPtr unary(bool withFilter = true);
  ExprPtr primary(bool withNamespace = false);
  ExprPtr postfix(ExprPtr node);
  ExprPtr filterExpression(ExprPtr node);
  ExprPtr filters(ExprPtr node, bool startInline = false);
  ExprPtr test(ExprPtr node);
  ExprPtr subscript(ExprPtr node);
  ExprPtr subscribed();
  ExprPtr call(ExprPtr node);
  std::unique_ptr<CallArgs> callArgs(Expr &owner);
  ExprPtr listLiteral();
  ExprPtr dictLiteral();
  struct TupleRules {
    bool simplified = false, withConditional = true, parentheses = false, withNamespace = false;
    std::string_view endName = {};
  };
  ExprPtr tuple(const TupleRules &rules);
  ExprPtr assignTarget(std::string_view endName, bool withNamespace);
  void checkTarget(const Expr &target) const;

  Body statements(std::initializer_list<std::string_view> ends, bool dropEnd);
  Body subparse(std::initializer_list<std::string_view> ends);
  std::unique_ptr<Stmt> statement();
  std::unique_ptr<Stmt> ifStatement();
  std::unique_ptr<Stmt> forStatement();
  std::unique_ptr<Stmt> setStatement();
  std::unique_ptr<Stmt> withStatement();
  std::unique_ptr<Stmt> macroStatement();
  std::unique_ptr<Stmt> callBlock();
  std::unique_ptr<Stmt> filterBlock();
  std::unique_ptr<Stmt> blockStatement();
  std::unique_ptr<Stmt> printStatement();
  void signature(MacroDef &macro);
  void macroBody(Stmt &stmt, std::string_view end);
};

} // namespace qrt::jinja

#endif // QRT_TEMPLATE_PARSER_H
