//===- ParsePrimary.cpp - Names, literals, subscripts, calls, filters and tests ---------------===//
#include "Template/Functions.h"
#include "Template/Parser.h"

namespace qrt::jinja {

ExprPtr Parser::primary(bool withNamespace) {
  const Token token = current();
  ExprPtr node;
  switch (token.type) {
  case Token::Type::Name: {
    next();
    const std::string &name = token.text;
    if (name == "true" || name == "True" || name == "false" || name == "False") {
      node = make(ExprKind::Constant, token.line);
      node->constant = Value::boolean(name[0] == 't' || name[0] == 'T');
    } else if (name == "none" || name == "None") {
      node = make(ExprKind::Constant, token.line);
    } else if (withNamespace && skipOperator(".")) {
      node = make(ExprKind::NamespaceRef, token.line);
      node->attribute = expectAnyName();
      node->name = name;
      node->symbol = result.intern(name);
    } else {
      node = make(ExprKind::Name, token.line);
      node->name = name;
      node->symbol = result.intern(name);
      for (MacroDef *macro : macros) {
        macro->usesCaller |= name == "caller";
        macro->usesKwargs |= name == "kwargs";
        macro->usesVarargs |= name == "varargs";
      }
    }
    return node;
  }
  case Token::Type::String: {
    std::string text;
    while (current().type == Token::Type::String)
      text += next().text;
    node = make(ExprKind::Constant, token.line);
    node->constant = Value::string(std::move(text));
    return node;
  }
  case Token::Type::Integer:
  case Token::Type::Float:
    next();
    node = make(ExprKind::Constant, token.line);
    node->constant = token.type == Token::Type::Integer ? Value::integer(token.integer)
                                                        : Value::real(token.real);
    return node;
  default:
    break;
  }
  Nest nest(*this);
  if (skipOperator("(")) {
    node = tuple({.parentheses = true});
    expectOperator(")");
    return node;
  }
  if (isOperator("["))
    return listLiteral();
  if (isOperator("{"))
    return dictLiteral();
  unexpected("an expression");
}

ExprPtr Parser::tuple(const TupleRules &rules) {
  int line = current().line;
  std::vector<ExprPtr> items;
  bool isTuple = false;
  for (;;) {
    if (!items.empty())
      expectOperator(",");
    Token::Type type = current().type;
    if (type == Token::Type::VariableEnd || type == Token::Type::BlockEnd || isOperator(")") ||
        (!rules.endName.empty() && isName(rules.endName)))
      break;
    if (rules.simplified)
      items.push_back(primary(rules.withNamespace));
    else if (rules.withConditional)
      items.push_back(expression());
    else {
      Nest nest(*this);
      items.push_back(orExpression());
    }
    if (!isOperator(","))
      break;
    isTuple = true;
  }
  if (!isTuple) {
    if (!items.empty())
      return std::move(items[0]);
    if (!rules.parentheses)
      unexpected("an expression");
  }
  return make(ExprKind::Tuple, line, std::move(items));
}

ExprPtr Parser::listLiteral() {
  int line = next().line;
  std::vector<ExprPtr> items;
  while (!isOperator("]")) {
    if (!items.empty())
      expectOperator(",");
    if (isOperator("]"))
      break;
    items.push_back(expression());
  }
  expectOperator("]");
  return make(ExprKind::List, line, std::move(items));
}

ExprPtr Parser::dictLiteral() {
  int line = next().line;
  std::vector<ExprPtr> items;
  while (!isOperator("}")) {
    if (!items.empty())
      expectOperator(",");
    if (isOperator("}"))
      break;
    items.push_back(expression());
    expectOperator(":");
    items.push_back(expression());
  }
  expectOperator("}");
  return make(ExprKind::Dict, line, std::move(items));
}

ExprPtr Parser::postfix(ExprPtr node) {
  for (;;) {
    if (isOperator(".") || isOperator("["))
      node = subscript(std::move(node));
    else if (isOperator("("))
      node = call(std::move(node));
    else
      return node;
  }
}

ExprPtr Parser::filterExpression(ExprPtr node) {
  for (;;) {
    if (isOperator("|"))
      node = filters(std::move(node));
    else if (isName("is"))
      node = test(std::move(node));
    else if (isOperator("("))
      node = call(std::move(node));
    else
      return node;
  }
}

static std::vector<ExprPtr> pair(ExprPtr first, ExprPtr second) {
  std::vector<ExprPtr> result;
  result.push_back(std::move(first));
  result.push_back(std::move(second));
  return result;
}

ExprPtr Parser::subscript(ExprPtr node) {
  int line = current().line;
  if (next().text == ".") {
    ExprPtr expr = make(ExprKind::Attribute, line);
    addDepth(*expr, node);
    if (current().type == Token::Type::Name) {
      expr->name = next().text;
      expr->children.push_back(std::move(node));
      return expr;
    }
    if (current().type != Token::Type::Integer)
      unexpected("a name or number");
    ExprPtr index = make(ExprKind::Constant, line);
    index->constant = Value::integer(next().integer);
    return make(ExprKind::Item, line, pair(std::move(node), std::move(index)));
  }
  std::vector<ExprPtr> arguments;
  while (!isOperator("]")) {
    if (!arguments.empty())
      expectOperator(",");
    arguments.push_back(subscribed());
  }
  expectOperator("]");
  ExprPtr argument = arguments.size() == 1 ? std::move(arguments[0])
                                           : make(ExprKind::Tuple, line, std::move(arguments));
  return make(ExprKind::Item, line, pair(std::move(node), std::move(argument)));
}

ExprPtr Parser::subscribed() {
  int line = current().line;
  std::vector<ExprPtr> parts(3);
  if (!isOperator(":")) {
    parts[0] = expression();
    if (!isOperator(":"))
      return std::move(parts[0]);
  }
  next();
  auto atEnd = [&] { return isOperator(":") || isOperator("]") || isOperator(","); };
  if (!atEnd())
    parts[1] = expression();
  if (skipOperator(":") && !atEnd())
    parts[2] = expression();
  return make(ExprKind::Slice, line, std::move(parts));
}

std::unique_ptr<CallArgs> Parser::callArgs(Expr &owner) {
  int line = current().line;
  expectOperator("(");
  auto args = std::make_unique<CallArgs>();
  auto ensure = [&](bool condition) {
    if (!condition)
      failAt(line, "invalid order of arguments in a call");
  };
  bool first = true;
  while (!isOperator(")")) {
    if (!first)
      expectOperator(",");
    first = false;
    if (isOperator(")"))
      break;
    if (skipOperator("*")) {
      ensure(!args->star && !args->starStar);
      args->star = expression();
      addDepth(owner, args->star);
    } else if (skipOperator("**")) {
      ensure(!args->starStar);
      args->starStar = expression();
      addDepth(owner, args->starStar);
    } else if (current().type == Token::Type::Name && look().type == Token::Type::Operator &&
               look().text == "=") {
      ensure(!args->starStar);
      std::string name = next().text;
      next();
      for (const auto &[other, value] : args->keyword)
        if (other == name)
          failAt(line, "keyword argument repeated: " + name);
      args->keyword.emplace_back(std::move(name), expression());
      addDepth(owner, args->keyword.back().second);
    } else {
      ensure(!args->star && !args->starStar && args->keyword.empty());
      args->positional.push_back(expression());
      addDepth(owner, args->positional.back());
    }
  }
  expectOperator(")");
  return args;
}

ExprPtr Parser::call(ExprPtr node) {
  std::vector<ExprPtr> callee;
  callee.push_back(std::move(node));
  ExprPtr expr = make(ExprKind::Call, current().line, std::move(callee));
  expr->args = callArgs(*expr);
  return expr;
}

ExprPtr Parser::filters(ExprPtr node, bool startInline) {
  while (startInline || isOperator("|")) {
    if (!startInline)
      next();
    startInline = false;
    int line = current().line;
    std::string name = expectAnyName();
    while (skipOperator("."))
      name += "." + expectAnyName();
    if (!findFilter(name))
      unknownNames.emplace_back(line, "filter '" + name + "'");
    std::vector<ExprPtr> input;
    input.push_back(std::move(node));
    node = make(ExprKind::Filter, line, std::move(input));
    node->name = std::move(name);
    if (isOperator("("))
      node->args = callArgs(*node);
  }
  return node;
}

ExprPtr Parser::test(ExprPtr node) {
  int line = next().line;
  bool negated = skipName("not");
  std::string name = expectAnyName();
  while (skipOperator("."))
    name += "." + expectAnyName();
  if (!findTest(name))
    unknownNames.emplace_back(line, "test '" + name + "'");
  std::vector<ExprPtr> subject;
  subject.push_back(std::move(node));
  ExprPtr expr = make(ExprKind::Test, line, std::move(subject));
  expr->name = std::move(name);
  if (isOperator("(")) {
    expr->args = callArgs(*expr);
  } else if (current().type == Token::Type::String || current().type == Token::Type::Integer ||
             current().type == Token::Type::Float || isOperator("[") || isOperator("{") ||
             (current().type == Token::Type::Name && !isName("else") && !isName("or") &&
              !isName("and"))) {
    if (isName("is"))
      failAt(line, "tests with 'is' cannot be chained");
    expr->args = std::make_unique<CallArgs>();
    expr->args->positional.push_back(postfix(primary()));
    addDepth(*expr, expr->args->positional.back());
  }
  if (!negated)
    return expr;
  std::vector<ExprPtr> inner;
  inner.push_back(std::move(expr));
  return make(ExprKind::Not, line, std::move(inner));
}

} // namespace qrt::jinja
