//===- MarginOps.cpp - pad, trilu -------------------------------------------------------------===//
#include "Tensor/Elements.h"
#include "Tensor/IndexingOps.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace qrt::tensor {

using Results = std::vector<Tensor>;

/// Where element `at` (counted from the first of x, so negative in the margin before it) of a
/// padded axis of `size` comes from; -1: the padding value.
static int64_t sourceOf(const std::string &mode, int64_t at, int64_t size) {
  if (at >= 0 && at < size)
    return at;
  if (mode == "edge")
    return at < 0 ? 0 : size - 1;
  if (mode == "wrap")
    return (at % size + size) % size;
  if (mode == "reflect") { // without repeating the edge
    if (size == 1)
      return 0;
    const int64_t period = 2 * (size - 1);
    const int64_t folded = (at % period + period) % period;
    return folded < size ? folded : period - folded;
  }
  return -1;
}

/// One axis after the other, the innermost last: x as [outer, size, inner].
static Result<Tensor> padAxis(const Tensor &x, size_t axis, int64_t before, int64_t after,
                              const std::string &mode, const void *value) {
  const int64_t size = x.shape[axis];
  Shape shape = x.shape;
  if (__builtin_add_overflow(shape[axis], before, &shape[axis]) ||
      __builtin_add_overflow(shape[axis], after, &shape[axis]) || shape[axis] < 0)
    return invalidArgument("pads " + std::to_string(before) + " and " + std::to_string(after) +
                           " do not fit a dimension of " + std::to_string(size));
  if (size == 0 && shape[axis] > 0 && mode != "constant")
    return invalidArgument("mode '" + mode + "' has nothing to pad an empty dimension with");
  if (isAbstract(x))
    return abstractTensor(x.dtype, std::move(shape));
  QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(x.dtype, std::move(shape)));
  const int64_t width = byteWidth(x.dtype);
  const int64_t outer = countOf(x.shape, 0, axis);
  const int64_t bytes = countOf(x.shape, axis + 1, x.shape.size()) * width;
  const auto *from = static_cast<const char *>(x.data.get());
  char *to = fresh.as<char>();
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < fresh.tensor.shape[axis]; ++i, to += bytes) {
      const int64_t source = sourceOf(mode, i - before, size);
      if (source >= 0)
        std::memcpy(to, from + (o * size + source) * bytes, static_cast<size_t>(bytes));
      else
        for (int64_t b = 0; b < bytes; b += width)
          std::memcpy(to + b, value, static_cast<size_t>(width));
    }
  return std::move(fresh.tensor);
}

static Result<Results> pad(const OpCall &call, Operands operands) {
  Tensor x = *operands[0];
  QRT_ASSIGN_OR_RETURN(std::vector<int64_t> pads, integersOf(*operands[1], "pads"));
  QRT_ASSIGN_OR_RETURN(std::string mode, stringAttr(call, "mode", "constant"));
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap")
    return invalidArgument("attribute 'mode' is '" + mode + "'");
  QRT_ASSIGN_OR_RETURN(std::vector<int64_t> list, intsAttr(call, "axes"));
  QRT_ASSIGN_OR_RETURN(std::vector<size_t> axes, axesOf(list, x.shape.size()));
  if (axes.empty()) {
    axes.resize(x.shape.size());
    std::iota(axes.begin(), axes.end(), size_t(0));
  }
  if (pads.size() != 2 * axes.size())
    return invalidArgument("pads " + shapeText(pads) + " are not two for each of " +
                           std::to_string(axes.size()) + " axes");
  static const uint64_t zero = 0;
  const void *value = &zero;
  if (operands.size() > 2 && operands[2]) {
    const Tensor &given = *operands[2];
    if (given.dtype != x.dtype || countOf(given) != 1)
      return invalidArgument("'value' is " + describe(given) + ", not one element of type " +
                             std::string(name(x.dtype)));
    value = given.data.get();
    if (isAbstract(given))
      x.data = nullptr;
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t before = pads[i], after = pads[axes.size() + i];
    if (before == 0 && after == 0)
      continue;
    QRT_ASSIGN_OR_RETURN(x, padAxis(x, axes[i], before, after, mode, value));
  }
  return Results{std::move(x)};
}

static Result<Results> trilu(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0];
  QRT_ASSIGN_OR_RETURN(int64_t upper, intAttr(call, "upper", 1));
  if (x.shape.size() < 2)
    return invalidArgument("shape " + shapeText(x.shape) + " has no two axes");
  bool abstract = isAbstract(x);
  int64_t k = 0;
  if (operands.size() > 1 && operands[1]) {
    abstract |= isAbstract(*operands[1]);
    if (!abstract) {
      QRT_ASSIGN_OR_RETURN(k, integerOf(*operands[1], "k"));
    }
  }
  if (abstract)
    return Results{Tensor{x.dtype, x.shape, nullptr}};
  QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(x.dtype, x.shape));
  const int64_t rows = x.shape[x.shape.size() - 2], columns = x.shape.back();
  const int64_t width = byteWidth(x.dtype);
  const int64_t matrices = countOf(x.shape, 0, x.shape.size() - 2);
  const auto *from = static_cast<const char *>(x.data.get());
  std::memset(fresh.data, 0, static_cast<size_t>(countOf(x) * width));
  k = std::clamp(k, -rows, columns); // beyond, nothing changes any more
  for (int64_t m = 0; m < matrices; ++m)
    for (int64_t r = 0; r < rows; ++r) {
      // Upper keeps columns from r + k on, lower those up to r + k.
      const int64_t begin = upper ? std::clamp<int64_t>(r + k, 0, columns) : 0;
      const int64_t end = upper ? columns : std::clamp<int64_t>(r + k + 1, 0, columns);
      const int64_t at = ((m * rows + r) * columns + begin) * width;
      std::memcpy(fresh.as<char>() + at, from + at, static_cast<size_t>((end - begin) * width));
    }
  return Results{std::move(fresh.tensor)};
}

void addMarginOps(OpTable &table) {
  table["pad"] = {2, 3, pad};
  table["trilu"] = {1, 2, trilu};
}

} // namespace qrt::tensor
