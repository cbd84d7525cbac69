//===- Arithmetic.cpp - Operators with Python's meaning ---------------------------------------===//
#include "Template/Interpreter.h"

#include <cmath>

namespace qrt::jinja {

static const char *symbolOf(Operator op) {
  static constexpr const char *symbols[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};
  return symbols[size_t(op)];
}

static std::optional<int64_t> integerPower(int64_t base, int64_t exponent) {
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) && __builtin_mul_overflow(result, base, &result))
      return std::nullopt;
    exponent >>= 1;
    if (exponent && __builtin_mul_overflow(base, base, &base))
      return std::nullopt;
  }
  return result;
}

static std::optional<int64_t> integerOperation(Operator op, int64_t a, int64_t b) {
  int64_t r = 0;
  switch (op) {
  case Operator::Add:
    return __builtin_add_overflow(a, b, &r) ? std::nullopt : std::optional(r);
  case Operator::Subtract:
    return __builtin_sub_overflow(a, b, &r) ? std::nullopt : std::optional(r);
  case Operator::Multiply:
    return __builtin_mul_overflow(a, b, &r) ? std::nullopt : std::optional(r);
  case Operator::FloorDivide:
    if (a == INT64_MIN && b == -1)
      return std::nullopt;
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
  case Operator::Modulo:
    if (b == -1)
      return 0;
    r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
  default:
    return integerPower(a, b);
  }
}

static double floorModulo(double a, double b) {
  double r = std::fmod(a, b);
  if (r != 0 && (r < 0) != (b < 0))
    r += b;
  else if (r == 0)
    r = std::copysign(0.0, b);
  return r;
}

static Value numberOperation(Operator op, const Value &left, const Value &right) {
  bool divides = op == Operator::Divide || op == Operator::FloorDivide || op == Operator::Modulo;
  if (divides && right.asDouble() == 0)
    fail(left.isIntegral() && right.isIntegral() && op != Operator::Divide
             ? "integer division or modulo by zero"
             : "division by zero");
  bool integers = left.isIntegral() && right.isIntegral();
  bool fractional =
      op == Operator::Divide || (op == Operator::Power && integers && right.asInt() < 0);
  if (integers && !fractional) {
    if (auto result = integerOperation(op, left.asInt(), right.asInt()))
      return Value::integer(*result);
    failUnsupported("the result of an integer operation does not fit 64 bits");
  }
  double a = left.asDouble(), b = right.asDouble();
  switch (op) {
  case Operator::Add:
    return Value::real(a + b);
  case Operator::Subtract:
    return Value::real(a - b);
  case Operator::Multiply:
    return Value::real(a * b);
  case Operator::Divide:
    return Value::real(a / b);
  case Operator::FloorDivide:
    return Value::real(std::floor((a - floorModulo(a, b)) / b + 0.5));
  case Operator::Modulo:
    return Value::real(floorModulo(a, b));
  default: {
    if (a == 0 && b < 0)
      fail("0.0 cannot be raised to a negative power");
    if (a < 0 && b != std::floor(b))
      failUnsupported("complex numbers are not supported");
    double result = std::pow(a, b);
    if (std::isinf(result) && !std::isinf(a) && !std::isinf(b))
      fail("the result of a power is too large");
    return Value::real(result);
  }
  }
}

static Value repeat(Interpreter &in, const Value &sequence, int64_t count) {
  uint64_t times = count > 0 ? uint64_t(count) : 0;
  if (sequence.isString()) {
    const std::string &text = sequence.text();
    uint64_t size = 0;
    if (__builtin_mul_overflow(uint64_t(text.size()), times, &size) || size > maxStringBytes)
      failLimit("a string grows over " + std::to_string(maxStringBytes >> 20) + " MiB");
    in.budget.string(size);
    std::string result;
    result.reserve(size);
    for (uint64_t i = 0; i < times && !text.empty(); ++i)
      result += text;
    return Value::string(std::move(result), sequence.isMarkup());
  }
  const Values &items = sequence.items();
  uint64_t size = 0;
  if (__builtin_mul_overflow(uint64_t(items.size()) * sizeof(Value), times, &size))
    failLimit("a list grows too long");
  in.budget.bytes(size);
  Values result;
  for (uint64_t i = 0; i < times && !items.empty(); ++i)
    result.insert(result.end(), items.begin(), items.end());
  return sequence.is(Kind::List) ? Value::list(std::move(result)) : Value::tuple(std::move(result));
}

static Value addStrings(Interpreter &in, const Value &left, const Value &right) {
  // Text marked safe escapes what is added to it.
  bool markup = left.isMarkup() || right.isMarkup();
  auto part = [&](const Value &value) {
    return markup && !value.isMarkup() ? escapeHtml(value.text()) : value.text();
  };
  in.budget.string(left.text().size() + right.text().size());
  return Value::string(part(left) + part(right), markup);
}

Value binaryOperation(Interpreter &in, Operator op, const Value &left, const Value &right) {
  if (op == Operator::Modulo && left.isString())
    return in.text(percentFormat(in, left.text(), right));
  for (const Value *value : {&left, &right})
    if (value->isUndefined())
      fail(value->undefinedMessage());
  if (left.isNumber() && right.isNumber())
    return numberOperation(op, left, right);
  if (op == Operator::Add) {
    if (left.isString() && right.isString())
      return addStrings(in, left, right);
    if (left.isSequence() && left.kind() == right.kind()) {
      Values items = left.items();
      items.insert(items.end(), right.items().begin(), right.items().end());
      return left.is(Kind::List) ? makeList(std::move(items), in.budget)
                                 : makeTuple(std::move(items), in.budget);
    }
    if (left.isString())
      fail(std::string("can only concatenate str (not \"") + typeName(right) + "\") to str");
  }
  if (op == Operator::Multiply) {
    if ((left.isString() || left.isSequence()) && right.isIntegral())
      return repeat(in, left, right.asInt());
    if ((right.isString() || right.isSequence()) && left.isIntegral())
      return repeat(in, right, left.asInt());
  }
  fail(std::string("unsupported operand type(s) for ") + symbolOf(op) + ": '" + typeName(left) +
       "' and '" + typeName(right) + "'");
}

} // namespace qrt::jinja
