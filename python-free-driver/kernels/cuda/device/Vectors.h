//===- Vectors.h - two and four elements of a matrix at a time ----------------===//
//
// One access each; the place must be aligned to the elements that are moved.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_DEVICE_VECTORS_H
#define QRT_KERNELS_CUDA_DEVICE_VECTORS_H

#include "kernels/cuda/device/Elements.h"

namespace qrt::cuda {

struct Float4 {
  float v[4];
};

QRT_DEVICE Float4 floatsOf(const Words4 &words) {
  return {{floatOfBits(words.w[0]), floatOfBits(words.w[1]), floatOfBits(words.w[2]),
           floatOfBits(words.w[3])}};
}
QRT_DEVICE Words4 wordsOf(const Float4 &x) {
  return {{bitsOfFloat(x.v[0]), bitsOfFloat(x.v[1]), bitsOfFloat(x.v[2]), bitsOfFloat(x.v[3])}};
}
QRT_DEVICE Float4 loadFour(const float *p) {
  return floatsOf(loadGlobal(reinterpret_cast<const Words4 *>(p)));
}
/// Of data that no kernel of the running graph writes.
QRT_DEVICE Float4 loadConstantFour(const float *p) {
  return floatsOf(loadConstant(reinterpret_cast<const Words4 *>(p)));
}

/// Two values in 16 bits, rounded; `overflow` collects whether f16 could not hold them.
QRT_DEVICE uint32_t packHalves(DType type, float a, float b, bool &overflow) {
  return type == DType::F16 ? packF16(clampToF16(a, overflow), clampToF16(b, overflow))
                            : packBf16(a, b);
}

/// Elements `at` and `at` + 1 of m, as storeElement would store them.
QRT_DEVICE void storePair(const Matrix &m, int64_t at, float a, float b, uint32_t *faults) {
  if (m.type == DType::F32) {
    storeGlobal(reinterpret_cast<Words2 *>(static_cast<float *>(m.data) + at),
                Words2{{bitsOfFloat(a), bitsOfFloat(b)}});
    return;
  }
  bool overflow = false;
  storeGlobal(reinterpret_cast<uint32_t *>(static_cast<uint16_t *>(m.data) + at),
              packHalves(m.type, a, b, overflow));
  if (overflow && faults)
    atomicOr(faults, HalfOverflow);
}

/// Elements `at` .. `at` + 3 of m.
QRT_DEVICE void storeFour(const Matrix &m, int64_t at, const Float4 &x, uint32_t *faults) {
  if (m.type == DType::F32) {
    storeGlobal(reinterpret_cast<Words4 *>(static_cast<float *>(m.data) + at), wordsOf(x));
    return;
  }
  bool overflow = false;
  storeGlobal(reinterpret_cast<Words2 *>(static_cast<uint16_t *>(m.data) + at),
              Words2{{packHalves(m.type, x.v[0], x.v[1], overflow),
                      packHalves(m.type, x.v[2], x.v[3], overflow)}});
  if (overflow && faults)
    atomicOr(faults, HalfOverflow);
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_DEVICE_VECTORS_H
