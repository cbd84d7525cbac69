//===- MatrixKernels.h - Register tiles of matrix products, one set per instruction set -------===//
// Panels are packed: a [k][tileRows], b [k][tileColumns of the type], zero-padded. Every element of
// a tile is summed over k in ascending order, whatever the tile's size, so a product does not
// depend on how it is cut into tiles. One table per instruction set (fused multiply-add or not),
// the best one the processor executes; results differ between tables by rounding only.
#ifndef QOPT_LIB_QUANTIZATION_MATRIXKERNELS_H
#define QOPT_LIB_QUANTIZATION_MATRIXKERNELS_H

#include <cstdint>

namespace qopt::quantization {

inline constexpr int tileRows = 6;
template <typename T>
inline constexpr int tileColumns = 64 / int(sizeof(T));

struct MatrixKernels {
  /// c[m, n] += alpha * a b, rows ldc apart; m <= tileRows, n <= tileColumns.
  void (*tileF32)(int64_t k, const float *a, const float *b, float alpha, float *c, int64_t ldc,
                  int m, int n);
  void (*tileF64)(int64_t k, const double *a, const double *b, double alpha, double *c, int64_t ldc,
                  int m, int n);
  /// c [tileRows][tileColumns<float>] += a b: products and sums in f32, added to c in f64.
  void (*momentTile)(int64_t k, const float *a, const float *b, double *c);
};

extern const MatrixKernels baselineMatrixKernels;
#ifdef QOPT_BUILD_X86
extern const MatrixKernels avx2MatrixKernels;
#endif

/// The table for this processor.
const MatrixKernels &matrixKernels();

} // namespace qopt::quantization

#endif // QOPT_LIB_QUANTIZATION_MATRIXKERNELS_H
