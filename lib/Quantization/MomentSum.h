//===- MomentSum.h - sum_t a_t b_t^T in f64 tiles ---------------------------------------------===//
// The sum behind HessianAccumulator (a = w x, b = x, lower triangle) and CrossMoment (whole). The
// matrix is cut into blocks of 96 x 96, each a run of register tiles, so that a chunk of tokens
// streams through the sums once. Chunk sums are f32, sums of chunks f64.
#ifndef QOPT_LIB_QUANTIZATION_MOMENTSUM_H
#define QOPT_LIB_QUANTIZATION_MOMENTSUM_H

#include "qopt/Quantization/Parallel.h"

#include <span>
#include <vector>

namespace qopt::quantization {

class MomentSum {
public:
  static constexpr int64_t chunk = 512; ///< tokens summed in f32
  static constexpr int64_t block = 96;  ///< a multiple of both sides of a register tile

  MomentSum(int64_t k, bool lowerOnly, ParallelFor parallel);

  /// Adds up to `chunk` tokens of a and b [tokens, k]. May be the same array.
  void add(const float *a, const float *b, int64_t tokens);
  /// Writes the sums times factor [k, k] (mirrored if lower only); false if one is not finite.
  bool write(double factor, std::span<float> out) const;
  static int64_t bytes(int64_t k, bool lowerOnly);

private:
  int64_t blockOffset(int64_t row, int64_t column) const;

  int64_t k, blocks;
  bool lowerOnly;
  ParallelFor parallel;
  std::vector<double> sums;
  std::vector<float> packedA, packedB;
};

} // namespace qopt::quantization

#endif // QOPT_LIB_QUANTIZATION_MOMENTSUM_H
