//===- Products.h - Sums of products over any two views ---------------------------------------===//
// The one loop behind matmul, einsum, linear and matmul_integer:
//
//   y[row m, column n] = sum over k of a[row m, step k] * b[column n, step k]   (+ bias[n])
//
// where rows, columns and steps are lists of element offsets, so that transposed, strided, repeated
// and summed dimensions are all the same case. Blocks of both sides are widened into small buffers
// (never a whole matrix), then multiplied with one order of summation: eight partial sums over
// k mod 8, added in pairs at the end. Floats accumulate in f64; a product of two f32 is exact
// there, so that fused and separate multiply-adds give the same bits on every processor. Integers
// wrap.
#ifndef QRT_TENSOR_PRODUCTS_H
#define QRT_TENSOR_PRODUCTS_H

#include "Tensor/Tensor.h"

#include <cstdint>
#include <vector>

namespace qrt::tensor {

struct ProductSide {
  const Tensor *tensor = nullptr; ///< with data
  int64_t base = 0;               ///< offset added to all others
  std::vector<int64_t> outer;     ///< offset of each row (of a) or column (of b)
  std::vector<int64_t> steps;     ///< offset of each k
  std::vector<int64_t> zeros;     ///< subtracted from row i, empty for none
};

struct Product {
  ProductSide a, b; ///< as many steps in both
  DType dtype = DType::F32;
  void *data = nullptr; ///< elements of dtype
  int64_t base = 0;
  std::vector<int64_t> rows;    ///< element offsets in y of the rows of a
  std::vector<int64_t> columns; ///< ... and of the columns of b
  const Tensor *bias = nullptr; ///< float, added before rounding: column n gets biasBase + n
  int64_t biasBase = 0;
};

/// All offsets must lie inside their tensors. Float results need float sides, integer results
/// integer ones; both sides of 8 or 16 bits multiply exactly in f64 as long as k < 2^19.
void multiply(const Product &product);

/// 0, stride, 2 * stride ... of `count` elements.
std::vector<int64_t> offsets(int64_t count, int64_t stride);

/// Sums of products of doubles in the order above; `count` is a multiple of 8.
double dot(const double *a, const double *b, int64_t count);
/// y += factor * x
void addScaled(double *y, const double *x, double factor, int64_t count);

} // namespace qrt::tensor

#endif // QRT_TENSOR_PRODUCTS_H
