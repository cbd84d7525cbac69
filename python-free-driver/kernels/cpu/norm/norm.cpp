//===- norm.cpp - RMS and layer normalisation over a batch --------------------===//
//
// Splits over tokens; each row is normalised by one worker.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/norm/norm.h"

#include "kernels/cpu/vector/Variants.h"

namespace qrt::kernels {

void rmsNorm(ThreadPool &pool, const NormArgs &args) {
  pool.parallelFor(args.tokens, tokenGrain(args.width), [&](int64_t begin, int64_t end, int) {
    activeVectorKernels().rmsNorm(args, begin, end);
  });
}

void layerNorm(ThreadPool &pool, const NormArgs &args) {
  pool.parallelFor(args.tokens, tokenGrain(args.width), [&](int64_t begin, int64_t end, int) {
    activeVectorKernels().layerNorm(args, begin, end);
  });
}

} // namespace qrt::kernels
