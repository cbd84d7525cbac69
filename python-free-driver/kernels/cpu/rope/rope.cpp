//===- rope.cpp - rotary position embedding over a batch ----------------------===//
//
// Splits over tokens.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/rope/rope.h"

#include "kernels/cpu/vector/Variants.h"

#include <cmath>

namespace qrt::kernels {

void rope(ThreadPool &pool, const RopeArgs &args) {
  pool.parallelFor(
      args.tokens, tokenGrain(args.heads * args.headDim),
      [&](int64_t begin, int64_t end, int) { activeVectorKernels().rope(args, begin, end); });
}

void ropeTable(ThreadPool &pool, const int32_t *positions, int64_t tokens,
               const float *inverseFrequency, int64_t half, float scaling, float *cos, float *sin) {
  pool.parallelFor(tokens, 8, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t)
      for (int64_t i = 0; i < half; ++i) {
        double angle = static_cast<float>(positions[t]) * inverseFrequency[i];
        cos[t * half + i] = static_cast<float>(std::cos(angle) * scaling);
        sin[t * half + i] = static_cast<float>(std::sin(angle) * scaling);
      }
  });
}

} // namespace qrt::kernels
