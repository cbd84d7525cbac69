//===- ScaledCodes.h - codes into scaled f16 weights ---------------------------------------===//
//
// (q - z) s in f16, for products whose sums cannot be scaled group by group (WgmmaLinear.h): q - z
// is exact (Dequantize.h), the product is rounded once, by at most 2^-11 of itself; below 2^-14 it
// is exact again, a multiple of s's own last bit. Beyond 65504 it is infinite, as no f16 weight is.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_SCALEDCODES_H
#define QRT_KERNELS_CUDA_LINEAR_SCALEDCODES_H

#include "kernels/cuda/linear/Dequantize.h"

namespace qrt::cuda {

template <WeightFormat format>
struct ScaledCodes {
  using Exact = ExactCodes<format, F16>;
  Exact exact;
  uint32_t scale, scale8; ///< f16 bits of row p and of row p + 8, in both halves

  /// -(2^(10 - shift) + z), twice: z counts in steps of the number's last bit but `shift`.
  static QRT_DEVICE uint32_t offset(int shift, uint32_t zeroPoint) {
    return twice(1) * ((0xe400u - (uint32_t(shift) << 10)) + (zeroPoint << shift));
  }
  ScaledCodes() = default;
  /// Bits of f16 scales and zero points of the two rows.
  QRT_DEVICE ScaledCodes(uint32_t s, uint32_t s8, uint32_t z, uint32_t z8)
      : scale(s * twice(1)), scale8(s8 * twice(1)) {
    exact.lowOffset = offset(Exact::lowShift, z);
    exact.highOffset = offset(Exact::highShift, z8);
    exact.needed = true;
  }

  QRT_DEVICE uint32_t low(uint32_t w) const { return mulF16x2(exact.low(w), scale); }
  QRT_DEVICE uint32_t high(uint32_t w) const { return mulF16x2(exact.high(w), scale8); }
  template <bool odd>
  QRT_DEVICE uint32_t bytes(uint32_t w, bool isHigh) const {
    return mulF16x2(exact.template bytes<odd>(w, isHigh), isHigh ? scale8 : scale);
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_SCALEDCODES_H
