//===- Shapes.h - Shapes, axes, broadcasting and strided walks --------------------------------===//
// Shapes of operands have passed checkShape() before an op function sees them, so that products of
// any of their dimensions do not overflow. A new shape passes it in makeTensor() or
// abstractTensor() (Elements.h). Errors are InvalidArgument unless stated otherwise. Thread safety:
// no shared state.
#ifndef QRT_TENSOR_SHAPES_H
#define QRT_TENSOR_SHAPES_H

#include "qrt/DType.h"
#include "qrt/Status.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace qrt::tensor {

using Shape = std::vector<int64_t>;

inline constexpr int64_t maxResultBytes = int64_t(1) << 40;

/// "[1, 4, 0, 64]"
std::string shapeText(const Shape &shape);

/// The number of elements. InvalidArgument for a negative dimension; ResourceExhausted where the
/// product of the dimensions that are not 0 exceeds maxResultBytes.
Result<int64_t> checkShape(DType dtype, const Shape &shape);

/// Elements of a shape that has been checked.
int64_t countOf(const Shape &shape);
/// Product of the dimensions begin .. end - 1 of a shape that has been checked.
int64_t countOf(const Shape &shape, size_t begin, size_t end);

/// An axis counted from the end where it is negative, as an index below `rank`.
Result<size_t> axisOf(int64_t axis, size_t rank);
/// Distinct axes, in their order.
Result<std::vector<size_t>> axesOf(const std::vector<int64_t> &axes, size_t rank);

/// Numpy broadcasting.
Result<Shape> broadcastShapes(const Shape &a, const Shape &b);
/// Row-major strides in elements.
std::vector<int64_t> stridesOf(const Shape &shape);
/// Strides by which a tensor of shape `from` is read as one of shape `to`, to which it broadcasts:
/// one per axis of `to`, 0 along repeated axes.
std::vector<int64_t> broadcastStrides(const Shape &from, const Shape &to);

/// Walks a row-major result of shape `shape` in rows, while N operands are read by their strides:
/// calls row(offset in the result, array of N operand offsets, length, array of N strides) in order
/// of the result. Axes are joined where all operands allow it, so that rows are long.
template <size_t N, class Row>
void forEachRow(const Shape &shape, const std::array<std::vector<int64_t>, N> &strides, Row row) {
  Shape dims;
  std::vector<std::array<int64_t, N>> steps;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 0)
      return;
    if (shape[axis] == 1)
      continue;
    std::array<int64_t, N> step;
    bool joins = !dims.empty();
    for (size_t i = 0; i < N; ++i) {
      step[i] = strides[i][axis];
      joins = joins && steps.back()[i] == step[i] * shape[axis];
    }
    if (joins) {
      dims.back() *= shape[axis];
      steps.back() = step;
    } else {
      dims.push_back(shape[axis]);
      steps.push_back(step);
    }
  }
  if (dims.empty()) {
    dims.push_back(1);
    steps.emplace_back();
  }
  const size_t outer = dims.size() - 1;
  const int64_t length = dims[outer];
  std::array<int64_t, N> offsets{};
  std::vector<int64_t> index(outer, 0);
  for (int64_t result = 0;; result += length) {
    row(result, offsets, length, steps[outer]);
    size_t axis = outer;
    for (; axis > 0; --axis) {
      const size_t at = axis - 1;
      for (size_t i = 0; i < N; ++i)
        offsets[i] += steps[at][i];
      if (++index[at] < dims[at])
        break;
      for (size_t i = 0; i < N; ++i)
        offsets[i] -= steps[at][i] * dims[at];
      index[at] = 0;
    }
    if (axis == 0)
      return;
  }
}

} // namespace qrt::tensor

#endif // QRT_TENSOR_SHAPES_H
