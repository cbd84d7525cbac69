//===- UnaryOps.cpp - One operand, element by element, and cast -------------------------------===//
#include "Tensor/ElementwiseOps.h"

#include "Tensor/Elements.h"

#include <cmath>
#include <numbers>

namespace qrt::tensor {

using Results = std::vector<Tensor>;

static Status floatsOnly(const Tensor &x) {
  return unsupported("is not defined for " + std::string(name(x.dtype)));
}

/// y = f(x) in the compute type; f takes float and double, and integers where `Integers`.
template <bool Integers, class F>
static Result<Results> map(const Tensor &x, F f) {
  if (x.dtype == DType::Bool || (!Integers && !isFloat(x.dtype)))
    return floatsOnly(x);
  if (isAbstract(x))
    return Results{x};
  return withComputeType(x.dtype, [&](auto type) -> Result<Results> {
    using C = decltype(type);
    if constexpr (Integers || std::is_floating_point_v<C>) {
      Elements<C> from(x);
      std::vector<C> values(from.size());
      for (size_t i = 0; i < values.size(); ++i)
        values[i] = f(from[i]);
      QRT_ASSIGN_OR_RETURN(Tensor result, pack(x.dtype, x.shape, std::move(values)));
      return Results{std::move(result)};
    } else {
      return floatsOnly(x);
    }
  });
}

/// y = test(x), a boolean.
template <class F>
static Result<Results> test(const Tensor &x, F f) {
  if (!isFloat(x.dtype))
    return floatsOnly(x);
  if (isAbstract(x))
    return Results{Tensor{DType::Bool, x.shape, nullptr}};
  QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(DType::Bool, x.shape));
  Elements<double> from(x);
  for (size_t i = 0; i < from.size(); ++i)
    fresh.as<uint8_t>()[i] = f(from[i]);
  return Results{std::move(fresh.tensor)};
}

/// Unsigned negation: integers wrap.
template <class C>
static C negated(C x) {
  if constexpr (std::is_integral_v<C>)
    return static_cast<C>(uint64_t(0) - static_cast<uint64_t>(x));
  else
    return -x;
}

template <class C>
static C sigmoid(C x) {
  // Of the two forms the one whose exponential does not overflow.
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

template <class C>
static C roundToEven(C x) {
  const C whole = std::round(x);
  return std::abs(x - std::trunc(x)) == C(0.5) ? 2 * std::round(x / 2) : whole;
}

template <class C>
static C geluTanh(C x) {
  const C inner = std::sqrt(C(2) * std::numbers::inv_pi_v<C>) * (x + C(0.044715) * x * x * x);
  return C(0.5) * x * (1 + std::tanh(inner));
}

static Result<Results> gelu(const OpCall &call, Operands operands) {
  QRT_ASSIGN_OR_RETURN(std::string approximate, stringAttr(call, "approximate", "none"));
  if (approximate == "tanh")
    return map<false>(*operands[0], [](auto x) { return geluTanh(x); });
  if (approximate != "none")
    return invalidArgument("attribute 'approximate' is '" + approximate +
                           "', expects 'none' or 'tanh'");
  return map<false>(*operands[0], [](auto x) {
    using C = decltype(x);
    return C(0.5) * x * (1 + std::erf(x / std::numbers::sqrt2_v<C>));
  });
}

static Result<Results> quickGelu(const OpCall &call, Operands operands) {
  QRT_ASSIGN_OR_RETURN(double alpha, floatAttr(call, "alpha", 1.702));
  return map<false>(*operands[0], [alpha](auto x) { return x * sigmoid(decltype(x)(alpha) * x); });
}

static Result<Results> softcap(const OpCall &call, Operands operands) {
  QRT_ASSIGN_OR_RETURN(double cap, floatAttr(call, "cap", 0));
  if (!(cap > 0))
    return invalidArgument("attribute 'cap' is not positive");
  return map<false>(*operands[0], [cap](auto x) {
    const auto limit = decltype(x)(cap);
    return limit * std::tanh(x / limit);
  });
}

static Result<Results> logicalNot(const OpCall &, Operands operands) {
  const Tensor &x = *operands[0];
  if (x.dtype != DType::Bool)
    return unsupported("is not defined for " + std::string(name(x.dtype)));
  if (isAbstract(x))
    return Results{x};
  QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(DType::Bool, x.shape));
  const auto *from = static_cast<const uint8_t *>(x.data.get());
  const int64_t count = countOf(x);
  for (int64_t i = 0; i < count; ++i)
    fresh.as<uint8_t>()[i] = from[i] == 0;
  return Results{std::move(fresh.tensor)};
}

