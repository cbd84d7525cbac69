//===- RopeKernel.h - rotary position embedding on a vector type -------------===//
//
// The half-split form runs on vectors; the interleaved form, which few models use, is a plain
// loop that the compiler vectorizes with shuffles.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ROPE_ROPEKERNEL_H
#define QRT_KERNELS_CPU_ROPE_ROPEKERNEL_H

#include "kernels/cpu/rope/rope.h"
#include "kernels/cpu/simd/Math.h"

namespace qrt::kernels {
namespace {

inline void rotatePair(float &a, float &b, float c, float s) {
  float x = a, y = b;
  a = x * c - y * s;
  b = y * c + x * s;
}

template <class V>
void rotateHalves(float *x, int64_t half, const float *cos, const float *sin) {
  int64_t i = 0;
  for (; i + V::width <= half; i += V::width) {
    typename V::Type a = V::load(x + i), b = V::load(x + half + i);
    typename V::Type c = V::load(cos + i), s = V::load(sin + i);
    V::store(x + i, V::sub(V::mul(a, c), V::mul(b, s)));
    V::store(x + half + i, V::add(V::mul(b, c), V::mul(a, s)));
  }
  for (; i < half; ++i)
    rotatePair(x[i], x[half + i], cos[i], sin[i]);
}

template <class V>
void ropeKernel(const RopeArgs &args, int64_t begin, int64_t end) {
  const int64_t half = args.rotaryDim / 2;
  for (int64_t t = begin; t < end; ++t)
    for (int64_t head = 0; head < args.heads; ++head) {
      float *x = args.x + t * args.stride + head * args.headDim;
      const float *cos = args.cos + t * half, *sin = args.sin + t * half;
      if (!args.interleaved) {
        rotateHalves<V>(x, half, cos, sin);
        continue;
      }
      for (int64_t i = 0; i < half; ++i)
        rotatePair(x[2 * i], x[2 * i + 1], cos[i], sin[i]);
    }
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ROPE_ROPEKERNEL_H
