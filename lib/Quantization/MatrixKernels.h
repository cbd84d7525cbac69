//===- MatrixKernels.h - Register tiles of matrix products, one set per instruction set -------===//
// Panels are packed: a [k][tileRows], b [k][tileColumns of the type], zero-padded. Every element of
// a tile is summed over k in ascending order, whatever the tile's size, so a product does not
// depend on how it is cut into tiles. One table per instruction set, the best one the processor
// executes. The tables with fused multiply-add give the same bits; the baseline differs by
// rounding. Sums of bytes are exact in all of them.
#ifndef QOPT_LIB_QUANTIZATION_MATRIXKERNELS_H
#define QOPT_LIB_QUANTIZATION_MATRIXKERNELS_H

#include <cstdint>

namespace qopt::quantization {

inline constexpr int tileRows = 6;
template <typename T>
inline constexpr int tileColumns = 64 / int(sizeof(T));

/// Channels of a packed panel of bytes, and tokens that lie beside each other in it.
inline constexpr int byteColumns = 16, byteTokens = 4;

struct MatrixKernels {
  /// A tile covers this many panels of a and of b, which lie one behind the other.
  int panels;
  /// c[m, n] += alpha * a b, rows ldc apart; m <= panels * tileRows, n <= panels * tileColumns.
  void (*tileF32)(int64_t k, const float *a, const float *b, float alpha, float *c, int64_t ldc,
                  int m, int n);
  void (*tileF64)(int64_t k, const double *a, const double *b, double alpha, double *c, int64_t ldc,
                  int m, int n);
  /// c [tileRows][tileColumns<float>], rows ldc apart, += a b: products and sums in f32, added to
  /// c in f64.
  void (*momentTile)(int64_t k, const float *a, const float *b, double *c, int64_t ldc);

  /// Rounds x [tokens, byteColumns], rows ldx apart, times inverse[column] to the nearest integer,
  /// ties to even: signed bytes [tokens / byteTokens][byteColumns][byteTokens], zeros beyond the
  /// last token. |x * inverse| <= 127 up to rounding. sums[column] is that of the bytes.
  void (*roundToBytes)(int64_t tokens, const float *x, int64_t ldx, const float *inverse,
                       int8_t *out, int32_t *sums);
  /// c [3 * byteColumns, 3 * byteColumns], rows ldc apart, += rowScale columnScale times the sum
  /// over the tokens of a b^T, a sum that is exact. a and b are three panels each, `quads` * 64
  /// bytes apart; bSums are the sums of the columns of b. At most 2^16 tokens.
  void (*byteProducts)(int64_t quads, const int8_t *a, const int8_t *b, const int32_t *bSums,
                       const float *rowScales, const float *columnScales, double *c, int64_t ldc);
};

extern const MatrixKernels baselineMatrixKernels;
#ifdef QOPT_BUILD_X86
extern const MatrixKernels avx2MatrixKernels;
extern const MatrixKernels avx512MatrixKernels;
#endif

/// The table for this processor.
const MatrixKernels &matrixKernels();

} // namespace qopt::quantization

#endif // QOPT_LIB_QUANTIZATION_MATRIXKERNELS_H
