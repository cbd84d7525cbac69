//===- Evaluate.cpp - Expressions -------------------------------------------------------------===//
#include "Template/DepthGuard.h"
#include "Template/Interpreter.h"

namespace qrt::jinja {

void Scope::set(int symbol, Value value) {
  for (auto &variable : variables)
    if (variable.first == symbol) {
      variable.second = std::move(value);
      return;
    }
  variables.emplace_back(symbol, std::move(value));
}

namespace {
/// A global function as a value.
struct GlobalFunction : CallableObject {
  Function function;
  Value call(Interpreter &interpreter, Arguments &arguments) override {
    return function(interpreter, Value(), arguments);
  }
};
} // namespace

Value Interpreter::lookUp(int symbol, const std::string &name, const ScopePtr &scope) {
  for (const Scope *s = scope.get(); s; s = s->parent.get()) {
    budget.step(1 + s->variables.size() / 16);
    for (const auto &variable : s->variables)
      if (variable.first == symbol)
        return variable.second;
  }
  if (Function function = findGlobal(name)) {
    auto object = std::make_shared<GlobalFunction>();
    object->name = name;
    object->function = function;
    return Value::callable(std::move(object));
  }
  if (name == "lipsum" || name == "cycler")
    failUnsupported("the function '" + name + "' is not supported");
  return Value::undefined("'" + name + "' is undefined");
}

Arguments Interpreter::evaluateArgs(const CallArgs *args, const ScopePtr &scope) {
  Arguments result;
  if (!args)
    return result;
  for (const ExprPtr &arg : args->positional)
    result.positional.push_back(evaluate(*arg, scope));
  for (const auto &[name, arg] : args->keyword)
    result.keyword.emplace_back(name, evaluate(*arg, scope));
  if (args->star)
    for (Value &value : iterate(evaluate(*args->star, scope), budget))
      result.positional.push_back(std::move(value));
  if (args->starStar) {
    Value more = evaluate(*args->starStar, scope);
    if (!more.is(Kind::Dict))
      fail(std::string("argument after ** must be a mapping, not ") + typeName(more));
    budget.step(more.dict().entries.size());
    for (const auto &[key, value] : more.dict().entries) {
      if (!key.isString())
        fail("keywords must be strings");
      result.keyword.emplace_back(key.text(), value);
    }
  }
  return result;
}

bool contains(Interpreter &in, const Value &container, const Value &item) {
  switch (container.kind()) {
  case Kind::String:
    if (!item.isString())
      fail(std::string("'in <string>' requires string as left operand, not ") + typeName(item));
    in.budget.step(container.text().size() / 64);
    return container.text().find(item.text()) != std::string::npos;
  case Kind::Dict:
    return container.dict().find(item, in.budget) != nullptr;
  case Kind::Undefined:
  case Kind::List:
  case Kind::Tuple:
  case Kind::View:
  case Kind::Range:
  case Kind::Iterator:
    for (const Value &other : iterate(container, in.budget))
      if (equal(other, item, in.budget))
        return true;
    return false;
  default:
    fail(std::string("argument of type '") + typeName(container) + "' is not iterable");
  }
}

static bool holds(Interpreter &in, Operator op, const Value &left, const Value &right) {
  switch (op) {
  case Operator::Equal:
    return equal(left, right, in.budget);
  case Operator::NotEqual:
    return !equal(left, right, in.budget);
  case Operator::Less:
    return lessThan(left, right, in.budget);
  case Operator::Greater:
    return lessThan(right, left, in.budget);
  case Operator::LessEqual:
    return lessThan(left, right, in.budget) || equal(left, right, in.budget);
  case Operator::GreaterEqual:
    return lessThan(right, left, in.budget) || equal(left, right, in.budget);
  case Operator::In:
    return contains(in, right, left);
  default:
    return !contains(in, right, left);
  }
}

Value Interpreter::compare(const Expr &expr, const ScopePtr &scope) {
  Value left = evaluate(*expr.children[0], scope);
  for (size_t i = 0; i < expr.operators.size(); ++i) {
    Value right = evaluate(*expr.children[i + 1], scope);
    if (!holds(*this, expr.operators[i], left, right))
      return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Value Interpreter::applyFilter(const std::string &name, const Value &input, Arguments &arguments) {
  Function function = findFilter(name);
  if (!function)
    fail("the filter '" + name + "' is unknown or not supported");
  return function(*this, input, arguments);
}

bool Interpreter::applyTest(const std::string &name, const Value &input, Arguments &arguments) {
  TestFunction function = findTest(name);
  if (!function)
    fail("the test '" + name + "' is unknown or not supported");
  return function(*this, input, arguments);
}

/// A chain of filters over the text of a block; the innermost has no input of its own.
Value Interpreter::filterText(const Expr &filter, const Value &input, const ScopePtr &scope) {
  Value value = filter.children[0] ? filterText(*filter.children[0], input, scope) : input;
  line = filter.line;
  Arguments arguments = evaluateArgs(filter.args.get(), scope);
  return applyFilter(filter.name, value, arguments);
}

Value Interpreter::evaluateItem(const Expr &expr, const ScopePtr &scope) {
  Value object = evaluate(*expr.children[0], scope);
  const Expr &key = *expr.children[1];
  if (key.kind != ExprKind::Slice) {
    Value value = evaluate(key, scope);
    line = expr.line;
    return item(object, value);
  }
  Value parts[3];
  for (int i = 0; i < 3; ++i)
    if (key.children[size_t(i)])
      parts[i] = evaluate(*key.children[size_t(i)], scope);
  line = expr.line;
  return slice(object, parts[0], parts[1], parts[2]);
}

Value Interpreter::evaluate(const Expr &expr, const ScopePtr &scope) {
  DepthGuard guard(*this);
  budget.step();
  line = expr.line;
  switch (expr.kind) {
  case ExprKind::Constant:
    return expr.constant;
  case ExprKind::Name:
    return lookUp(expr.symbol, expr.name, scope);
  case ExprKind::List:
  case ExprKind::Tuple: {
    Values items;
    for (const ExprPtr &child : expr.children)
      items.push_back(evaluate(*child, scope));
    return expr.kind == ExprKind::List ? makeList(std::move(items), budget)
                                       : makeTuple(std::move(items), budget);
  }
  case ExprKind::Dict: {
    auto dict = std::make_shared<DictObject>();
    for (size_t i = 0; i < expr.children.size(); i += 2) {
      Value key = evaluate(*expr.children[i], scope);
      dict->set(std::move(key), evaluate(*expr.children[i + 1], scope), budget);
    }
    return Value::dict(std::move(dict));
  }
  case ExprKind::Attribute: {
    Value object = evaluate(*expr.children[0], scope);
    line = expr.line;
    return attribute(object, expr.name);
  }
  case ExprKind::Item:
    return evaluateItem(expr, scope);
  case ExprKind::Call: {
    Value callee = evaluate(*expr.children[0], scope);
    Arguments arguments = evaluateArgs(expr.args.get(), scope);
    line = expr.line;
    return call(callee, arguments);
  }
  case ExprKind::Filter:
  case ExprKind::Test: {
    Value input = evaluate(*expr.children[0], scope);
    Arguments arguments = evaluateArgs(expr.args.get(), scope);
    line = expr.line;
    if (expr.kind == ExprKind::Filter)
      return applyFilter(expr.name, input, arguments);
    return Value::boolean(applyTest(expr.name, input, arguments));
  }
  case ExprKind::Not:
    return Value::boolean(!isTrue(evaluate(*expr.children[0], scope)));
  case ExprKind::Negate:
  case ExprKind::Plus: {
    Value value = evaluate(*expr.children[0], scope);
    if (value.isUndefined())
      fail(value.undefinedMessage());
    if (!value.isNumber())
      fail(std::string("bad operand type for unary ") +
           (expr.kind == ExprKind::Negate ? "-" : "+") + ": '" + typeName(value) + "'");
    if (value.is(Kind::Float))
      return expr.kind == ExprKind::Plus ? value : Value::real(-value.asDouble());
    if (expr.kind == ExprKind::Plus)
      return Value::integer(value.asInt());
    return binaryOperation(*this, Operator::Subtract, Value::integer(0), value);
  }
  case ExprKind::And:
  case ExprKind::Or: {
    Value left = evaluate(*expr.children[0], scope);
    return isTrue(left) == (expr.kind == ExprKind::Or) ? left : evaluate(*expr.children[1], scope);
  }
  case ExprKind::Compare:
    return compare(expr, scope);
  case ExprKind::Concat: {
    std::string result;
    for (const ExprPtr &child : expr.children) {
      result += toText(evaluate(*child, scope), budget);
      budget.step(result.size() / 4096);
      if (result.size() > maxStringBytes)
        budget.string(result.size());
    }
    return text(std::move(result));
  }
  case ExprKind::Binary: {
    Value left = evaluate(*expr.children[0], scope);
    Value right = evaluate(*expr.children[1], scope);
    line = expr.line;
    return binaryOperation(*this, expr.operators[0], left, right);
  }
  case ExprKind::Conditional:
    if (isTrue(evaluate(*expr.children[0], scope)))
      return evaluate(*expr.children[1], scope);
    if (expr.children[2])
      return evaluate(*expr.children[2], scope);
    return Value::undefined("the inline if-expression on line " + std::to_string(expr.line) +
                            " evaluated to false and no else section was defined");
  case ExprKind::Slice:
    fail("a slice outside a subscript of its own is not supported");
  case ExprKind::NamespaceRef:
    break;
  }
  fail("an assignment target is evaluated");
}

Value Interpreter::call(const Value &callee, Arguments &arguments) {
  if (callee.isUndefined())
    fail(callee.undefinedMessage());
  if (!callee.is(Kind::Callable))
    fail(std::string("'") + typeName(callee) + "' object is not callable");
  return callee.callable().call(*this, arguments);
}

} // namespace qrt::jinja
