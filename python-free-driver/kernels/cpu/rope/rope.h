//===- rope.h - rotary position embedding ------------------------------------===//
//
// Rotates the first rotaryDim features of every head in place; the others pass:
//
//   (a, b) -> (a cos - b sin, b cos + a sin)
//
// where (a, b) is (x[i], x[i + rotaryDim/2]) or, interleaved, (x[2i], x[2i+1]), and cos and sin
// are those of (token, i). The tables come from ropeTable and serve all layers of a step.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ROPE_ROPE_H
#define QRT_KERNELS_CPU_ROPE_ROPE_H

#include "kernels/cpu/threading/ThreadPool.h"

#include <cstdint>

namespace qrt::kernels {

struct RopeArgs {
  float *x; ///< [tokens, heads * headDim], rotated in place
  int64_t stride;
  int64_t tokens;
  int64_t heads, headDim;
  int64_t rotaryDim; ///< even, at most headDim
  bool interleaved;
  const float *cos; ///< [tokens, rotaryDim / 2]
  const float *sin; ///< [tokens, rotaryDim / 2]
};

void rope(ThreadPool &pool, const RopeArgs &args);

/// cos[t, i] = scaling * cos(position[t] * inverseFrequency[i]), sin alike; tables [tokens, half].
/// The angle is rounded to f32 as the models' own graphs do, its cosine taken in f64.
void ropeTable(ThreadPool &pool, const int32_t *positions, int64_t tokens,
               const float *inverseFrequency, int64_t half, float scaling, float *cos, float *sin);

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ROPE_ROPE_H
