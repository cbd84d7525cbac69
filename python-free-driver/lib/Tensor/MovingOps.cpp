//===- MovingOps.cpp - transpose, expand, tile, concat, split, slice --------------------------===//
#include "Tensor/Elements.h"
#include "Tensor/ShapeOps.h"

#include <algorithm>
#include <cstring>

namespace qrt::tensor {

using Results = std::vector<Tensor>;

static Result<Results> one(Result<Tensor> result) {
  if (!result)
    return result.status();
  return Results{result.takeValue()};
}

static Result<Results> transpose(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0];
  QRT_ASSIGN_OR_RETURN(std::vector<int64_t> list, intsAttr(call, "perm"));
  QRT_ASSIGN_OR_RETURN(std::vector<size_t> perm, axesOf(list, x.shape.size()));
  if (perm.size() != x.shape.size())
    return invalidArgument("perm " + shapeText(list) + " is no permutation of the axes of shape " +
                           shapeText(x.shape));
  const std::vector<int64_t> own = stridesOf(x.shape);
  Shape shape;
  std::vector<int64_t> strides;
  for (size_t axis : perm) {
    shape.push_back(x.shape[axis]);
    strides.push_back(own[axis]);
  }
  return one(copyStrided(x, 0, strides, std::move(shape)));
}

static Result<Results> expand(const OpCall &, Operands operands) {
  const Tensor &x = *operands[0];
  QRT_ASSIGN_OR_RETURN(Shape wanted, integersOf(*operands[1], "shape"));
  QRT_ASSIGN_OR_RETURN(Shape shape, broadcastShapes(x.shape, wanted));
  if (shape == x.shape)
    return Results{x};
  std::vector<int64_t> strides = broadcastStrides(x.shape, shape);
  return one(copyStrided(x, 0, strides, std::move(shape)));
}

static Result<Results> tile(const OpCall &, Operands operands) {
  const Tensor &x = *operands[0];
  QRT_ASSIGN_OR_RETURN(std::vector<int64_t> repeats, integersOf(*operands[1], "repeats"));
  if (repeats.size() != x.shape.size())
    return invalidArgument("repeats " + shapeText(repeats) + " do not fit shape " +
                           shapeText(x.shape));
  // [d0, d1] tiled by [r0, r1] is [r0, d0, r1, d1] in memory, read with stride 0 along r0 and r1.
  const std::vector<int64_t> own = stridesOf(x.shape);
  Shape walk, shape;
  std::vector<int64_t> strides;
  for (size_t i = 0; i < repeats.size(); ++i) {
    walk.insert(walk.end(), {repeats[i], x.shape[i]});
    strides.insert(strides.end(), {0, own[i]});
    int64_t dim;
    if (repeats[i] < 0 || __builtin_mul_overflow(repeats[i], x.shape[i], &dim))
      return invalidArgument("repeats " + shapeText(repeats) + " are negative or too large");
    shape.push_back(dim);
  }
  QRT_ASSIGN_OR_RETURN(Tensor result, copyStrided(x, 0, strides, std::move(walk)));
  return Results{withShape(result, std::move(shape))};
}

static Result<Results> concat(const OpCall &call, Operands operands) {
  const Tensor &first = *operands[0];
  QRT_ASSIGN_OR_RETURN(int64_t given, intAttr(call, "axis", 0));
  QRT_ASSIGN_OR_RETURN(size_t axis, axisOf(given, first.shape.size()));
  Shape shape = first.shape;
  shape[axis] = 0;
  bool abstract = false;
  for (const Tensor *operand : operands) {
    if (!operand)
      return invalidArgument("an operand is missing");
    bool fits = operand->dtype == first.dtype && operand->shape.size() == shape.size();
    for (size_t i = 0; fits && i < shape.size(); ++i)
      fits = i == axis || operand->shape[i] == shape[i];
    if (!fits || __builtin_add_overflow(shape[axis], operand->shape[axis], &shape[axis]))
      return invalidArgument(describe(*operand) + " cannot be joined with " + describe(first) +
                             " along axis " + std::to_string(axis));
    abstract |= isAbstract(*operand);
  }
  if (abstract)
    return one(abstractTensor(first.dtype, std::move(shape)));
  QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(first.dtype, std::move(shape)));
  const Shape &dims = fresh.tensor.shape;
  const int64_t outer = countOf(dims, 0, axis);
  const int64_t inner = countOf(dims, axis + 1, dims.size()) * byteWidth(first.dtype);
  int64_t at = 0;
  for (const Tensor *operand : operands) {
    const int64_t bytes = operand->shape[axis] * inner;
    for (int64_t i = 0; i < outer; ++i)
      std::memcpy(fresh.as<char>() + i * dims[axis] * inner + at,
                  static_cast<const char *>(operand->data.get()) + i * bytes, size_t(bytes));
    at += bytes;
  }
  return Results{std::move(fresh.tensor)};
}

