//===- AxisOps.cpp - softmax, log_softmax, arg_max, top_k, cumsum -----------------------------===//
#include "Tensor/Elements.h"
#include "Tensor/ReductionOps.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace qrt::tensor {

using Results = std::vector<Tensor>;

/// x as [outer, length, inner] around one axis.
struct AxisView {
  size_t axis;
  int64_t outer, length, inner;

  /// Calls f(offset of the first element) for each line along the axis.
  template <class F>
  void forEachLine(F f) const {
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i)
        f(o * length * inner + i);
  }
};

static Result<AxisView> viewAlong(const OpCall &call, const Tensor &x, int64_t otherwise) {
  QRT_ASSIGN_OR_RETURN(int64_t given, intAttr(call, "axis", otherwise));
  QRT_ASSIGN_OR_RETURN(size_t axis, axisOf(given, x.shape.size()));
  return AxisView{axis, countOf(x.shape, 0, axis), x.shape[axis],
                  countOf(x.shape, axis + 1, x.shape.size())};
}

static Status notNumbers(const Tensor &x) {
  return unsupported("is not defined for " + std::string(name(x.dtype)));
}

/// Sums in double. A line of -Inf only gives NaN, as in ONNX Runtime.
template <bool Log>
static Result<Results> softmax(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0];
  if (!isFloat(x.dtype))
    return notNumbers(x);
  QRT_ASSIGN_OR_RETURN(AxisView view, viewAlong(call, x, -1));
  if (isAbstract(x))
    return Results{x};
  return withComputeType(x.dtype, [&](auto type) -> Result<Results> {
    using C = decltype(type);
    if constexpr (std::is_floating_point_v<C>) {
      Elements<C> from(x);
      std::vector<C> values(from.size());
      view.forEachLine([&](int64_t first) {
        const C *in = from.data() + first;
        C *out = values.data() + first;
        const int64_t step = view.inner;
        C highest = view.length ? in[0] : C(0);
        for (int64_t i = 1; i < view.length; ++i)
          highest = std::max(highest, in[i * step]);
        double sum = 0;
        for (int64_t i = 0; i < view.length; ++i) {
          out[i * step] = std::exp(in[i * step] - highest);
          sum += double(out[i * step]);
        }
        const double logSum = std::log(sum);
        for (int64_t i = 0; i < view.length; ++i)
          out[i * step] = static_cast<C>(Log ? double(in[i * step] - highest) - logSum
                                             : double(out[i * step]) / sum);
      });
      QRT_ASSIGN_OR_RETURN(Tensor result, pack(x.dtype, x.shape, std::move(values)));
      return Results{std::move(result)};
    } else {
      return notNumbers(x);
    }
  });
}

static Result<Results> argMax(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0];
  QRT_ASSIGN_OR_RETURN(AxisView view, viewAlong(call, x, 0));
  QRT_ASSIGN_OR_RETURN(int64_t keepDims, intAttr(call, "keepdims", 1));
  QRT_ASSIGN_OR_RETURN(int64_t selectLast, intAttr(call, "select_last", 0));
  Shape shape = x.shape;
  shape[view.axis] = 1;
  if (!keepDims)
    shape.erase(shape.begin() + static_cast<int64_t>(view.axis));
  if (isAbstract(x)) {
    QRT_ASSIGN_OR_RETURN(Tensor result, abstractTensor(DType::I64, std::move(shape)));
    return Results{std::move(result)};
  }
  if (view.length == 0 && countOf(shape) != 0)
    return invalidArgument("has nothing to choose from: axis " + std::to_string(view.axis) +
                           " of shape " + shapeText(x.shape) + " is 0");
  std::vector<int64_t> best;
  best.reserve(static_cast<size_t>(countOf(shape)));
  if (countOf(shape) != 0)
    withComputeType(x.dtype, [&](auto type) {
      Elements<decltype(type)> from(x);
      view.forEachLine([&](int64_t first) {
        int64_t at = 0;
        for (int64_t i = 1; i < view.length; ++i) {
          const auto value = from.data()[first + i * view.inner];
          const auto highest = from.data()[first + at * view.inner];
          if (value > highest || (selectLast && value == highest))
            at = i;
        }
        best.push_back(at);
      });
    });
  QRT_ASSIGN_OR_RETURN(Tensor result, pack(DType::I64, std::move(shape), std::move(best)));
  return Results{std::move(result)};
}

