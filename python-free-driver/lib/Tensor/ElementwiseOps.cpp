//===- ElementwiseOps.cpp - Two and three operands with broadcasting --------------------------===//
#include "Tensor/ElementwiseOps.h"

#include "Tensor/Elements.h"

#include <cmath>
#include <cstring>

namespace qrt::tensor {

using Results = std::vector<Tensor>;

/// Broadcasts f over a and b, which have data: R is what f gives.
template <class R, class C, class F>
static void zip(const Tensor &a, const Tensor &b, const Shape &shape, R *to, F f) {
  Elements<C> left(a), right(b);
  const C *x = left.data(), *y = right.data();
  forEachRow<2>(shape, {broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape)},
                [&](int64_t at, const auto &offsets, int64_t length, const auto &steps) {
                  const C *u = x + offsets[0], *v = y + offsets[1];
                  R *row = to + at;
                  if (steps[0] == 1 && steps[1] == 1) {
                    for (int64_t i = 0; i < length; ++i)
                      row[i] = f(u[i], v[i]);
                  } else if (steps[0] == 1 && steps[1] == 0) {
                    const C other = *v;
                    for (int64_t i = 0; i < length; ++i)
                      row[i] = f(u[i], other);
                  } else {
                    for (int64_t i = 0; i < length; ++i)
                      row[i] = f(u[i * steps[0]], v[i * steps[1]]);
                  }
                });
}

static Status unequalTypes(const Tensor &a, const Tensor &b) {
  return invalidArgument("operands " + describe(a) + " and " + describe(b) +
                         " differ in element type");
}

/// y = f(a, b) in the type of the operands.
template <class F>
static Result<Results> arithmetic(Operands operands, F f) {
  const Tensor &a = *operands[0], &b = *operands[1];
  if (a.dtype != b.dtype)
    return unequalTypes(a, b);
  if (a.dtype == DType::Bool)
    return unsupported("is not defined for bool");
  QRT_ASSIGN_OR_RETURN(Shape shape, broadcastShapes(a.shape, b.shape));
  QRT_ASSIGN_OR_RETURN(Tensor result, abstractTensor(a.dtype, shape));
  if (isAbstract(a) || isAbstract(b))
    return Results{std::move(result)};
  return withComputeType(a.dtype, [&](auto type) -> Result<Results> {
    using C = decltype(type);
    std::vector<C> values(static_cast<size_t>(countOf(shape)));
    zip<C, C>(a, b, shape, values.data(), f);
    QRT_ASSIGN_OR_RETURN(Tensor y, pack(a.dtype, shape, std::move(values)));
    return Results{std::move(y)};
  });
}

/// A boolean f(a, b).
template <class F>
static Result<Results> compare(Operands operands, F f) {
  const Tensor &a = *operands[0], &b = *operands[1];
  if (a.dtype != b.dtype)
    return unequalTypes(a, b);
  QRT_ASSIGN_OR_RETURN(Shape shape, broadcastShapes(a.shape, b.shape));
  if (isAbstract(a) || isAbstract(b)) {
    QRT_ASSIGN_OR_RETURN(Tensor result, abstractTensor(DType::Bool, std::move(shape)));
    return Results{std::move(result)};
  }
  QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(DType::Bool, std::move(shape)));
  withComputeType(a.dtype, [&](auto type) {
    zip<uint8_t, decltype(type)>(a, b, fresh.tensor.shape, fresh.as<uint8_t>(), f);
  });
  return Results{std::move(fresh.tensor)};
}

template <class F>
static Result<Results> logical(Operands operands, F f) {
  for (const Tensor *operand : operands)
    if (operand->dtype != DType::Bool)
      return unsupported("is not defined for " + std::string(name(operand->dtype)));
  return compare(operands, f);
}

/// InvalidArgument where an integer divisor holds a 0 (and there is something to divide).
static Status checkDivisor(const Tensor &a, const Tensor &b) {
  if (isAbstract(b) || isFloat(b.dtype) || countOf(a) == 0)
    return Status::ok();
  for (int64_t value : Elements<int64_t>(b))
    if (value == 0)
      return invalidArgument("division of an integer by zero");
  return Status::ok();
}

template <class C>
static C quotient(C a, C b) {
  if constexpr (std::is_same_v<C, int64_t>)
    return b == -1 ? static_cast<C>(uint64_t(0) - static_cast<uint64_t>(a)) : a / b;
  else
    return a / b;
}

