//===- Int8Codes.h - codes as operand A of integer products ------------------------------===//
//
// Int8Codes<format>::expandHalf gives the A registers of mma m16n8k32 for one half of a unit (32 of
// k) from a lane's words (WeightOrder.h): the four k of a row and step sit in one byte each, so one
// mask extracts a register. Row p + 8 keeps its bits where they lie: it is highFactor times too
// large. 3-bit pairs are put together from two fields.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_INT8CODES_H
#define QRT_KERNELS_CUDA_LINEAR_INT8CODES_H

#include "kernels/cuda/linear/Dequantize.h"

namespace qrt::cuda {

template <WeightFormat format>
struct Int8Codes;

template <>
struct Int8Codes<WeightFormat::U8> {
  static constexpr int highFactor = 1;
  static QRT_DEVICE void expandHalf(const uint32_t *words, int half, uint32_t (&a)[4]) {
    QRT_UNROLL
    for (int i = 0; i < 4; ++i)
      a[i] = words[4 * half + i];
  }
};
template <>
struct Int8Codes<WeightFormat::U4> {
  static constexpr int highFactor = 16;
  static QRT_DEVICE void expandHalf(const uint32_t *words, int half, uint32_t (&a)[4]) {
    QRT_UNROLL
    for (int step = 0; step < 2; ++step) {
      a[2 * step] = words[2 * half + step] & 0x0f0f0f0fu;
      a[2 * step + 1] = words[2 * half + step] & 0xf0f0f0f0u;
    }
  }
};
template <>
struct Int8Codes<WeightFormat::U2> {
  static constexpr int highFactor = 4;
  static QRT_DEVICE void expandHalf(const uint32_t *words, int half, uint32_t (&a)[4]) {
    QRT_UNROLL
    for (int step = 0; step < 2; ++step) {
      const uint32_t w = words[half] >> (4 * step);
      a[2 * step] = w & 0x03030303u;
      a[2 * step + 1] = w & 0x0c0c0c0cu;
    }
  }
};
template <>
struct Int8Codes<WeightFormat::U3> {
  static constexpr int highFactor = 8;
  static QRT_DEVICE void expandHalf(const uint32_t *words, int half, uint32_t (&a)[4]) {
    QRT_UNROLL
    for (int step = 0; step < 2; ++step) {
      uint32_t pairs[4];
      CodeFields<WeightFormat::U3, F16>::expandStep(words, 2 * half + step,
                                                    RawCodes<WeightFormat::U3, F16>(), pairs);
      a[2 * step] = pairs[0] | pairs[2] << 8;
      a[2 * step + 1] = pairs[1] | pairs[3] << 8;
    }
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_INT8CODES_H
