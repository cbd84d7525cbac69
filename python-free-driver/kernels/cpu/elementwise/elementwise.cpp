//===- elementwise.cpp - element-wise operations over a batch -----------------===//
//
// Splits over tokens.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/elementwise/elementwise.h"

#include "kernels/cpu/vector/Variants.h"

namespace qrt::kernels {

void unary(ThreadPool &pool, const UnaryArgs &args) {
  pool.parallelFor(args.tokens, tokenGrain(args.width), [&](int64_t begin, int64_t end, int) {
    activeVectorKernels().unary(args, begin, end);
  });
}

void gatedActivation(ThreadPool &pool, const GatedArgs &args) {
  pool.parallelFor(args.tokens, tokenGrain(args.width), [&](int64_t begin, int64_t end, int) {
    activeVectorKernels().gated(args, begin, end);
  });
}

void binary(ThreadPool &pool, const BinaryArgs &args) {
  pool.parallelFor(args.tokens, tokenGrain(args.width), [&](int64_t begin, int64_t end, int) {
    activeVectorKernels().binary(args, begin, end);
  });
}

} // namespace qrt::kernels
