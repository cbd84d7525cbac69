//===- ReductionOps.cpp - Sums, means, extrema and norms over axes ----------------------------===//
#include "Tensor/ReductionOps.h"

#include "Tensor/Elements.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qrt::tensor {

using Results = std::vector<Tensor>;

/// The result's shape, and how x is walked: kept axes first, then the reduced ones.
struct Reduction {
  Shape shape;     ///< of the result
  Shape kept, cut; ///< dimensions of x that stay and that are reduced
  std::vector<int64_t> keptStrides, cutStrides;
};

static Result<Reduction> planReduction(const OpCall &call, const Tensor &x) {
  QRT_ASSIGN_OR_RETURN(std::vector<int64_t> list, intsAttr(call, "axes"));
  QRT_ASSIGN_OR_RETURN(std::vector<size_t> axes, axesOf(list, x.shape.size()));
  QRT_ASSIGN_OR_RETURN(int64_t keepDims, intAttr(call, "keepdims", 1));
  const std::vector<int64_t> strides = stridesOf(x.shape);
  Reduction plan;
  for (size_t i = 0; i < x.shape.size(); ++i) {
    const bool cut = axes.empty() || std::find(axes.begin(), axes.end(), i) != axes.end();
    (cut ? plan.cut : plan.kept).push_back(x.shape[i]);
    (cut ? plan.cutStrides : plan.keptStrides).push_back(strides[i]);
    if (!cut)
      plan.shape.push_back(x.shape[i]);
    else if (keepDims)
      plan.shape.push_back(1);
  }
  return plan;
}

/// folds f(accumulator, element) over what each element of the result is made of.
template <class A, class C, class F, class G>
static std::vector<C> fold(const Reduction &plan, const Elements<C> &x, A start, F f, G finish) {
  std::vector<C> values(static_cast<size_t>(countOf(plan.kept)));
  size_t next = 0;
  forEachRow<1>(plan.kept, {plan.keptStrides},
                [&](int64_t, const auto &bases, int64_t rows, const auto &rowSteps) {
                  for (int64_t r = 0; r < rows; ++r) {
                    const C *from = x.data() + bases[0] + r * rowSteps[0];
                    A total = start;
                    forEachRow<1>(
                        plan.cut, {plan.cutStrides},
                        [&](int64_t, const auto &offsets, int64_t length, const auto &steps) {
                          const C *row = from + offsets[0];
                          for (int64_t i = 0; i < length; ++i)
                            total = f(total, row[i * steps[0]]);
                        });
                    values[next++] = static_cast<C>(finish(total));
                  }
                });
  return values;
}

enum class Kind { Mean, Sum, Max, Min, Prod, L2 };

template <class C>
static std::vector<C> reduced(Kind kind, const Reduction &plan, const Elements<C> &x) {
  constexpr bool real = std::is_floating_point_v<C>;
  using Wide = std::conditional_t<real, double, uint64_t>; // integers wrap
  const double count = static_cast<double>(countOf(plan.cut));
  auto same = [](auto total) { return total; };
  auto plus = [](Wide total, C value) { return total + static_cast<Wide>(value); };
  switch (kind) {
  case Kind::Mean:
    return fold(plan, x, Wide(0), plus, [count](Wide total) {
      if constexpr (real)
        return total / count;
      else // truncates; the caller has refused to divide by 0
        return static_cast<C>(total) / static_cast<C>(count);
    });
  case Kind::Sum:
    return fold(plan, x, Wide(0), plus, same);
  case Kind::Prod:
    return fold(
        plan, x, Wide(1), [](Wide total, C value) { return total * static_cast<Wide>(value); },
        same);
  case Kind::L2:
    return fold(
        plan, x, 0.0,
        [](double total, C value) {
          return total + static_cast<double>(value) * static_cast<double>(value);
        },
        [](double total) { return std::sqrt(total); });
  case Kind::Max:
  case Kind::Min:
    break;
  }
  using Limits = std::numeric_limits<C>;
  if (kind == Kind::Max)
    return fold(
        plan, x, real ? -Limits::infinity() : Limits::lowest(),
        [](C total, C value) { return value != value || value > total ? value : total; }, same);
  return fold(
      plan, x, real ? Limits::infinity() : Limits::max(),
      [](C total, C value) { return value != value || value < total ? value : total; }, same);
}

template <Kind kind>
static Result<Results> reduce(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0];
  if (x.dtype == DType::Bool && kind != Kind::Max && kind != Kind::Min)
    return unsupported("is not defined for bool");
  QRT_ASSIGN_OR_RETURN(Reduction plan, planReduction(call, x));
  if (isAbstract(x)) {
    QRT_ASSIGN_OR_RETURN(Tensor result, abstractTensor(x.dtype, plan.shape));
    return Results{std::move(result)};
  }
  const bool nothing = countOf(plan.cut) == 0 && countOf(plan.kept) != 0;
  const bool needsSome =
      kind == Kind::Max || kind == Kind::Min || (kind == Kind::Mean && !isFloat(x.dtype));
  if (nothing && needsSome)
    return invalidArgument("reduces nothing: a dimension of shape " + shapeText(x.shape) + " is 0");
  return withComputeType(x.dtype, [&](auto type) -> Result<Results> {
    using C = decltype(type);
    Elements<C> from(x);
    QRT_ASSIGN_OR_RETURN(Tensor result, pack(x.dtype, plan.shape, reduced<C>(kind, plan, from)));
    return Results{std::move(result)};
  });
}

void addReductionOps(OpTable &table) {
  table["reduce_mean"] = {1, 1, reduce<Kind::Mean>};
  table["reduce_sum"] = {1, 1, reduce<Kind::Sum>};
  table["reduce_max"] = {1, 1, reduce<Kind::Max>};
  table["reduce_min"] = {1, 1, reduce<Kind::Min>};
  table["reduce_prod"] = {1, 1, reduce<Kind::Prod>};
  table["reduce_l2"] = {1, 1, reduce<Kind::L2>};
  addAxisOps(table);
}

} // namespace qrt::tensor
