//===- hadamard.h - Walsh-Hadamard transform of blocks of features -----------===//
//
// Per token and per block of `block` features, a row vector x:
//
//   y = x (B (x) W) / sqrt(block)        (x): the Kronecker product
//
// W is the Walsh matrix of order `inner` = block / m in natural order, W[i, j] = (-1)^popcount(i &
// j); B [m, m] is any matrix, in practice a Hadamard matrix of an order that is no power of two (76
// for 4864 features), which makes y a rotation of x (QuaRot, arXiv 2404.00456, section 4). Feature
// i * inner + k of x meets row i of B and row k of W.
//
// f32 in a fixed order: first the m-term sums over i, ascending, of B[i, o] x[i * inner + k]; then,
// times 1 / sqrt(block), the butterflies (a + b, a - b) over k at distances 1, 2, 4 ... inner / 2.
// With B of +-1 every variant gives the same bits. Re-entrant; allocates nothing.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_HADAMARD_HADAMARD_H
#define QRT_KERNELS_CPU_HADAMARD_HADAMARD_H

#include "kernels/cpu/threading/ThreadPool.h"

#include <cstdint>

namespace qrt::kernels {

struct HadamardArgs {
  float *dst; ///< [tokens, width]; shares no memory with src
  int64_t dstStride;
  const float *src; ///< [tokens, width]
  int64_t srcStride;
  const float *base = nullptr; ///< B [baseOrder, baseOrder]; null: baseOrder is 1 and B is 1
  int64_t baseOrder = 1;       ///< m >= 1; block / m is a power of two
  int64_t tokens;
  int64_t width; ///< a multiple of block
  int64_t block;
};

void hadamard(ThreadPool &pool, const HadamardArgs &args);

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_HADAMARD_HADAMARD_H
