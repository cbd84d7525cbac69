//===- NormKernel.h - normalisation on a vector type -------------------------===//
//
// Two passes over a chunk (three for layerNorm, whose variance is taken around the mean to avoid
// cancellation); the chunk stays in L1.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_NORM_NORMKERNEL_H
#define QRT_KERNELS_CPU_NORM_NORMKERNEL_H

#include "kernels/cpu/norm/norm.h"
#include "kernels/cpu/simd/Math.h"

namespace qrt::kernels {
namespace {

/// sum of (x - center)^2 over n values.
template <class V>
float sumOfSquares(const float *x, int64_t n, float center) {
  typename V::Type even = V::zero(), odd = V::zero(), c = V::set1(center);
  int64_t i = 0;
  for (; i + 2 * V::width <= n; i += 2 * V::width) {
    typename V::Type a = V::sub(V::load(x + i), c), b = V::sub(V::load(x + i + V::width), c);
    even = V::fma(a, a, even);
    odd = V::fma(b, b, odd);
  }
  float tail = 0.0f;
  for (; i < n; ++i)
    tail += (x[i] - center) * (x[i] - center);
  return V::reduceAdd(V::add(even, odd)) + tail;
}

template <class V>
float sum(const float *x, int64_t n) {
  typename V::Type acc = V::zero();
  int64_t i = 0;
  for (; i + V::width <= n; i += V::width)
    acc = V::add(acc, V::load(x + i));
  float tail = 0.0f;
  for (; i < n; ++i)
    tail += x[i];
  return V::reduceAdd(acc) + tail;
}

/// y = (x - center) * factor * weight + bias.
template <class V>
void scaleAndShift(float *y, const float *x, int64_t n, float center, float factor,
                   const float *weight, const float *bias) {
  typename V::Type c = V::set1(center), f = V::set1(factor);
  int64_t i = 0;
  for (; i + V::width <= n; i += V::width) {
    typename V::Type normal = V::mul(V::sub(V::load(x + i), c), f);
    typename V::Type shift = bias ? V::load(bias + i) : V::zero();
    V::store(y + i, V::fma(normal, V::load(weight + i), shift));
  }
  for (; i < n; ++i)
    y[i] = (x[i] - center) * factor * weight[i] + (bias ? bias[i] : 0.0f);
}

template <class V>
void rmsNormKernel(const NormArgs &args, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t)
    for (int64_t at = 0; at < args.width; at += args.chunk) {
      const float *x = args.src + t * args.srcStride + at;
      float mean = sumOfSquares<V>(x, args.chunk, 0.0f) / static_cast<float>(args.chunk);
      float factor = 1.0f / __builtin_sqrtf(mean + args.epsilon);
      scaleAndShift<V>(args.dst + t * args.dstStride + at, x, args.chunk, 0.0f, factor, args.weight,
                       nullptr);
    }
}

template <class V>
void layerNormKernel(const NormArgs &args, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t)
    for (int64_t at = 0; at < args.width; at += args.chunk) {
      const float *x = args.src + t * args.srcStride + at;
      float mean = sum<V>(x, args.chunk) / static_cast<float>(args.chunk);
      float variance = sumOfSquares<V>(x, args.chunk, mean) / static_cast<float>(args.chunk);
      float factor = 1.0f / __builtin_sqrtf(variance + args.epsilon);
      scaleAndShift<V>(args.dst + t * args.dstStride + at, x, args.chunk, mean, factor, args.weight,
                       args.bias);
    }
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_NORM_NORMKERNEL_H