static Result<Results> cast(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0];
  QRT_ASSIGN_OR_RETURN(std::string word, stringAttr(call, "to", ""));
  std::optional<DType> to = dtypeFromName(word);
  if (!to)
    return invalidArgument("attribute 'to' is '" + word + "', not the name of an element type");
  if (x.dtype == *to)
    return Results{x};
  if (isAbstract(x)) {
    QRT_ASSIGN_OR_RETURN(Tensor result, abstractTensor(*to, x.shape));
    return Results{std::move(result)};
  }
  return withComputeType(x.dtype, [&](auto type) -> Result<Results> {
    std::vector<decltype(type)> values(static_cast<size_t>(countOf(x)));
    loadElements(x, values.data());
    QRT_ASSIGN_OR_RETURN(Tensor result, pack(*to, x.shape, std::move(values)));
    return Results{std::move(result)};
  });
}

static Result<Results> identity(const OpCall &, Operands operands) { return Results{*operands[0]}; }

/// A row of the table: a lambda without captures is a function.
#define QRT_MAP(Integers, ...)                                                                     \
  {1, 1, [](const OpCall &, Operands operands) {                                                   \
     return map<Integers>(*operands[0], [](auto x) -> decltype(x) {                                \
       using C = decltype(x);                                                                      \
       (void)C();                                                                                  \
       __VA_ARGS__;                                                                                \
     });                                                                                           \
   }}

void addUnaryOps(OpTable &table) {
  table["neg"] = QRT_MAP(true, return negated(x));
  table["abs"] = QRT_MAP(true, if constexpr (std::is_floating_point_v<C>) return std::abs(x);
                         else return x < C(0) ? negated(x) : x);
  table["sign"] = QRT_MAP(true, return std::is_floating_point_v<C> && x != x
                                           ? x
                                           : static_cast<C>((x > C(0)) - (x < C(0))));
  table["relu"] = QRT_MAP(true, return x < C(0) ? C(0) : x); // NaN stays NaN
  table["sqrt"] = QRT_MAP(false, return std::sqrt(x));
  table["reciprocal"] = QRT_MAP(false, return C(1) / x);
  table["exp"] = QRT_MAP(false, return std::exp(x));
  table["log"] = QRT_MAP(false, return std::log(x));
  table["erf"] = QRT_MAP(false, return std::erf(x));
  table["tanh"] = QRT_MAP(false, return std::tanh(x));
  table["sigmoid"] = QRT_MAP(false, return sigmoid(x));
  table["cos"] = QRT_MAP(false, return std::cos(x));
  table["sin"] = QRT_MAP(false, return std::sin(x));
  table["floor"] = QRT_MAP(false, return std::floor(x));
  table["ceil"] = QRT_MAP(false, return std::ceil(x));
  table["round"] = QRT_MAP(false, return roundToEven(x));
  table["softplus"] =
      QRT_MAP(false, return x > C(0) ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)));
  table["silu"] = QRT_MAP(false, return x * sigmoid(x));
  table["not"] = {1, 1, logicalNot};
  table["is_nan"] = {1, 1, [](const OpCall &, Operands operands) {
                       return test(*operands[0], [](double x) { return std::isnan(x); });
                     }};
  table["is_inf"] = {1, 1, [](const OpCall &, Operands operands) {
                       return test(*operands[0], [](double x) { return std::isinf(x); });
                     }};
  table["identity"] = {1, 1, identity};
  table["gelu"] = {1, 1, gelu};
  table["quick_gelu"] = {1, 1, quickGelu};
  table["softcap"] = {1, 1, softcap};
  table["cast"] = {1, 1, cast};
}

#undef QRT_MAP

} // namespace qrt::tensor
