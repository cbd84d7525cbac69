//===- ParseExpression.cpp - Operators of the expression grammar ------------------------------===//
#include "Template/Parser.h"

#include <algorithm>

namespace qrt::jinja {

Parser::Nest::Nest(Parser &p) : parser(p) {
  if (++parser.nesting > maxSyntaxDepth) {
    --parser.nesting;
    failAt(parser.current().line,
           "nested deeper than " + std::to_string(maxSyntaxDepth) + " levels");
  }
}

const Token &Parser::next() {
  const Token &token = tokens[at];
  if (at + 1 < tokens.size())
    ++at;
  return token;
}
bool Parser::isName(std::string_view name) const {
  return current().type == Token::Type::Name && current().text == name;
}
bool Parser::isOperator(std::string_view text) const {
  return current().type == Token::Type::Operator && current().text == text;
}
bool Parser::skipName(std::string_view name) { return isName(name) && (next(), true); }
bool Parser::skipOperator(std::string_view text) { return isOperator(text) && (next(), true); }
void Parser::expectOperator(std::string_view text) {
  if (!skipOperator(text))
    unexpected("'" + std::string(text) + "'");
}
void Parser::expectName(std::string_view name) {
  if (!skipName(name))
    unexpected("'" + std::string(name) + "'");
}
std::string Parser::expectAnyName() {
  if (current().type != Token::Type::Name)
    unexpected("a name");
  return next().text;
}

void Parser::unexpected(const std::string &expected) const {
  const Token &token = current();
  std::string got;
  switch (token.type) {
  case Token::Type::Name:
  case Token::Type::Operator:
    got = "'" + token.text + "'";
    break;
  case Token::Type::String:
    got = "a string";
    break;
  case Token::Type::Integer:
  case Token::Type::Float:
    got = "a number";
    break;
  case Token::Type::BlockEnd:
    got = "the end of the tag";
    break;
  case Token::Type::VariableEnd:
    got = "the end of the expression";
    break;
  default:
    got = "the end of the template";
  }
  failAt(token.line, "expected " + expected + ", got " + got);
}

ExprPtr Parser::make(ExprKind kind, int line) const {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->line = line;
  return expr;
}
void Parser::addDepth(Expr &expr, const ExprPtr &child) const {
  if (child)
    expr.depth = std::max(expr.depth, child->depth + 1);
  if (expr.depth > 2 * maxSyntaxDepth)
    failAt(expr.line,
           "an expression is longer than " + std::to_string(2 * maxSyntaxDepth) + " operators");
}
ExprPtr Parser::make(ExprKind kind, int line, std::vector<ExprPtr> children) const {
  ExprPtr expr = make(kind, line);
  for (const ExprPtr &child : children)
    addDepth(*expr, child);
  expr->children = std::move(children);
  return expr;
}

/// {a, b} as a vector of moved pointers.
template <class... P>
static std::vector<ExprPtr> group(P... pointers) {
  std::vector<ExprPtr> result;
  (result.push_back(std::move(pointers)), ...);
  return result;
}

ExprPtr Parser::expression() {
  Nest nest(*this);
  return conditionalExpression();
}

ExprPtr Parser::conditionalExpression() {
  int line = current().line;
  size_t known = unknownNames.size();
  ExprPtr expr = orExpression();
  while (skipName("if")) {
    ExprPtr test = orExpression();
    ExprPtr otherwise;
    if (skipName("else")) {
      Nest nest(*this);
      otherwise = conditionalExpression();
    }
    expr = make(ExprKind::Conditional, line,
                group(std::move(test), std::move(expr), std::move(otherwise)));
    line = current().line;
    unknownNames.resize(known);
  }
  return expr;
}

ExprPtr Parser::orExpression() {
  int line = current().line;
  ExprPtr left = andExpression();
  while (skipName("or"))
    left = make(ExprKind::Or, line, group(std::move(left), andExpression()));
  return left;
}

ExprPtr Parser::andExpression() {
  int line = current().line;
  ExprPtr left = notExpression();
  while (skipName("and"))
    left = make(ExprKind::And, line, group(std::move(left), notExpression()));
  return left;
}

ExprPtr Parser::notExpression() {
  int line = current().line;
  if (!skipName("not"))
    return comparison();
  Nest nest(*this);
  return make(ExprKind::Not, line, group(notExpression()));
}

ExprPtr Parser::comparison() {
  static constexpr std::pair<std::string_view, Operator> operators[] = {
      {"==", Operator::Equal},     {"!=", Operator::NotEqual}, {"<", Operator::Less},
      {"<=", Operator::LessEqual}, {">", Operator::Greater},   {">=", Operator::GreaterEqual}};
  int line = current().line;
  std::vector<ExprPtr> operands = group(sum());
  std::vector<Operator> ops;
  for (;;) {
    auto match = std::find_if(std::begin(operators), std::end(operators),
                              [&](const auto &entry) { return isOperator(entry.first); });
    if (match != std::end(operators)) {
      next();
      ops.push_back(match->second);
    } else if (skipName("in")) {
      ops.push_back(Operator::In);
    } else if (isName("not") && look().type == Token::Type::Name && look().text == "in") {
      next(), next();
      ops.push_back(Operator::NotIn);
    } else {
      break;
    }
    operands.push_back(sum());
  }
  if (ops.empty())
    return std::move(operands[0]);
  ExprPtr expr = make(ExprKind::Compare, line, std::move(operands));
  expr->operators = std::move(ops);
  return expr;
}

ExprPtr Parser::binary(int line, Operator op, ExprPtr left, ExprPtr right) {
  ExprPtr expr = make(ExprKind::Binary, line, group(std::move(left), std::move(right)));
  expr->operators = {op};
  return expr;
}

ExprPtr Parser::sum() {
  int line = current().line;
  ExprPtr left = concatenation();
  while (isOperator("+") || isOperator("-")) {
    Operator op = next().text == "+" ? Operator::Add : Operator::Subtract;
    left = binary(line, op, std::move(left), concatenation());
    line = current().line;
  }
  return left;
}

ExprPtr Parser::concatenation() {
  int line = current().line;
  std::vector<ExprPtr> parts = group(product());
  while (skipOperator("~"))
    parts.push_back(product());
  return parts.size() == 1 ? std::move(parts[0]) : make(ExprKind::Concat, line, std::move(parts));
}

ExprPtr Parser::product() {
  static constexpr std::pair<std::string_view, Operator> operators[] = {
      {"*", Operator::Multiply},
      {"/", Operator::Divide},
      {"//", Operator::FloorDivide},
      {"%", Operator::Modulo}};
  int line = current().line;
  ExprPtr left = power();
  for (;;) {
    auto match = std::find_if(std::begin(operators), std::end(operators),
                              [&](const auto &entry) { return isOperator(entry.first); });
    if (match == std::end(operators))
      return left;
    next();
    left = binary(line, match->second, std::move(left), power());
    line = current().line;
  }
}

ExprPtr Parser::power() {
  int line = current().line;
  ExprPtr left = unary();
  while (skipOperator("**")) {
    left = binary(line, Operator::Power, std::move(left), unary());
    line = current().line;
  }
  return left;
}

ExprPtr Parser::unary(bool withFilter) {
  int line = current().line;
  ExprPtr node;
  if (isOperator("-") || isOperator("+")) {
    ExprKind kind = next().text == "-" ? ExprKind::Negate : ExprKind::Plus;
    Nest nest(*this);
    node = make(kind, line, group(unary(false)));
  } else {
    node = primary();
  }
  node = postfix(std::move(node));
  return withFilter ? filterExpression(std::move(node)) : std::move(node);
}

} // namespace qrt::jinja
