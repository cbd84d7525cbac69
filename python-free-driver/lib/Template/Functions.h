//===- Functions.h - Filters, tests, methods and global functions -----------------------------===//
// One table per kind, by name. Functions get evaluated arguments, charge what they make to the
// interpreter's budget and throw TemplateError.
// Thread safety: the tables are constant.
#ifndef QRT_TEMPLATE_FUNCTIONS_H
#define QRT_TEMPLATE_FUNCTIONS_H

#include "Template/Ast.h"
#include "Template/Value.h"

#include <initializer_list>

namespace qrt::jinja {

/// `input`: what stands before the `|` or `is`, or the object of a method.
using Function = Value (*)(Interpreter &interpreter, const Value &input, Arguments &arguments);
using TestFunction = bool (*)(Interpreter &interpreter, const Value &input, Arguments &arguments);

/// Null if there is none.
Function findFilter(std::string_view name);
TestFunction findTest(std::string_view name);
/// A method of the value's type.
Function findMethod(const Value &object, std::string_view name);
/// The type has such a method, but the sandbox forbids it (list.append ...).
bool isForbiddenAttribute(const Value &object, std::string_view name);
/// range, dict, namespace, joiner, raise_exception, strftime_now.
Function findGlobal(std::string_view name);

// The parts of the filter table, by file.
Function findTextFilter(std::string_view name);
Function findSequenceFilter(std::string_view name);
Function findSelectionFilter(std::string_view name);
Function findNumberFilter(std::string_view name);
Function findTextMethod(std::string_view name);

/// Binds arguments to parameters as Python does, positional ones first.
class Parameters {
public:
  /// `names`: all parameters; the first `required` must be given. A name that starts with '/' takes
  /// positional arguments only. TypeError names `function`.
  Parameters(std::string_view function, Arguments &arguments,
             std::initializer_list<std::string_view> names, size_t required = 0);

  bool has(size_t i) const { return given[i]; }
  /// None if it was not given.
  const Value &operator[](size_t i) const { return values[i]; }
  int64_t integer(size_t i, int64_t otherwise) const;
  bool truth(size_t i, bool otherwise) const;
  /// A str, or an error that names the parameter.
  const std::string &text(size_t i) const;

private:
  std::string function;
  std::vector<std::string_view> names;
  Values values;
  std::vector<bool> given;
};

/// Value of an attribute path: "a.b.0", an integer, or None (the item itself).
class AttributePath {
public:
  AttributePath(const Value &path);
  Value of(Interpreter &interpreter, const Value &item, const Value *otherwise = nullptr) const;

private:
  std::vector<Value> parts;
};

/// str.format and the % operator on strings.
std::string formatText(Interpreter &interpreter, const std::string &format, Arguments &arguments);
std::string percentFormat(Interpreter &interpreter, const std::string &format, const Value &values);

std::string escapeHtml(std::string_view text);
Value binaryOperation(Interpreter &interpreter, Operator op, const Value &left, const Value &right);
bool contains(Interpreter &interpreter, const Value &container, const Value &item);

} // namespace qrt::jinja

#endif // QRT_TEMPLATE_FUNCTIONS_H
