//===- ShapeOps.cpp - shape_of, reshape, squeeze and other ops that move nothing --------------===//
#include "Tensor/ShapeOps.h"

#include "Tensor/Elements.h"

#include <algorithm>
#include <cmath>

namespace qrt::tensor {

using Results = std::vector<Tensor>;

static Result<Results> shapeOf(const OpCall &call, Operands operands) {
  const Shape &shape = operands[0]->shape;
  const auto rank = static_cast<int64_t>(shape.size());
  QRT_ASSIGN_OR_RETURN(int64_t start, intAttr(call, "start", 0));
  QRT_ASSIGN_OR_RETURN(int64_t end, intAttr(call, "end", rank));
  auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
  start = clamp(start);
  end = std::max(start, clamp(end));
  std::vector<int64_t> dims(shape.begin() + start, shape.begin() + end);
  QRT_ASSIGN_OR_RETURN(Tensor result, pack(DType::I64, {end - start}, std::move(dims)));
  return Results{result};
}

static Result<Results> sizeOf(const OpCall &, Operands operands) {
  QRT_ASSIGN_OR_RETURN(Tensor result,
                       pack(DType::I64, {}, std::vector<int64_t>{countOf(*operands[0])}));
  return Results{result};
}

static Result<Results> reshape(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0];
  QRT_ASSIGN_OR_RETURN(Shape wanted, integersOf(*operands[1], "shape"));
  QRT_ASSIGN_OR_RETURN(int64_t allowZero, intAttr(call, "allowzero", 0));
  auto mismatch = [&] {
    return invalidArgument("shape " + shapeText(x.shape) + " does not become " +
                           shapeText(*integersOf(*operands[1], "shape")));
  };
  size_t computed = wanted.size();
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == -1) {
      if (computed != wanted.size())
        return mismatch();
      computed = i;
      wanted[i] = 1;
    } else if (wanted[i] == 0 && !allowZero) {
      if (i >= x.shape.size())
        return mismatch();
      wanted[i] = x.shape[i];
    }
  }
  QRT_ASSIGN_OR_RETURN(int64_t count, checkShape(x.dtype, wanted));
  if (computed != wanted.size()) {
    // Of an empty tensor the missing dimension is 0 only if nothing else is.
    if (count == 0 ? countOf(x) != 0 : countOf(x) % count != 0)
      return mismatch();
    wanted[computed] = count == 0 ? 0 : countOf(x) / count;
    count = countOf(wanted);
  }
  if (count != countOf(x))
    return mismatch();
  return Results{withShape(x, std::move(wanted))};
}

static Result<Results> flatten(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0];
  QRT_ASSIGN_OR_RETURN(int64_t axis, intAttr(call, "axis", 1));
  const auto rank = static_cast<int64_t>(x.shape.size());
  if (axis != rank) {
    QRT_ASSIGN_OR_RETURN(size_t inside, axisOf(axis, x.shape.size()));
    axis = static_cast<int64_t>(inside);
  }
  const auto cut = static_cast<size_t>(axis);
  return Results{withShape(x, {countOf(x.shape, 0, cut), countOf(x.shape, cut, x.shape.size())})};
}

static Result<Results> squeeze(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0];
  QRT_ASSIGN_OR_RETURN(std::vector<int64_t> list, intsAttr(call, "axes"));
  QRT_ASSIGN_OR_RETURN(std::vector<size_t> axes, axesOf(list, x.shape.size()));
  Shape shape;
  for (size_t i = 0; i < x.shape.size(); ++i) {
    const bool named = std::find(axes.begin(), axes.end(), i) != axes.end();
    if (named && x.shape[i] != 1)
      return invalidArgument("axis " + std::to_string(i) + " of shape " + shapeText(x.shape) +
                             " is not of size 1");
    if (axes.empty() ? x.shape[i] != 1 : !named)
      shape.push_back(x.shape[i]);
  }
  return Results{withShape(x, std::move(shape))};
}

