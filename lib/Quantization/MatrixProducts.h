//===- MatrixProducts.h - Blocked matrix products on strided operands -------------------------===//
// c[m, n] += alpha * a[m, k] b[k, n]. Element sums run over k in blocks of 256, ascending: the
// result depends on the values and k only, not on tiles or threads. T is float or double. Packing
// buffers are per thread and kept.
#ifndef QOPT_LIB_QUANTIZATION_MATRIXPRODUCTS_H
#define QOPT_LIB_QUANTIZATION_MATRIXPRODUCTS_H

#include "qopt/Quantization/Parallel.h"

#include <vector>

namespace qopt::quantization {

template <typename T>
struct Strided {
  const T *data;
  int64_t rowStride, columnStride;
};

template <typename T>
Strided<T> rowMajor(const T *data, int64_t ld) {
  return {data, ld, 1};
}
template <typename T>
Strided<T> transposed(const T *data, int64_t ld) {
  return {data, 1, ld};
}

/// On the calling thread. All m rows of a are packed at once: meant for m up to some hundreds.
template <typename T>
void multiplyAdd(int64_t m, int64_t n, int64_t k, T alpha, Strided<T> a, Strided<T> b, T *c,
                 int64_t ldc);

/// a [m, k] packed once for several products. Column ranges may be packed again when they change.
class PackedRows {
public:
  PackedRows(int64_t m, int64_t k);
  void pack(const float *a, int64_t lda, int64_t first, int64_t last);

private:
  friend void multiplyAdd(const PackedRows &a, int64_t first, int64_t last, int64_t n, float alpha,
                          Strided<float> b, float *c, int64_t ldc);
  int64_t m, k, paddedRows;
  std::vector<float> data; ///< blocks of 256 columns, each panels [columns][tileRows]
};

/// c[m, n] += alpha * a[:, first ... last) b, b [last - first, n], on the calling thread; `first`
/// is a multiple of 256. The same bits as with unpacked rows.
void multiplyAdd(const PackedRows &a, int64_t first, int64_t last, int64_t n, float alpha,
                 Strided<float> b, float *c, int64_t ldc);

enum class Part { Whole, Lower }; ///< Lower: tiles that touch the lower triangle only (m == n)

/// In tiles over `parallel`.
template <typename T>
void multiplyAdd(int64_t m, int64_t n, int64_t k, T alpha, Strided<T> a, Strided<T> b, T *c,
                 int64_t ldc, const ParallelFor &parallel, Part part = Part::Whole);

/// Packs rows [k][width] (zero beyond `count` columns) from columns first, first + 1 ... of
/// x (k, i) = data[k * rowStride + i * columnStride].
template <typename T>
void packPanel(const T *data, int64_t rowStride, int64_t columnStride, int64_t k, int64_t count,
               int width, T *out);

} // namespace qopt::quantization

#endif // QOPT_LIB_QUANTIZATION_MATRIXPRODUCTS_H