/// The sign of the remainder is that of b.
template <class C>
static C floorMod(C a, C b) {
  if constexpr (std::is_floating_point_v<C>) {
    const C rest = std::fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  } else if constexpr (std::is_same_v<C, int64_t>) {
    if (b == -1)
      return 0;
    const C rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  } else {
    return a % b;
  }
}

template <class C>
static C truncMod(C a, C b) {
  if constexpr (std::is_floating_point_v<C>)
    return std::fmod(a, b);
  else if constexpr (std::is_same_v<C, int64_t>)
    return b == -1 ? 0 : a % b;
  else
    return a % b;
}

static Result<Results> div(const OpCall &, Operands operands) {
  QRT_RETURN_IF_ERROR(checkDivisor(*operands[0], *operands[1]));
  return arithmetic(operands, [](auto a, auto b) { return quotient(a, b); });
}

static Result<Results> mod(const OpCall &call, Operands operands) {
  QRT_ASSIGN_OR_RETURN(int64_t fmod, intAttr(call, "fmod", 0));
  QRT_RETURN_IF_ERROR(checkDivisor(*operands[0], *operands[1]));
  if (fmod)
    return arithmetic(operands, [](auto a, auto b) { return truncMod(a, b); });
  return arithmetic(operands, [](auto a, auto b) { return floorMod(a, b); });
}

/// By squaring, wrapping as products do. A negative exponent truncates 1 / a^n towards zero.
static uint64_t integerPower(int64_t base, int64_t exponent) {
  if (exponent < 0)
    return base == 1 ? 1 : base == -1 ? (exponent % 2 ? ~uint64_t(0) : 1) : 0;
  uint64_t result = 1, factor = static_cast<uint64_t>(base);
  for (; exponent; exponent >>= 1, factor *= factor)
    if (exponent & 1)
      result *= factor;
  return result;
}

static Result<Results> pow(const OpCall &, Operands operands) {
  const Tensor &a = *operands[0], &b = *operands[1];
  if (a.dtype == DType::Bool || b.dtype == DType::Bool)
    return unsupported("is not defined for bool");
  QRT_ASSIGN_OR_RETURN(Shape shape, broadcastShapes(a.shape, b.shape));
  QRT_ASSIGN_OR_RETURN(Tensor result, abstractTensor(a.dtype, shape));
  if (isAbstract(a) || isAbstract(b))
    return Results{std::move(result)};
  const auto count = static_cast<size_t>(countOf(shape));
  if (!isFloat(a.dtype) && !isFloat(b.dtype)) {
    std::vector<int64_t> values(count);
    zip<int64_t, int64_t>(a, b, shape, values.data(), [](int64_t x, int64_t y) {
      return static_cast<int64_t>(integerPower(x, y));
    });
    QRT_ASSIGN_OR_RETURN(result, pack(a.dtype, shape, std::move(values)));
  } else {
    // In double, rounded once: x^2 and sqrt-like powers then agree with products and roots.
    std::vector<double> values(count);
    zip<double, double>(a, b, shape, values.data(),
                        [](double x, double y) { return std::pow(x, y); });
    QRT_ASSIGN_OR_RETURN(result, pack(a.dtype, shape, std::move(values)));
  }
  return Results{std::move(result)};
}

/// Elements of size T, chosen without looking at them.
template <class T>
static void choose(const Tensor &condition, const Tensor &a, const Tensor &b,
                   const FreshTensor &y) {
  const Shape &shape = y.tensor.shape;
  const auto *test = static_cast<const uint8_t *>(condition.data.get());
  const T *left = static_cast<const T *>(a.data.get());
  const T *right = static_cast<const T *>(b.data.get());
  forEachRow<3>(shape,
                {broadcastStrides(condition.shape, shape), broadcastStrides(a.shape, shape),
                 broadcastStrides(b.shape, shape)},
                [&](int64_t at, const auto &offsets, int64_t length, const auto &steps) {
                  T *row = y.as<T>() + at;
                  for (int64_t i = 0; i < length; ++i)
                    row[i] = test[offsets[0] + i * steps[0]] ? left[offsets[1] + i * steps[1]]
                                                             : right[offsets[2] + i * steps[2]];
                });
}