static Result<Results> topK(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0];
  QRT_ASSIGN_OR_RETURN(AxisView view, viewAlong(call, x, -1));
  QRT_ASSIGN_OR_RETURN(int64_t largest, intAttr(call, "largest", 1));
  QRT_ASSIGN_OR_RETURN(int64_t k, integerOf(*operands[1], "k"));
  if (k < 0 || k > view.length)
    return invalidArgument("k is " + std::to_string(k) + " of " + std::to_string(view.length) +
                           " elements along axis " + std::to_string(view.axis));
  Shape shape = x.shape;
  shape[view.axis] = k;
  if (isAbstract(x)) {
    QRT_ASSIGN_OR_RETURN(Tensor values, abstractTensor(x.dtype, shape));
    QRT_ASSIGN_OR_RETURN(Tensor indices, abstractTensor(DType::I64, shape));
    return Results{std::move(values), std::move(indices)};
  }
  QRT_RETURN_IF_ERROR(checkShape(DType::I64, shape).status());
  return withComputeType(x.dtype, [&](auto type) -> Result<Results> {
    using C = decltype(type);
    Elements<C> from(x);
    const auto count = static_cast<size_t>(countOf(shape));
    std::vector<C> values(count);
    std::vector<int64_t> indices(count), order(static_cast<size_t>(view.length));
    for (int64_t o = 0; o < view.outer; ++o)
      for (int64_t i = 0; i < view.inner; ++i) {
        const C *line = from.data() + o * view.length * view.inner + i;
        std::iota(order.begin(), order.end(), int64_t(0));
        // Of equals the first; NaN counts as the largest, so that the order is total.
        auto before = [&](int64_t a, int64_t b) {
          const C u = line[a * view.inner], v = line[b * view.inner];
          if (u != u || v != v)
            return u != u && v != v ? a < b : (u != u) == (largest != 0);
          return u != v ? (largest ? u > v : u < v) : a < b;
        };
        std::partial_sort(order.begin(), order.begin() + k, order.end(), before);
        for (int64_t j = 0; j < k; ++j) {
          const auto at = static_cast<size_t>((o * k + j) * view.inner + i);
          indices[at] = order[static_cast<size_t>(j)];
          values[at] = line[indices[at] * view.inner];
        }
      }
    QRT_ASSIGN_OR_RETURN(Tensor best, pack(x.dtype, shape, std::move(values)));
    QRT_ASSIGN_OR_RETURN(Tensor places, pack(DType::I64, shape, std::move(indices)));
    return Results{std::move(best), std::move(places)};
  });
}

static Result<Results> cumsum(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0];
  if (x.dtype == DType::Bool)
    return notNumbers(x);
  QRT_ASSIGN_OR_RETURN(AxisView view, viewAlong(call, x, 0));
  QRT_ASSIGN_OR_RETURN(int64_t exclusive, intAttr(call, "exclusive", 0));
  QRT_ASSIGN_OR_RETURN(int64_t reverse, intAttr(call, "reverse", 0));
  if (isAbstract(x))
    return Results{x};
  return withComputeType(x.dtype, [&](auto type) -> Result<Results> {
    using C = decltype(type);
    using Wide = std::conditional_t<std::is_floating_point_v<C>, double, uint64_t>;
    Elements<C> from(x);
    std::vector<C> values(from.size());
    view.forEachLine([&](int64_t first) {
      Wide sum = 0;
      for (int64_t i = 0; i < view.length; ++i) {
        const int64_t at = first + (reverse ? view.length - 1 - i : i) * view.inner;
        const Wide next = sum + static_cast<Wide>(from.data()[at]);
        values[static_cast<size_t>(at)] = static_cast<C>(exclusive ? sum : next);
        sum = next;
      }
    });
    QRT_ASSIGN_OR_RETURN(Tensor result, pack(x.dtype, x.shape, std::move(values)));
    return Results{std::move(result)};
  });
}

void addAxisOps(OpTable &table) {
  table["softmax"] = {1, 1, softmax<false>};
  table["log_softmax"] = {1, 1, softmax<true>};
  table["arg_max"] = {1, 1, argMax};
  table["top_k"] = {2, 2, topK};
  table["cumsum"] = {1, 1, cumsum};
}

} // namespace qrt::tensor