static Result<Results> split(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0];
  QRT_ASSIGN_OR_RETURN(int64_t given, intAttr(call, "axis", 0));
  QRT_ASSIGN_OR_RETURN(size_t axis, axisOf(given, x.shape.size()));
  QRT_ASSIGN_OR_RETURN(std::vector<int64_t> sizes, intsAttr(call, "sizes"));
  const std::vector<int64_t> strides = stridesOf(x.shape);
  Results results;
  int64_t at = 0;
  for (int64_t size : sizes) {
    if (size < 0 || size > x.shape[axis] - at)
      break;
    Shape shape = x.shape;
    shape[axis] = size;
    QRT_ASSIGN_OR_RETURN(Tensor piece, copyStrided(x, at * strides[axis], strides, shape));
    results.push_back(std::move(piece));
    at += size;
  }
  if (results.size() != sizes.size() || at != x.shape[axis])
    return invalidArgument("sizes " + shapeText(sizes) + " do not cut axis " +
                           std::to_string(axis) + " of shape " + shapeText(x.shape));
  return results;
}

static Result<Results> slice(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0];
  QRT_ASSIGN_OR_RETURN(std::vector<int64_t> starts, integersOf(*operands[1], "starts"));
  QRT_ASSIGN_OR_RETURN(std::vector<int64_t> ends, integersOf(*operands[2], "ends"));
  QRT_ASSIGN_OR_RETURN(std::vector<int64_t> list, intsAttr(call, "axes"));
  QRT_ASSIGN_OR_RETURN(std::vector<size_t> axes, axesOf(list, x.shape.size()));
  QRT_ASSIGN_OR_RETURN(std::vector<int64_t> steps, intsAttr(call, "steps"));
  if (starts.size() != axes.size() || ends.size() != axes.size() || steps.size() != axes.size())
    return invalidArgument("starts " + shapeText(starts) + ", ends " + shapeText(ends) +
                           " and steps " + shapeText(steps) + " do not fit axes " +
                           shapeText(list));
  Shape shape = x.shape;
  std::vector<int64_t> strides = stridesOf(x.shape);
  int64_t base = 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t dim = x.shape[axes[i]], step = steps[i];
    if (step == 0)
      return invalidArgument("a step is 0");
    // Counted from the end where negative, then into the axis; walking down, the end is -1.
    const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? dim : dim - 1;
    auto clamp = [&](int64_t at) { return std::clamp(at < 0 ? at + dim : at, low, high); };
    const int64_t start = dim == 0 ? 0 : std::max<int64_t>(clamp(starts[i]), low);
    const int64_t end = dim == 0 ? 0 : clamp(ends[i]);
    int64_t count = 0;
    if (step > 0 && end > start)
      count = (end - start - 1) / step + 1;
    else if (step < 0 && end < start)
      count = step == INT64_MIN ? 1 : (start - end - 1) / -step + 1;
    shape[axes[i]] = count;
    if (count > 0)
      base += start * strides[axes[i]];
    // A single element is never stepped from, and a long step must not overflow.
    strides[axes[i]] *= count > 1 ? step : 1;
  }
  if (shape == x.shape && std::all_of(steps.begin(), steps.end(), [](int64_t s) { return s > 0; }))
    return Results{x};
  return one(copyStrided(x, base, strides, std::move(shape)));
}

void addMovingOps(OpTable &table) {
  table["transpose"] = {1, 1, transpose};
  table["expand"] = {2, 2, expand};
  table["tile"] = {2, 2, tile};
  table["concat"] = {1, SIZE_MAX, concat};
  table["split"] = {1, 1, split};
  table["slice"] = {3, 3, slice};
}

} // namespace qrt::tensor
