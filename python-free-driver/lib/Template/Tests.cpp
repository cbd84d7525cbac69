//===- Tests.cpp - What stands behind `is` ----------------------------------------------------===//
#include "Template/Interpreter.h"
#include "Template/TextSplit.h"

namespace qrt::jinja {

static void none(Arguments &arguments) { Parameters p("test", arguments, {}); }

template <Kind kind>
static bool isKind(Interpreter &, const Value &input, Arguments &arguments) {
  none(arguments);
  return input.is(kind);
}
static bool isDefined(Interpreter &, const Value &input, Arguments &arguments) {
  none(arguments);
  return !input.isUndefined();
}
template <bool wanted>
static bool isBoolean(Interpreter &, const Value &input, Arguments &arguments) {
  none(arguments);
  return input.is(Kind::Bool) && input.asBool() == wanted;
}
static bool isNumber(Interpreter &, const Value &input, Arguments &arguments) {
  none(arguments);
  return input.isNumber();
}
static bool isSequence(Interpreter &, const Value &input, Arguments &arguments) {
  none(arguments);
  // What has a length and can be indexed: an undefined value, too.
  return input.isUndefined() || input.isString() || input.isSequence() || input.is(Kind::Dict) ||
         input.is(Kind::Range);
}
static bool isIterableTest(Interpreter &, const Value &input, Arguments &arguments) {
  none(arguments);
  return isIterable(input);
}
static bool isCallable(Interpreter &, const Value &input, Arguments &arguments) {
  none(arguments);
  return input.is(Kind::Callable) || input.isUndefined(); // Undefined has a __call__ that raises
}
static bool isEscaped(Interpreter &, const Value &input, Arguments &arguments) {
  none(arguments);
  return input.isMarkup();
}
static bool isUpper(Interpreter &in, const Value &input, Arguments &arguments) {
  none(arguments);
  return isUpperText(toText(input, in.budget));
}
static bool isLower(Interpreter &in, const Value &input, Arguments &arguments) {
  none(arguments);
  return isLowerText(toText(input, in.budget));
}

static Value remainder(Interpreter &in, const Value &input, const Value &divisor) {
  return binaryOperation(in, Operator::Modulo, input, divisor);
}
template <int wanted>
static bool hasParity(Interpreter &in, const Value &input, Arguments &arguments) {
  none(arguments);
  return equal(remainder(in, input, Value::integer(2)), Value::integer(wanted), in.budget);
}
static bool isDivisibleBy(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("divisibleby", arguments, {"num"}, 1);
  return equal(remainder(in, input, p[0]), Value::integer(0), in.budget);
}

static bool isSame(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("sameas", arguments, {"other"}, 1);
  if (input.kind() != p[0].kind())
    return false;
  if (input.object() || p[0].object())
    return input.object() == p[0].object() ||
           (input.isString() && input.text() == p[0].text() && input.text().size() < 2);
  return equal(input, p[0], in.budget);
}
static bool isIn(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("in", arguments, {"seq"}, 1);
  return contains(in, p[0], input);
}
static bool isFilter(Interpreter &in, const Value &input, Arguments &arguments) {
  none(arguments);
  return input.isString() && findFilter(input.text());
}
static bool isTest(Interpreter &in, const Value &input, Arguments &arguments) {
  none(arguments);
  return input.isString() && findTest(input.text());
}

template <bool negate>
static bool isEqual(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("eq", arguments, {"/other"}, 1);
  return equal(input, p[0], in.budget) != negate;
}
/// swap: the other value stands left; orEqual: equality suffices.
template <bool swap, bool orEqual>
static bool isOrdered(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("comparison", arguments, {"/other"}, 1);
  if (swap ? lessThan(p[0], input, in.budget) : lessThan(input, p[0], in.budget))
    return true;
  return orEqual && equal(input, p[0], in.budget);
}

TestFunction findTest(std::string_view name) {
  static constexpr std::pair<std::string_view, TestFunction> table[] = {
      {"odd", hasParity<1>},
      {"even", hasParity<0>},
      {"divisibleby", isDivisibleBy},
      {"defined", isDefined},
      {"undefined", isKind<Kind::Undefined>},
      {"filter", isFilter},
      {"test", isTest},
      {"none", isKind<Kind::None>},
      {"boolean", isKind<Kind::Bool>},
      {"false", isBoolean<false>},
      {"true", isBoolean<true>},
      {"integer", isKind<Kind::Int>},
      {"float", isKind<Kind::Float>},
      {"lower", isLower},
      {"upper", isUpper},
      {"string", isKind<Kind::String>},
      {"mapping", isKind<Kind::Dict>},
      {"number", isNumber},
      {"sequence", isSequence},
      {"iterable", isIterableTest},
      {"callable", isCallable},
      {"sameas", isSame},
      {"escaped", isEscaped},
      {"in", isIn},
      {"==", isEqual<false>},
      {"eq", isEqual<false>},
      {"equalto", isEqual<false>},
      {"!=", isEqual<true>},
      {"ne", isEqual<true>},
      {">", isOrdered<true, false>},
      {"gt", isOrdered<true, false>},
      {"greaterthan", isOrdered<true, false>},
      {">=", isOrdered<true, true>},
      {"ge", isOrdered<true, true>},
      {"<", isOrdered<false, false>},
      {"lt", isOrdered<false, false>},
      {"lessthan", isOrdered<false, false>},
      {"<=", isOrdered<false, true>},
      {"le", isOrdered<false, true>},
  };
  for (const auto &[entry, function] : table)
    if (entry == name)
      return function;
  return nullptr;
}

} // namespace qrt::jinja
