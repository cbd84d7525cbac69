//===- ProductSum.h - Where sum_t a_t b_t^T is computed ---------------------------------------===//
// HessianAccumulator and CrossMoment (Hessian.h) hand chunks of tokens to one of these: the CPU's
// own, or one of a device (qopt/Calibration/DeviceProducts.h). Chunks are summed in f32, sums of
// chunks in f64, in the order of the tokens; two implementations differ by the rounding inside a
// chunk of at most `chunk` tokens.
#ifndef QOPT_QUANTIZATION_PRODUCTSUM_H
#define QOPT_QUANTIZATION_PRODUCTSUM_H

#include <cstdint>
#include <span>

namespace qopt::quantization {

class ProductSum {
public:
  static constexpr int64_t chunk = 512; ///< most tokens of one add()

  virtual ~ProductSum() = default;

  /// Adds the products of a and b [tokens, k]. May be the same array.
  virtual void add(const float *a, const float *b, int64_t tokens) = 0;
  /// Writes the sums times factor [k, k]; false if one is not finite.
  virtual bool write(double factor, std::span<float> out) = 0;
};

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_PRODUCTSUM_H
