//===- LaneKernels.h - Rounding of eight rows at once -----------------------------------------===//
// A lane block holds 8 rows of a weight, transposed: [columns][8], so that everything that is
// sequential over columns (error feedback, descent) runs on 8 independent rows per instruction.
// Lanes never mix. Codes are floats here, integers by value.
#ifndef QOPT_LIB_QUANTIZATION_LANEKERNELS_H
#define QOPT_LIB_QUANTIZATION_LANEKERNELS_H

#include <cstdint>

namespace qopt::quantization {

inline constexpr int lanes = 8;

struct LaneScales {
  float scale[lanes]; ///< an f16 value, |scale| in [2^-14, 65504]
  float zero[lanes];
};

struct LaneSearch {
  int bits = 4;
  bool symmetric = true;
  int ratios = 24; ///< 1: the whole range, no search
};

struct LaneKernels {
  /// Scale and zero point of values [count][8] of one group: the range shrunk to
  /// 1 - 0.55 i / ratios, the least sum of weight[j] * error^2 wins (weight null: 1), the widest
  /// of equals. Symmetric searches try negative scales too, which give the longer half of the
  /// codes to the positive values.
  void (*searchScales)(const LaneSearch &search, const float *values, const float *weight,
                       int64_t count, LaneScales &out);

  /// The same candidates judged by the output error of the row: the least e (2 b + e H_g)^T with e
  /// [count][8] the error of the group and b what the errors of other groups add, against that of
  /// the codes, error and scales that are given; they change where a candidate is less. On entry
  /// offset [count][8] is (all errors) H, so that b = offset - e H_g. h: H_g [count][count], or its
  /// diagonal [count]. scratch [2 count][8].
  void (*searchScalesUnder)(const LaneSearch &search, const float *values, const float *offset,
                            const float *h, bool diagonal, int64_t count, float *scratch,
                            float *codes, float *error, LaneScales &scales);

  /// Rounds columns [first, last) of w [count][8] with the given scales, feeding errors forward:
  /// e = (w_j - q_j) / u[j][j], w_i -= e u[j][i] for i in (j, count). u: row-major, ldu apart.
  /// Writes codes [count][8], errors [count][8] and adds e^2 to loss [8].
  void (*roundColumns)(int bits, const LaneScales &scales, float *w, const float *u, int64_t ldu,
                       int64_t first, int64_t last, int64_t count, float *codes, float *errors,
                       double *loss);

  /// One descent step per column in [first, last): the code becomes the best one given all others.
  /// gradient [count][8] is (R Hd) of the block's columns and is kept up to date inside the block;
  /// residual [count][8] is R; h: the block's [count, count] part of H, damping comes on top.
  void (*descendColumns)(int bits, const LaneScales &scales, float *gradient, float *residual,
                         const float *h, int64_t ldh, float damping, int64_t first, int64_t last,
                         int64_t count, float *codes);

  /// The scale of the group in columns [first, last), given its codes and all else, becomes the
  /// best one that f16 holds and that has its sign, where that lowers the objective. product
  /// [count][8] = C H of the block's columns, C the centred codes of the group alone; damping comes
  /// on top. gradient and residual are kept up to date.
  void (*refitScale)(const float *product, float damping, int64_t first, int64_t last,
                     int64_t count, const float *codes, LaneScales &scales, float *gradient,
                     float *residual);

  /// out [count][8] = 8 rows of x [., ld], and back.
  void (*toLanes)(const float *x, int64_t ld, int64_t count, float *out);
  void (*fromLanes)(const float *in, int64_t count, float *x, int64_t ld);
};

extern const LaneKernels baselineLaneKernels;
#ifdef QOPT_BUILD_X86
extern const LaneKernels avx2LaneKernels;
extern const LaneKernels avx512LaneKernels;
#endif

const LaneKernels &laneKernels();

} // namespace qopt::quantization

#endif // QOPT_LIB_QUANTIZATION_LANEKERNELS_H
