//===- Ast.h - The syntax tree of a template --------------------------------------------------===//
// Names are interned: a symbol is an index into Template::symbols. Trees are no deeper than
// maxSyntaxDepth, so recursion over them is safe.
// Thread safety: immutable once parsed.
#ifndef QRT_TEMPLATE_AST_H
#define QRT_TEMPLATE_AST_H

#include "Template/Value.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace qrt::jinja {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

enum class ExprKind : uint8_t {
  Constant,     // constant
  Name,         // symbol, name
  NamespaceRef, // symbol, name: the namespace; attribute (targets only)
  List,         // children
  Tuple,        // children
  Dict,         // children: key, value, key, value ...
  Attribute,    // children[0].name
  Item,         // children[0][children[1]]
  Slice,        // children: start, stop, step, each possibly null
  Call,         // children[0](args)
  Filter,       // children[0] (null: the text of a block) | name(args)
  Test,         // children[0] is name(args)
  Not,
  Negate,
  Plus,
  And,
  Or,
  Compare,     // children[0] operators[0] children[1] ...
  Concat,      // children, joined as text
  Binary,      // operators[0]
  Conditional, // children: test, then, else (possibly null)
};

enum class Operator : uint8_t {
  Add,
  Subtract,
  Multiply,
  Divide,
  FloorDivide,
  Modulo,
  Power,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  In,
  NotIn
};

/// Arguments as written.
struct CallArgs {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<std::string, ExprPtr>> keyword;
  ExprPtr star, starStar;
};

struct Expr {
  ExprKind kind;
  int line = 0;
  int depth = 1;
  int symbol = -1;
  Value constant;
  std::string name;
  std::string attribute;
  std::vector<ExprPtr> children;
  std::vector<Operator> operators;
  std::unique_ptr<CallArgs> args;
};

struct Stmt;
using Body = std::vector<std::unique_ptr<Stmt>>;

/// Parameters and body of a macro, a call block's caller, or a generation block.
struct MacroDef {
  std::string name;
  std::vector<int> parameters; // symbols
  std::vector<std::string> parameterNames;
  std::vector<ExprPtr> defaults; // of the last parameters
  bool usesCaller = false, usesKwargs = false, usesVarargs = false;
  Body *body = nullptr; // of the statement that owns this
};

enum class StmtKind : uint8_t {
  Text,        // text
  Print,       // expressions
  If,          // expressions[i] guards bodies[i]; one more body is the else
  For,         // target, expressions[0] iterable, test, recursive; bodies: loop, else
  Set,         // target, expressions[0]
  SetBlock,    // target, expressions[0] filter or null, bodies[0]
  With,        // targets, expressions, bodies[0]
  Macro,       // macro
  CallBlock,   // macro: the caller; expressions[0] the call
  FilterBlock, // expressions[0], bodies[0]
  Generation,  // bodies[0]: printed as it is, in a scope of its own
  Block,       // bodies[0]: sees the template's own variables only
  Break,
  Continue,
};

struct Stmt {
  StmtKind kind;
  int line = 0;
  std::string text;
  ExprPtr target, test;
  std::vector<ExprPtr> targets;
  std::vector<ExprPtr> expressions;
  std::vector<Body> bodies;
  std::unique_ptr<MacroDef> macro;
  bool recursive = false;
};

struct Template {
  Body body;
  std::unordered_map<std::string, int> symbols;
  std::vector<std::string> symbolNames;

  int intern(const std::string &name) {
    auto [it, isNew] = symbols.try_emplace(name, int(symbolNames.size()));
    if (isNew)
      symbolNames.push_back(name);
    return it->second;
  }
};

} // namespace qrt::jinja

#endif // QRT_TEMPLATE_AST_H
