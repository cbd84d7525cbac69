//===- norm.h - RMS and layer normalisation ----------------------------------===//
//
// Per token and per chunk of `chunk` features (chunk = width: the whole row; smaller: every
// head by itself, as in q/k norm):
//
//   rmsNorm    y = x / sqrt(mean(x^2) + epsilon) * weight
//   layerNorm  y = (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * weight + bias
//
// f32 throughout. dst may be src. Re-entrant; allocates nothing.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_NORM_NORM_H
#define QRT_KERNELS_CPU_NORM_NORM_H

#include "kernels/cpu/threading/ThreadPool.h"

#include <cstdint>

namespace qrt::kernels {

struct NormArgs {
  float *dst; ///< [tokens, width]
  int64_t dstStride;
  const float *src; ///< [tokens, width]
  int64_t srcStride;
  const float *weight;         ///< [chunk]
  const float *bias = nullptr; ///< [chunk] or null; layerNorm only
  int64_t tokens;
  int64_t width; ///< a multiple of chunk
  int64_t chunk;
  float epsilon;
};

void rmsNorm(ThreadPool &pool, const NormArgs &args);
void layerNorm(ThreadPool &pool, const NormArgs &args);

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_NORM_NORM_H
