//===- Execute.cpp - Statements ---------------------------------------------------------------===//
#include "Template/DepthGuard.h"
#include "Template/Interpreter.h"

namespace qrt::jinja {

static ScopePtr child(const ScopePtr &parent) {
  auto scope = std::make_shared<Scope>();
  scope->parent = parent;
  return scope;
}

Interpreter::Interpreter(const Template &source, std::optional<int64_t> now)
    : now(now), source(source), root(child(child(nullptr))) {}

Interpreter::~Interpreter() {
  // Cut every cycle: macros and loops hold scopes that hold them; namespaces can hold themselves.
  // Each is emptied while its owner list still keeps it, so destruction does not nest.
  Values graveyard;
  auto bury = [&](Value &value) { graveyard.push_back(std::move(value)); };
  for (const auto &object : namespaces)
    for (auto &attribute : object->attributes)
      bury(attribute.second);
  for (const ScopePtr &scope : captured)
    for (auto &variable : scope->variables)
      bury(variable.second);
  for (auto &variable : root->variables)
    bury(variable.second);
}

void Interpreter::track(const std::shared_ptr<NamespaceObject> &object) {
  budget.bytes(256);
  budget.step(16);
  namespaces.push_back(object);
}

void Interpreter::define(const std::string &name, Value value) {
  auto it = source.symbols.find(name);
  if (it != source.symbols.end())
    root->parent->set(it->second, std::move(value));
}

std::string Interpreter::run() {
  execute(source.body, root);
  return std::move(output);
}

void Interpreter::emit(std::string_view piece) {
  if (output.size() + piece.size() > maxStringBytes)
    failLimit("the output grows over " + std::to_string(maxStringBytes >> 20) + " MiB");
  budget.step(piece.size() / 64);
  output += piece;
}

std::string Interpreter::capture(const Body &body, const ScopePtr &scope, Flow *flow) {
  std::string outer = std::exchange(output, {});
  Flow end = execute(body, scope);
  if (flow)
    *flow = end;
  return std::exchange(output, std::move(outer));
}

void Interpreter::assign(const Expr &target, const Value &value, const ScopePtr &scope) {
  budget.step();
  switch (target.kind) {
  case ExprKind::Name:
    budget.step(scope->variables.size() / 16);
    return scope->set(target.symbol, value);
  case ExprKind::NamespaceRef: {
    Value object = lookUp(target.symbol, target.name, scope);
    if (!object.is(Kind::Namespace))
      fail("cannot assign attribute on non-namespace object");
    budget.step(object.space().attributes.size() / 8);
    return object.space().set(target.attribute, value);
  }
  default: {
    Values parts = iterate(value, budget);
    if (parts.size() < target.children.size())
      fail("not enough values to unpack (expected " + std::to_string(target.children.size()) +
           ", got " + std::to_string(parts.size()) + ")");
    if (parts.size() > target.children.size())
      fail("too many values to unpack (expected " + std::to_string(target.children.size()) + ")");
    for (size_t i = 0; i < parts.size(); ++i)
      assign(*target.children[i], parts[i], scope);
  }
  }
}

namespace {
struct MacroObject : CallableObject {
  const MacroDef *macro = nullptr;
  ScopePtr closure;
  Value nameValue;
  Value call(Interpreter &interpreter, Arguments &arguments) override {
    return interpreter.invokeMacro(*macro, closure, arguments);
  }
  const Value *attribute(Interpreter &, const std::string &name) override {
    return name == "name" ? &nameValue : nullptr;
  }
};
} // namespace

Value Interpreter::makeMacro(const MacroDef &macro, const ScopePtr &scope) {
  budget.bytes(256);
  auto object = std::make_shared<MacroObject>();
  object->name = macro.name;
  object->nameValue = Value::string(macro.name);
  object->macro = &macro;
  object->closure = scope;
  if (captured.empty() || captured.back() != scope)
    captured.push_back(scope);
  return Value::callable(std::move(object));
}

Value Interpreter::invokeMacro(const MacroDef &macro, const ScopePtr &closure,
                               Arguments &arguments) {
  DepthGuard guard(*this);
  const size_t count = macro.parameters.size();
  ScopePtr scope = child(closure);
  // Jinja fills a missing parameter from the keywords, then from its default.
  std::vector<bool> given(count);
  size_t positional = std::min(arguments.positional.size(), count);
  for (size_t i = 0; i < positional; ++i) {
    scope->variables.emplace_back(macro.parameters[i], arguments.positional[i]);
    given[i] = true;
  }
  auto takeKeyword = [&](const std::string &name) -> std::optional<Value> {
    for (auto it = arguments.keyword.begin(); it != arguments.keyword.end(); ++it)
      if (it->first == name) {
        Value value = std::move(it->second);
        arguments.keyword.erase(it);
        return value;
      }
    return std::nullopt;
  };
  bool explicitCaller = false;
  for (size_t i = 0; i < count; ++i) {
    explicitCaller |= macro.parameterNames[i] == "caller";
    if (i < positional)
      continue;
    if (auto value = takeKeyword(macro.parameterNames[i])) {
      scope->variables.emplace_back(macro.parameters[i], std::move(*value));
      given[i] = true;
    }
  }
  auto symbol = [&](const char *name) { return source.symbols.at(name); };
  if (macro.usesCaller && !explicitCaller) {
    auto caller = takeKeyword("caller");
    scope->set(symbol("caller"), caller ? *caller : Value::undefined("No caller defined"));
  }
  if (macro.usesKwargs) {
    auto dict = std::make_shared<DictObject>();
    for (auto &[name, value] : arguments.keyword)
      dict->set(text(name), std::move(value), budget);
    scope->set(symbol("kwargs"), Value::dict(std::move(dict)));
  } else if (!arguments.keyword.empty()) {
    fail("macro '" + macro.name + "' takes no keyword argument '" + arguments.keyword[0].first +
         "'");
  }
  if (macro.usesVarargs)
    scope->set(symbol("varargs"),
               makeTuple(Values(arguments.positional.begin() + std::ptrdiff_t(positional),
                                arguments.positional.end()),
                         budget));
  else if (arguments.positional.size() > count)
    fail("macro '" + macro.name + "' takes not more than " + std::to_string(count) +
         " argument(s)");
  for (size_t i = 0; i < count; ++i) {
    if (given[i])
      continue;
    size_t firstDefault = count - macro.defaults.size();
    Value value =
        i >= firstDefault
            ? evaluate(*macro.defaults[i - firstDefault], scope)
            : Value::undefined("parameter '" + macro.parameterNames[i] + "' was not provided");
    scope->variables.emplace_back(macro.parameters[i], std::move(value));
  }
  return text(capture(*macro.body, scope));
}

void Interpreter::executeCallBlock(const Stmt &stmt, const ScopePtr &scope) {
  const Expr &expr = *stmt.expressions[0];
  Value callee = evaluate(*expr.children[0], scope);
  Arguments arguments = evaluateArgs(expr.args.get(), scope);
  arguments.keyword.emplace_back("caller", makeMacro(*stmt.macro, scope));
  line = expr.line;
  emit(toText(call(callee, arguments), budget));
}

Flow Interpreter::execute(const Body &body, const ScopePtr &scope) {
  for (const auto &stmt : body)
    if (Flow flow = execute(*stmt, scope); flow != Flow::Normal)
      return flow;
  return Flow::Normal;
}

Flow Interpreter::execute(const Stmt &stmt, const ScopePtr &scope) {
  DepthGuard guard(*this);
  budget.step();
  line = stmt.line;
  switch (stmt.kind) {
  case StmtKind::Text:
    emit(stmt.text);
    return Flow::Normal;
  case StmtKind::Print:
    for (const ExprPtr &expr : stmt.expressions)
      emit(toText(evaluate(*expr, scope), budget));
    return Flow::Normal;
  case StmtKind::If:
    for (size_t i = 0; i < stmt.expressions.size(); ++i)
      if (isTrue(evaluate(*stmt.expressions[i], scope)))
        return execute(stmt.bodies[i], scope);
    if (stmt.bodies.size() > stmt.expressions.size())
      return execute(stmt.bodies.back(), scope);
    return Flow::Normal;
  case StmtKind::For:
    return executeLoop(stmt, scope, evaluate(*stmt.expressions[0], scope), 0);
  case StmtKind::Set:
    assign(*stmt.target, evaluate(*stmt.expressions[0], scope), scope);
    return Flow::Normal;
  case StmtKind::SetBlock:
  case StmtKind::FilterBlock: {
    Flow flow = Flow::Normal;
    Value value = text(capture(stmt.bodies[0], child(scope), &flow));
    if (stmt.expressions[0])
      value = filterText(*stmt.expressions[0], value, scope);
    if (flow != Flow::Normal)
      return flow;
    if (stmt.kind == StmtKind::SetBlock)
      assign(*stmt.target, value, scope);
    else
      emit(toText(value, budget));
    return Flow::Normal;
  }
  case StmtKind::With: {
    ScopePtr inner = child(scope);
    for (size_t i = 0; i < stmt.targets.size(); ++i)
      assign(*stmt.targets[i], evaluate(*stmt.expressions[i], scope), inner);
    return execute(stmt.bodies[0], inner);
  }
  case StmtKind::Macro:
    assign(*stmt.target, makeMacro(*stmt.macro, scope), scope);
    return Flow::Normal;
  case StmtKind::CallBlock:
    executeCallBlock(stmt, scope);
    return Flow::Normal;
  case StmtKind::Generation:
    return execute(stmt.bodies[0], child(scope));
  case StmtKind::Block:
    return execute(stmt.bodies[0], child(root));
  case StmtKind::Break:
    return Flow::Break;
  case StmtKind::Continue:
    return Flow::Continue;
  }
  return Flow::Normal;
}

} // namespace qrt::jinja