static Result<Results> where(const OpCall &, Operands operands) {
  const Tensor &condition = *operands[0], &a = *operands[1], &b = *operands[2];
  if (condition.dtype != DType::Bool)
    return invalidArgument("the condition is " + describe(condition) + ", not bool");
  if (a.dtype != b.dtype)
    return unequalTypes(a, b);
  QRT_ASSIGN_OR_RETURN(Shape both, broadcastShapes(a.shape, b.shape));
  QRT_ASSIGN_OR_RETURN(Shape shape, broadcastShapes(condition.shape, both));
  if (isAbstract(condition) || isAbstract(a) || isAbstract(b)) {
    QRT_ASSIGN_OR_RETURN(Tensor result, abstractTensor(a.dtype, std::move(shape)));
    return Results{std::move(result)};
  }
  QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(a.dtype, std::move(shape)));
  switch (byteWidth(a.dtype)) {
  case 1:
    choose<uint8_t>(condition, a, b, fresh);
    break;
  case 2:
    choose<uint16_t>(condition, a, b, fresh);
    break;
  case 4:
    choose<uint32_t>(condition, a, b, fresh);
    break;
  default:
    choose<uint64_t>(condition, a, b, fresh);
  }
  return Results{std::move(fresh.tensor)};
}

static Result<Results> clip(const OpCall &, Operands operands) {
  const Tensor &x = *operands[0];
  Operands bounds = operands.subspan(1);
  bool abstract = isAbstract(x);
  for (const Tensor *bound : bounds) {
    if (!bound)
      continue;
    if (bound->dtype != x.dtype)
      return unequalTypes(x, *bound);
    if (countOf(*bound) != 1)
      return invalidArgument("a bound has shape " + shapeText(bound->shape) + ", not one element");
    abstract |= isAbstract(*bound);
  }
  if (x.dtype == DType::Bool)
    return unsupported("is not defined for bool");
  if (abstract)
    return Results{Tensor{x.dtype, x.shape, nullptr}};
  return withComputeType(x.dtype, [&](auto type) -> Result<Results> {
    using C = decltype(type);
    std::vector<C> values(static_cast<size_t>(countOf(x)));
    loadElements(x, values.data());
    if (!bounds.empty() && bounds[0]) {
      const C low = Elements<C>(*bounds[0])[0];
      for (C &value : values)
        value = value < low ? low : value;
    }
    if (bounds.size() > 1 && bounds[1]) {
      const C high = Elements<C>(*bounds[1])[0];
      for (C &value : values)
        value = value > high ? high : value;
    }
    QRT_ASSIGN_OR_RETURN(Tensor result, pack(x.dtype, x.shape, std::move(values)));
    return Results{std::move(result)};
  });
}

/// Sums and products of signed integers wrap.
template <class C>
using Wrapping = std::conditional_t<std::is_integral_v<C>, uint64_t, C>;

#define QRT_ZIP(How, ...)                                                                          \
  {2, 2, [](const OpCall &, Operands operands) {                                                   \
     return How(operands, [](auto a, auto b) {                                                     \
       using C = decltype(a);                                                                      \
       using W = Wrapping<C>;                                                                      \
       (void)C(), (void)W();                                                                       \
       return __VA_ARGS__;                                                                         \
     });                                                                                           \
   }}

void addElementwiseOps(OpTable &table) {
  addUnaryOps(table);
  table["add"] = QRT_ZIP(arithmetic, static_cast<C>(W(a) + W(b)));
  table["sub"] = QRT_ZIP(arithmetic, static_cast<C>(W(a) - W(b)));
  table["mul"] = QRT_ZIP(arithmetic, static_cast<C>(W(a) * W(b)));
  // A NaN among the two is the result, as in ONNX Runtime.
  table["min"] = QRT_ZIP(arithmetic, a != a || a < b ? a : b);
  table["max"] = QRT_ZIP(arithmetic, a != a || a > b ? a : b);
  table["div"] = {2, 2, div};
  table["mod"] = {2, 2, mod};
  table["pow"] = {2, 2, pow};
  table["equal"] = QRT_ZIP(compare, a == b);
  table["less"] = QRT_ZIP(compare, a < b);
  table["less_equal"] = QRT_ZIP(compare, a <= b);
  table["greater"] = QRT_ZIP(compare, a > b);
  table["greater_equal"] = QRT_ZIP(compare, a >= b);
  table["and"] = QRT_ZIP(logical, a && b);
  table["or"] = QRT_ZIP(logical, a || b);
  table["xor"] = QRT_ZIP(logical, (a != 0) != (b != 0));
  table["where"] = {3, 3, where};
  table["clip"] = {1, 3, clip};
}

#undef QRT_ZIP

} // namespace qrt::tensor
