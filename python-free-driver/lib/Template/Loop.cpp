//===- Loop.cpp - The for statement and the loop variable -------------------------------------===//
#include "Template/DepthGuard.h"
#include "Template/Interpreter.h"

#include <functional>

namespace qrt::jinja {

namespace {
/// The items of a loop. The condition of `for ... if` is asked item by item, as late as Jinja asks
/// it: the body may change what it depends on.
struct Items {
  Values source;
  size_t position = 0;
  std::function<bool(const Value &)> accept; // null: all
  std::optional<Value> ahead;

  const Value *peek() {
    while (!ahead && position < source.size()) {
      const Value &item = source[position++];
      if (!accept || accept(item))
        ahead = item;
    }
    return ahead ? &*ahead : nullptr;
  }
  std::optional<Value> take() {
    peek();
    return std::exchange(ahead, std::nullopt);
  }
  /// Asks the condition for all that is left.
  size_t rest() {
    Values left;
    while (auto item = take())
      left.push_back(std::move(*item));
    source = std::move(left);
    position = 0;
    accept = nullptr;
    return source.size();
  }
};

struct LoopObject : CallableObject, std::enable_shared_from_this<LoopObject> {
  const Stmt *stmt = nullptr;
  ScopePtr scope; // where the loop stands
  Items items;
  int depth0 = 0;
  int64_t index0 = -1;
  std::optional<int64_t> knownLength;
  Value current, before, answer;
  std::optional<Values> lastChanged;

  int64_t length() {
    if (!knownLength)
      knownLength = int64_t(items.rest()) + index0 + 1;
    return *knownLength;
  }
  /// A loop value may outlive its loop; it then keeps nothing alive and refers to no frame.
  void finish() {
    items = {};
    scope = nullptr;
    current = before = answer = Value();
    lastChanged = std::nullopt;
  }
  Value call(Interpreter &interpreter, Arguments &arguments) override;
  const Value *attribute(Interpreter &interpreter, const std::string &name) override;
};

struct LoopMethod : CallableObject {
  std::weak_ptr<LoopObject> loop;
  Value call(Interpreter &interpreter, Arguments &arguments) override;
};
} // namespace

Value LoopObject::call(Interpreter &interpreter, Arguments &arguments) {
  Parameters p("loop", arguments, {"iterable"}, 1);
  if (!scope)
    fail("the loop is over");
  if (!stmt->recursive)
    fail("the loop must have the 'recursive' marker to be called recursively");
  return interpreter.text(interpreter.renderLoop(*stmt, scope, p[0], depth0 + 1));
}

Value LoopMethod::call(Interpreter &interpreter, Arguments &arguments) {
  auto object = loop.lock();
  if (!object)
    fail("the loop is over");
  if (name == "cycle") {
    if (arguments.positional.empty())
      fail("no items for cycling given");
    return arguments.positional[size_t(object->index0) % arguments.positional.size()];
  }
  auto &last = object->lastChanged;
  bool same = last && last->size() == arguments.positional.size();
  for (size_t i = 0; same && i < last->size(); ++i)
    same = equal((*last)[i], arguments.positional[i], interpreter.budget);
  if (!same)
    last = arguments.positional;
  return Value::boolean(!same);
}

const Value *LoopObject::attribute(Interpreter &, const std::string &attributeName) {
  auto integer = [&](int64_t value) {
    answer = Value::integer(value);
    return &answer;
  };
  auto boolean = [&](bool value) {
    answer = Value::boolean(value);
    return &answer;
  };
  if (attributeName == "index0")
    return integer(index0);
  if (attributeName == "index")
    return integer(index0 + 1);
  if (attributeName == "first")
    return boolean(index0 == 0);
  if (attributeName == "last")
    return boolean(items.peek() == nullptr);
  if (attributeName == "length")
    return integer(length());
  if (attributeName == "revindex")
    return integer(length() - index0);
  if (attributeName == "revindex0")
    return integer(length() - index0 - 1);
  if (attributeName == "depth")
    return integer(depth0 + 1);
  if (attributeName == "depth0")
    return integer(depth0);
  if (attributeName == "previtem") {
    answer = index0 == 0 ? Value::undefined("there is no previous item") : before;
    return &answer;
  }
  if (attributeName == "cycle" || attributeName == "changed") {
    auto method = std::make_shared<LoopMethod>();
    method->name = attributeName;
    method->loop = weak_from_this();
    answer = Value::callable(std::move(method));
    return &answer;
  }
  if (attributeName == "nextitem") {
    const Value *next = items.peek();
    answer = next ? *next : Value::undefined("there is no next item");
    return &answer;
  }
  return nullptr;
}

Flow Interpreter::executeLoop(const Stmt &stmt, const ScopePtr &scope, const Value &items,
                              int loopDepth) {
  auto loop = std::make_shared<LoopObject>();
  loop->name = "loop";
  loop->stmt = &stmt;
  loop->scope = scope;
  loop->depth0 = loopDepth;
  loop->items.source = iterate(items, budget);
  if (stmt.test)
    loop->items.accept = [this, &stmt, &scope](const Value &item) {
      auto inner = std::make_shared<Scope>();
      inner->parent = scope;
      assign(*stmt.target, item, inner);
      return isTrue(evaluate(*stmt.test, inner));
    };
  else
    loop->knownLength = int64_t(loop->items.source.size());

  Value loopValue = Value::callable(loop);
  const int loopSymbol = source.symbols.at("loop");
  Flow flow = Flow::Normal;
  while (auto item = loop->items.take()) {
    budget.step();
    ++loop->index0;
    loop->before = std::exchange(loop->current, *item);
    auto inner = std::make_shared<Scope>();
    inner->parent = scope;
    inner->variables.emplace_back(loopSymbol, loopValue);
    assign(*stmt.target, *item, inner);
    flow = execute(stmt.bodies[0], inner);
    if (flow == Flow::Break)
      break;
  }
  const bool empty = loop->index0 < 0;
  loop->finish();
  if (empty && stmt.bodies.size() > 1) {
    auto inner = std::make_shared<Scope>();
    inner->parent = scope;
    return execute(stmt.bodies[1], inner);
  }
  return Flow::Normal;
}

std::string Interpreter::renderLoop(const Stmt &stmt, const ScopePtr &scope, const Value &items,
                                    int loopDepth) {
  DepthGuard guard(*this);
  std::string outer = std::exchange(output, {});
  executeLoop(stmt, scope, items, loopDepth);
  return std::exchange(output, std::move(outer));
}

} // namespace qrt::jinja
