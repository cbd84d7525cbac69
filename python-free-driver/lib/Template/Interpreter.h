//===- Interpreter.h - Evaluation of a template -----------------------------------------------===//
// Walks the syntax tree. Scopes form a chain: a loop iteration, a macro call, `with` and the bodies
// of block assignments open one; `if` does not. An assignment stays in its scope, as in Jinja.
// Thread safety: one render(), one thread.
#ifndef QRT_TEMPLATE_INTERPRETER_H
#define QRT_TEMPLATE_INTERPRETER_H

#include "Template/Ast.h"
#include "Template/Functions.h"

#include <optional>

namespace qrt::jinja {

struct Scope;
using ScopePtr = std::shared_ptr<Scope>;

struct Scope {
  ScopePtr parent;
  std::vector<std::pair<int, Value>> variables;
  void set(int symbol, Value value);
};

enum class Flow : uint8_t { Normal, Break, Continue };

class Interpreter {
public:
  Interpreter(const Template &source, std::optional<int64_t> now);
  ~Interpreter();
  Interpreter(const Interpreter &) = delete;

  /// A variable of the outermost scope; ignored if the template never names it.
  void define(const std::string &name, Value value);
  std::string run();

  Budget budget;
  int line = 0; ///< of what is evaluated
  std::optional<int64_t> now;

  Value evaluate(const Expr &expr, const ScopePtr &scope);
  Value call(const Value &callee, Arguments &arguments);
  /// object.name and object[key] as the sandboxed environment resolves them.
  Value attribute(const Value &object, const std::string &name);
  Value item(const Value &object, const Value &key);
  Value slice(const Value &object, const Value &start, const Value &stop, const Value &step);
  Value applyFilter(const std::string &name, const Value &input, Arguments &arguments);
  bool applyTest(const std::string &name, const Value &input, Arguments &arguments);
  Value invokeMacro(const MacroDef &macro, const ScopePtr &closure, Arguments &arguments);
  /// The body of a loop over `items`: what loop(...) of a recursive loop does.
  std::string renderLoop(const Stmt &stmt, const ScopePtr &scope, const Value &items, int depth);

  Value text(std::string value) { return makeString(std::move(value), budget); }
  /// Values that can refer to themselves are emptied when rendering ends.
  void track(const std::shared_ptr<NamespaceObject> &object);

private:
  friend struct DepthGuard;
  const Template &source;
  ScopePtr root;
  std::string output;
  int depth = 0;
  std::vector<std::shared_ptr<NamespaceObject>> namespaces;
  std::vector<ScopePtr> captured; // what macros close over

  void emit(std::string_view text);
  Value lookUp(int symbol, const std::string &name, const ScopePtr &scope);
  void assign(const Expr &target, const Value &value, const ScopePtr &scope);
  Arguments evaluateArgs(const CallArgs *args, const ScopePtr &scope);
  Value compare(const Expr &expr, const ScopePtr &scope);
  Value filterText(const Expr &filters, const Value &input, const ScopePtr &scope);
  Value evaluateItem(const Expr &expr, const ScopePtr &scope);

  Flow execute(const Body &body, const ScopePtr &scope);
  Flow execute(const Stmt &stmt, const ScopePtr &scope);
  Flow executeLoop(const Stmt &stmt, const ScopePtr &scope, const Value &items, int depth);
  void executeCallBlock(const Stmt &stmt, const ScopePtr &scope);
  std::string capture(const Body &body, const ScopePtr &scope, Flow *flow = nullptr);
  Value makeMacro(const MacroDef &macro, const ScopePtr &scope);
};

} // namespace qrt::jinja

#endif // QRT_TEMPLATE_INTERPRETER_H