static Result<Results> unsqueeze(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0];
  QRT_ASSIGN_OR_RETURN(std::vector<int64_t> list, intsAttr(call, "axes"));
  Shape shape(x.shape.size() + list.size(), -1);
  QRT_ASSIGN_OR_RETURN(std::vector<size_t> axes, axesOf(list, shape.size()));
  for (size_t axis : axes)
    shape[axis] = 1;
  auto next = x.shape.begin();
  for (int64_t &dim : shape)
    if (dim == -1)
      dim = *next++;
  return Results{withShape(x, std::move(shape))};
}

static Result<Results> full(const OpCall &, Operands operands) {
  QRT_ASSIGN_OR_RETURN(Shape shape, integersOf(*operands[0], "shape"));
  const Tensor &value = *operands[1];
  if (countOf(value) != 1)
    return invalidArgument("'value' has shape " + shapeText(value.shape) + ", not one element");
  std::vector<int64_t> strides(shape.size(), 0);
  QRT_ASSIGN_OR_RETURN(Tensor result, copyStrided(value, 0, strides, std::move(shape)));
  return Results{result};
}

template <class C>
static Result<Tensor> rangeOf(DType dtype, C start, C limit, C delta) {
  if (delta == C(0))
    return invalidArgument("'delta' is 0");
  int64_t count = 0;
  if constexpr (std::is_floating_point_v<C>) {
    const double steps = std::ceil((double(limit) - double(start)) / double(delta));
    if (std::isnan(steps) || steps > double(maxResultBytes))
      return resourceExhausted("a range of " + std::to_string(steps) + " elements");
    count = std::max<int64_t>(0, static_cast<int64_t>(steps));
  } else {
    const bool up = delta > C(0);
    if (up ? limit > start : limit < start) {
      const uint64_t distance =
          up ? uint64_t(limit) - uint64_t(start) : uint64_t(start) - uint64_t(limit);
      const uint64_t step = up ? uint64_t(delta) : uint64_t(0) - uint64_t(delta);
      const uint64_t steps = distance / step + (distance % step != 0);
      if (steps > uint64_t(maxResultBytes))
        return resourceExhausted("a range of " + std::to_string(steps) + " elements");
      count = static_cast<int64_t>(steps);
    }
  }
  QRT_RETURN_IF_ERROR(checkShape(dtype, {count}).status());
  std::vector<C> values(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_floating_point_v<C>)
      values[size_t(i)] = static_cast<C>(double(start) + double(i) * double(delta));
    else
      values[size_t(i)] = static_cast<C>(uint64_t(start) + uint64_t(i) * uint64_t(delta));
  }
  return pack(dtype, {count}, std::move(values));
}

static Result<Results> range(const OpCall &, Operands operands) {
  const char *names[] = {"start", "limit", "delta"};
  for (size_t i = 0; i < 3; ++i) {
    if (isAbstract(*operands[i]))
      return unsupported(std::string("the result depends on the value of '") + names[i] +
                         "', which is not known");
    if (countOf(*operands[i]) != 1 || operands[i]->dtype != operands[0]->dtype)
      return invalidArgument(std::string("'") + names[i] + "' is " + describe(*operands[i]) +
                             ", not one element of the type of 'start'");
  }
  return withComputeType(operands[0]->dtype, [&](auto type) -> Result<Results> {
    using C = decltype(type);
    Elements<C> start(*operands[0]), limit(*operands[1]), delta(*operands[2]);
    QRT_ASSIGN_OR_RETURN(Tensor result,
                         rangeOf<C>(operands[0]->dtype, start[0], limit[0], delta[0]));
    return Results{result};
  });
}

void addShapeOps(OpTable &table) {
  table["shape_of"] = {1, 1, shapeOf};
  table["size_of"] = {1, 1, sizeOf};
  table["range"] = {3, 3, range};
  table["full"] = {2, 2, full};
  table["reshape"] = {2, 2, reshape};
  table["flatten"] = {1, 1, flatten};
  table["squeeze"] = {1, 1, squeeze};
  table["unsqueeze"] = {1, 1, unsqueeze};
  addMovingOps(table);
}

} // namespace qrt::tensor
