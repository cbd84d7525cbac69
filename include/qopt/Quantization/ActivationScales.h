//===- ActivationScales.h - Static scales of 8-bit activations --------------------------------===//
// A static scale s is fixed before the model runs: a = clamp(round(x / s), -127, 127) for every
// token (kernels/cpu/linear/linear.h). Values are counted by magnitude, in bins of a 64th of an
// octave from 2^-40 to 2^40, per block of channels that shares a scale. The scale is what
//
//   AbsMax      reaches the largest magnitude: s = max|x| / 127
//   Percentile  reaches all but one of 10,000 values
//   MeanSquare  has the least squared error: s^2 / 12 for a value above s / 2 that is reached, x^2
//               below that, (|x| - 127 s)^2 for one that is clamped; ends of bins are tried
//
// Counts do not depend on the order of the values. One caller at a time per block.
#ifndef QOPT_QUANTIZATION_ACTIVATIONSCALES_H
#define QOPT_QUANTIZATION_ACTIVATIONSCALES_H

#include <cstdint>
#include <vector>

namespace qopt::quantization {

enum class ActivationObserver { AbsMax, Percentile, MeanSquare };

class ActivationHistogram {
public:
  explicit ActivationHistogram(int64_t blocks);

  /// Counts values of one block. Different blocks may be counted at once.
  void add(int64_t block, const float *x, int64_t count);

  /// False if the block has seen a value that is not finite.
  bool isFinite(int64_t block) const { return largest[block] <= 3.402823466e38f; }
  /// Largest magnitude seen.
  float maximum(int64_t block) const { return largest[block]; }
  /// The scale, positive; 1 for a block without values other than 0.
  float scale(int64_t block, ActivationObserver observer) const;
  /// Share of the values that a scale clamps, by bins.
  double clampedShare(int64_t block, float scale) const;

private:
  const uint64_t *countsOf(int64_t block) const;

  std::vector<uint64_t> counts; ///< [blocks][bins]
  std::vector<float> largest;   ///< by block
};

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_ACTIVATIONSCALES_H
