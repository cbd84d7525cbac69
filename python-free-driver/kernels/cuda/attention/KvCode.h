//===- KvCode.h - scale, zero point and codes of a group of the cache -------------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_KVCODE_H
#define QRT_KERNELS_CUDA_ATTENTION_KVCODE_H

#include "kernels/cuda/device/Elements.h"

#include <cmath>

namespace qrt::cuda {

/// How a group is coded (docs/semantics.md), from its range, which holds zero.
struct KvCode {
  uint16_t stored; ///< the scale, f16
  float scale, zero, top;
  bool finite;

  QRT_DEVICE KvCode(float low, float high, bool isFinite, int bits) : finite(isFinite) {
    const auto middle = static_cast<float>(1 << (bits - 1));
    top = static_cast<float>((1 << bits) - 1);
    float s = bits == 8 ? (-low > high ? -low : high) / (middle - 1.0f) : (high - low) / top;
    s = s < 6.103515625e-5f ? 6.103515625e-5f : s > maxF16 ? maxF16 : s;
    stored = finite ? static_cast<uint16_t>(packF16(s, 0.0f)) : 0x7e00;
    scale = floatOfF16(stored);
    zero = bits == 8 || !finite ? middle : clamp(rintf(-low / scale));
  }
  QRT_DEVICE float clamp(float q) const { return q < 0.0f ? 0.0f : q > top ? top : q; }
  QRT_DEVICE int code(float x) const {
    return finite ? static_cast<int>(clamp(rintf(x / scale) + zero))
                  : static_cast<int>(top + 1.0f) / 2;
  }
  /// What a code stands for.
  QRT_DEVICE float value(int code) const { return (static_cast<float>(code) - zero) * scale; }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_KVCODE_H
