//===- Elements.h - 16-bit element types and activations of any type -----------===//

#ifndef QRT_KERNELS_CUDA_DEVICE_ELEMENTS_H
#define QRT_KERNELS_CUDA_DEVICE_ELEMENTS_H

#include "kernels/cuda/Ops.h"
#include "kernels/cuda/device/Simt.h"

namespace qrt::cuda {

/// The two types of operands of the tensor cores, as template arguments.
struct F16 {
  static constexpr DType type = DType::F16;
  static QRT_DEVICE uint32_t pack(float low, float high) { return packF16(low, high); }
  static QRT_DEVICE float widen(uint16_t bits) { return floatOfF16(bits); }
  static QRT_DEVICE void mma(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    mmaF16(d, a, b);
  }
};
struct BF16 {
  static constexpr DType type = DType::BF16;
  static QRT_DEVICE uint32_t pack(float low, float high) { return packBf16(low, high); }
  static QRT_DEVICE float widen(uint16_t bits) { return floatOfBf16(bits); }
  static QRT_DEVICE void mma(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    mmaBf16(d, a, b);
  }
};

inline constexpr float maxF16 = 65504.0f;

/// Keeps finite values finite in f16, as the saturating formats of others do; infinities and NaN
/// pass. `overflow` collects whether it had to.
QRT_DEVICE float clampToF16(float value, bool &overflow) {
  float magnitude = value < 0 ? -value : value;
  if (magnitude > maxF16 && magnitude <= 3.4028235e38f) {
    overflow = true;
    return value < 0 ? -maxF16 : maxF16;
  }
  return value;
}

/// Element `index` of a matrix's row that starts at `row` elements.
QRT_DEVICE float loadElement(const Matrix &m, int64_t at) {
  switch (m.type) {
  case DType::F16:
    return floatOfF16(loadGlobal(static_cast<const uint16_t *>(m.data) + at));
  case DType::BF16:
    return floatOfBf16(loadGlobal(static_cast<const uint16_t *>(m.data) + at));
  default:
    return loadGlobal(static_cast<const float *>(m.data) + at);
  }
}

/// Rounds to the matrix's type; a value that f16 cannot hold raises HalfOverflow in `faults`.
QRT_DEVICE void storeElement(const Matrix &m, int64_t at, float value, uint32_t *faults) {
  if (m.type == DType::F32) {
    storeGlobal(static_cast<float *>(m.data) + at, value);
    return;
  }
  bool overflow = false;
  uint32_t bits =
      m.type == DType::F16 ? packF16(clampToF16(value, overflow), 0.0f) : packBf16(value, 0.0f);
  storeGlobal(static_cast<uint16_t *>(m.data) + at, static_cast<uint16_t>(bits));
  if (overflow && faults)
    atomicOr(faults, HalfOverflow);
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_DEVICE_ELEMENTS_H
