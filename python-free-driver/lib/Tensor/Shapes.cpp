//===- Shapes.cpp - Shapes, axes and broadcasting ---------------------------------------------===//
#include "Tensor/Shapes.h"

#include <algorithm>

namespace qrt::tensor {

std::string shapeText(const Shape &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text.append(i ? ", " : "");
    text.append(std::to_string(shape[i]));
  }
  text.push_back(']');
  return text;
}

Result<int64_t> checkShape(DType dtype, const Shape &shape) {
  int64_t bytes = byteWidth(dtype);
  bool empty = false;
  for (int64_t dim : shape) {
    if (dim < 0)
      return invalidArgument("a tensor of shape " + shapeText(shape) + " has a negative dimension");
    empty |= dim == 0;
    if (__builtin_mul_overflow(bytes, std::max<int64_t>(dim, 1), &bytes) || bytes > maxResultBytes)
      return resourceExhausted("a tensor of shape " + shapeText(shape) + " is too large");
  }
  return empty ? int64_t(0) : bytes / byteWidth(dtype);
}

int64_t countOf(const Shape &shape, size_t begin, size_t end) {
  int64_t count = 1;
  for (size_t i = begin; i < end; ++i)
    count *= shape[i];
  return count;
}
int64_t countOf(const Shape &shape) { return countOf(shape, 0, shape.size()); }

Result<size_t> axisOf(int64_t axis, size_t rank) {
  const auto size = static_cast<int64_t>(rank);
  if (axis < -size || axis >= size)
    return invalidArgument("axis " + std::to_string(axis) + " is outside a tensor of rank " +
                           std::to_string(rank));
  return static_cast<size_t>(axis < 0 ? axis + size : axis);
}

Result<std::vector<size_t>> axesOf(const std::vector<int64_t> &axes, size_t rank) {
  std::vector<size_t> result;
  for (int64_t axis : axes) {
    QRT_ASSIGN_OR_RETURN(size_t at, axisOf(axis, rank));
    if (std::find(result.begin(), result.end(), at) != result.end())
      return invalidArgument("axis " + std::to_string(axis) + " is given twice");
    result.push_back(at);
  }
  return result;
}

Result<Shape> broadcastShapes(const Shape &a, const Shape &b) {
  const Shape &longer = a.size() >= b.size() ? a : b, &shorter = a.size() >= b.size() ? b : a;
  Shape result = longer;
  const size_t lead = longer.size() - shorter.size();
  for (size_t i = 0; i < shorter.size(); ++i) {
    int64_t &dim = result[lead + i];
    if (dim == 1)
      dim = shorter[i];
    else if (shorter[i] != 1 && shorter[i] != dim)
      return invalidArgument("shapes " + shapeText(a) + " and " + shapeText(b) +
                             " do not broadcast");
  }
  return result;
}

std::vector<int64_t> stridesOf(const Shape &shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

std::vector<int64_t> broadcastStrides(const Shape &from, const Shape &to) {
  std::vector<int64_t> result(to.size(), 0), own = stridesOf(from);
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i] != 1)
      result[to.size() - from.size() + i] = own[i];
  return result;
}

} // namespace qrt::tensor
