//===- ParseStatement.cpp - Statements of the template language -------------------------------===//
#include "Template/Parser.h"

#include <algorithm>

namespace qrt::jinja {

static std::unique_ptr<Stmt> makeStmt(StmtKind kind, int line) {
  auto stmt = std::make_unique<Stmt>();
  stmt->kind = kind;
  stmt->line = line;
  return stmt;
}

Template parseTemplate(std::string_view source) { return Parser(tokenize(source)).parse(); }

Template Parser::parse() {
  for (const char *name : {"loop", "caller", "kwargs", "varargs"})
    result.intern(name);
  result.body = subparse({});
  if (!unknownNames.empty())
    failAt(unknownNames[0].first, "the " + unknownNames[0].second + " is unknown or not supported");
  return std::move(result);
}

/// Statements up to one of `ends`, whose name is then the current token; to the end if there is
/// none.
Body Parser::subparse(std::initializer_list<std::string_view> ends) {
  Body body;
  for (;;) {
    const Token &token = current();
    switch (token.type) {
    case Token::Type::End:
      if (ends.size())
        failAt(token.line,
               "the template ends where '" + std::string(*ends.begin()) + "' is expected");
      return body;
    case Token::Type::Data:
      body.push_back(makeStmt(StmtKind::Text, token.line));
      body.back()->text = next().text;
      break;
    case Token::Type::VariableBegin: {
      next();
      auto print = makeStmt(StmtKind::Print, token.line);
      print->expressions.push_back(tuple({}));
      if (current().type != Token::Type::VariableEnd)
        unexpected("the end of the expression");
      next();
      body.push_back(std::move(print));
      break;
    }
    default: // BlockBegin: the lexer gives nothing else outside tags
      next();
      if (current().type == Token::Type::Name &&
          std::find(ends.begin(), ends.end(), current().text) != ends.end())
        return body;
      body.push_back(statement());
      if (current().type != Token::Type::BlockEnd)
        unexpected("the end of the tag");
      next();
    }
  }
}

Body Parser::statements(std::initializer_list<std::string_view> ends, bool dropEnd) {
  skipOperator(":");
  if (current().type != Token::Type::BlockEnd)
    unexpected("the end of the tag");
  next();
  Body body = subparse(ends);
  if (dropEnd)
    next();
  return body;
}

std::unique_ptr<Stmt> Parser::statement() {
  Nest nest(*this);
  if (current().type != Token::Type::Name)
    unexpected("the name of a tag");
  int line = current().line;
  const std::string name = current().text;
  if (name == "if")
    return ifStatement();
  if (name == "for")
    return forStatement();
  if (name == "set")
    return setStatement();
  if (name == "with")
    return withStatement();
  if (name == "macro")
    return macroStatement();
  if (name == "call")
    return callBlock();
  if (name == "filter")
    return filterBlock();
  if (name == "block")
    return blockStatement();
  if (name == "print")
    return printStatement();
  if (name == "generation") {
    next();
    auto stmt = makeStmt(StmtKind::Generation, line);
    int outer = std::exchange(loops, 0);
    stmt->bodies.push_back(statements({"endgeneration"}, true));
    loops = outer;
    return stmt;
  }
  if (name == "break" || name == "continue") {
    next();
    if (loops == 0)
      failAt(line, "'" + name + "' outside a loop");
    return makeStmt(name == "break" ? StmtKind::Break : StmtKind::Continue, line);
  }
  for (const char *other : {"extends", "include", "import", "from", "autoescape"})
    if (name == other)
      failUnsupported("the tag '" + name + "' is not supported", line);
  failAt(line, "unknown tag '" + name + "'");
}

std::unique_ptr<Stmt> Parser::ifStatement() {
  auto stmt = makeStmt(StmtKind::If, current().line);
  size_t known = unknownNames.size();
  do {
    next(); // if, elif
    stmt->expressions.push_back(tuple({.withConditional = false}));
    stmt->bodies.push_back(statements({"elif", "else", "endif"}, false));
  } while (isName("elif"));
  if (next().text == "else")
    stmt->bodies.push_back(statements({"endif"}, true));
  unknownNames.resize(known);
  return stmt;
}

void Parser::checkTarget(const Expr &target) const {
  if (target.kind == ExprKind::Tuple || target.kind == ExprKind::List) {
    for (const ExprPtr &child : target.children)
      checkTarget(*child);
  } else if (target.kind != ExprKind::Name && target.kind != ExprKind::NamespaceRef) {
    failAt(target.line, "cannot assign to this expression");
  }
}

ExprPtr Parser::assignTarget(std::string_view endName, bool withNamespace) {
  ExprPtr target = tuple({.simplified = true, .withNamespace = withNamespace, .endName = endName});
  checkTarget(*target);
  return target;
}

std::unique_ptr<Stmt> Parser::forStatement() {
  auto stmt = makeStmt(StmtKind::For, next().line);
  stmt->target = assignTarget("in", false);
  expectName("in");
  stmt->expressions.push_back(tuple({.withConditional = false, .endName = "recursive"}));
  if (skipName("if"))
    stmt->test = expression();
  stmt->recursive = skipName("recursive");
  ++loops;
  stmt->bodies.push_back(statements({"endfor", "else"}, false));
  --loops;
  if (next().text == "else")
    stmt->bodies.push_back(statements({"endfor"}, true));
  return stmt;
}

std::unique_ptr<Stmt> Parser::setStatement() {
  auto stmt = makeStmt(StmtKind::Set, next().line);
  stmt->target = assignTarget({}, true);
  if (skipOperator("=")) {
    stmt->expressions.push_back(tuple({}));
    return stmt;
  }
  stmt->kind = StmtKind::SetBlock;
  stmt->expressions.push_back(isOperator("|") ? filters(nullptr) : nullptr);
  stmt->bodies.push_back(statements({"endset"}, true));
  return stmt;
}

std::unique_ptr<Stmt> Parser::withStatement() {
  auto stmt = makeStmt(StmtKind::With, next().line);
  while (current().type != Token::Type::BlockEnd) {
    if (!stmt->targets.empty())
      expectOperator(",");
    stmt->targets.push_back(assignTarget({}, false));
    expectOperator("=");
    stmt->expressions.push_back(expression());
  }
  stmt->bodies.push_back(statements({"endwith"}, true));
  return stmt;
}

void Parser::signature(MacroDef &macro) {
  expectOperator("(");
  while (!isOperator(")")) {
    if (!macro.parameters.empty())
      expectOperator(",");
    std::string name = expectAnyName();
    if (skipOperator("="))
      macro.defaults.push_back(expression());
    else if (!macro.defaults.empty())
      failAt(current().line, "a parameter without default follows one with a default");
    if (std::find(macro.parameterNames.begin(), macro.parameterNames.end(), name) !=
        macro.parameterNames.end())
      failAt(current().line, "the parameter '" + name + "' appears twice");
    macro.parameters.push_back(result.intern(name));
    macro.parameterNames.push_back(std::move(name));
  }
  expectOperator(")");
}

/// The body of a macro or call block up to `end`.
void Parser::macroBody(Stmt &stmt, std::string_view end) {
  int outer = std::exchange(loops, 0);
  macros.push_back(stmt.macro.get());
  stmt.bodies.push_back(statements({end}, true));
  macros.pop_back();
  loops = outer;
  stmt.macro->body = &stmt.bodies.back();
}

std::unique_ptr<Stmt> Parser::macroStatement() {
  auto stmt = makeStmt(StmtKind::Macro, next().line);
  stmt->macro = std::make_unique<MacroDef>();
  stmt->macro->name = expectAnyName();
  stmt->target = make(ExprKind::Name, stmt->line);
  stmt->target->symbol = result.intern(stmt->macro->name);
  signature(*stmt->macro);
  macroBody(*stmt, "endmacro");
  return stmt;
}

std::unique_ptr<Stmt> Parser::callBlock() {
  auto stmt = makeStmt(StmtKind::CallBlock, next().line);
  stmt->macro = std::make_unique<MacroDef>();
  stmt->macro->name = "caller";
  if (isOperator("("))
    signature(*stmt->macro);
  stmt->expressions.push_back(expression());
  if (stmt->expressions[0]->kind != ExprKind::Call)
    failAt(stmt->line, "expected a call");
  macroBody(*stmt, "endcall");
  return stmt;
}

std::unique_ptr<Stmt> Parser::filterBlock() {
  auto stmt = makeStmt(StmtKind::FilterBlock, next().line);
  stmt->expressions.push_back(filters(nullptr, true));
  stmt->bodies.push_back(statements({"endfilter"}, true));
  return stmt;
}

std::unique_ptr<Stmt> Parser::blockStatement() {
  auto stmt = makeStmt(StmtKind::Block, next().line);
  std::string name = expectAnyName();
  bool scoped = skipName("scoped");
  if (scoped || isName("required"))
    failUnsupported("'scoped' and 'required' blocks are not supported", stmt->line);
  int outer = std::exchange(loops, 0);
  stmt->bodies.push_back(statements({"endblock"}, true));
  loops = outer;
  skipName(name);
  return stmt;
}

std::unique_ptr<Stmt> Parser::printStatement() {
  auto stmt = makeStmt(StmtKind::Print, next().line);
  while (current().type != Token::Type::BlockEnd) {
    if (!stmt->expressions.empty())
      expectOperator(",");
    stmt->expressions.push_back(expression());
  }
  return stmt;
}

} // namespace qrt::jinja
