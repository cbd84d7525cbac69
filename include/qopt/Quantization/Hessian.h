//===- Hessian.h - Second moments of a linear's inputs ----------------------------------------===//
// The quantity that every calibrated quantizer minimises under (GPTQ, arXiv 2210.17323, section 3;
// the factor 2 of the paper cancels everywhere and is left out):
//
//   H = sum_t w_t x_t x_t^T / sum_t w_t          [k, k]
//
// HessianAccumulator keeps the lower triangle in f64 (4 k^2 bytes in all). Tokens are taken in
// chunks of 512, products are summed in f32 inside a chunk and chunks in f64, in the order of the
// tokens: the result depends on the sequence of tokens only, not on how it is cut into add() calls
// nor on the number of threads. With MomentPrecision::Int8 chunks have 1024 tokens, sqrt(w) x is
// rounded to 8 bits with a scale per channel and chunk, and products and their sums are exact, so
// that they are the same on every instruction set. What rounding adds to an element is noise of
// less than 3e-3 of sqrt(H_ii H_jj), 6e-5 where values are normally distributed: 96 channels in
// which a channel would get more in a chunk (its largest value is above 24.1 times its root mean
// square) are taken in f32 there. CrossMoment does the same for the correction of asymmetric
// calibration (GPTAQ, arXiv 2504.02692, section 3.2; target in TargetCorrection.h):
//
//   D = sum_t w_t (xf_t - xq_t) xq_t^T / sum_t w_t
//
// with xf the input in the float model and xq the input behind quantized layers. Both also keep
// what scale searches need of single channels: mean |x|, max |x|. One caller at a time.
#ifndef QOPT_QUANTIZATION_HESSIAN_H
#define QOPT_QUANTIZATION_HESSIAN_H

#include "qopt/Quantization/Parallel.h"
#include "qopt/Quantization/ProductSum.h"

#include <memory>
#include <span>
#include <vector>

namespace qopt::quantization {

/// Per input channel, over the tokens seen.
struct ChannelStatistics {
  std::vector<float> meanAbs; ///< sum w|x| / sum w
  std::vector<float> maxAbs;  ///< over tokens with w > 0
};

enum class MomentPrecision { Float32, Int8 };

class HessianAccumulator {
public:
  /// `elsewhere`: sums the lower triangle instead of the CPU, in f32; null: the CPU. Without
  /// `channels`, channels() is all zeros.
  HessianAccumulator(int64_t k, ParallelFor parallel,
                     MomentPrecision precision = MomentPrecision::Float32,
                     std::unique_ptr<ProductSum> elsewhere = nullptr, bool channels = true);
  ~HessianAccumulator();
  HessianAccumulator(HessianAccumulator &&) noexcept;
  HessianAccumulator &operator=(HessianAccumulator &&) noexcept;

  /// Adds x [tokens, k], rows rowStride floats apart, with one weight >= 0 per token (empty: 1).
  void add(const float *x, int64_t tokens, int64_t rowStride,
           std::span<const float> tokenWeights = {});

  int64_t columns() const;
  double weightSum() const;
  int64_t tokens() const;

  /// Writes the whole symmetric matrix [k, k], divided by weightSum(). False if nothing with a
  /// weight was added or an element is not finite (the accumulator may still be used).
  bool finish(std::span<float> h);
  ChannelStatistics channels() const;

  /// Bytes that an accumulator of k columns holds.
  static int64_t bytes(int64_t k);

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

class CrossMoment {
public:
  /// `elsewhere`: sums the whole matrix instead of the CPU; null: the CPU.
  CrossMoment(int64_t k, ParallelFor parallel, std::unique_ptr<ProductSum> elsewhere = nullptr);
  ~CrossMoment();
  CrossMoment(CrossMoment &&) noexcept;
  CrossMoment &operator=(CrossMoment &&) noexcept;

  /// Adds the pair xf, xq [tokens, k] of the same tokens.
  void add(const float *xf, const float *xq, int64_t tokens, int64_t rowStride,
           std::span<const float> tokenWeights = {});

  /// Writes D [k, k]; false as for HessianAccumulator::finish.
  bool finish(std::span<float> d);

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_HESSIAN_H
