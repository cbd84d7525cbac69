//===- KvPairs.h - keys and values in bf16 in their pages ----------------------===//
//
// Layout of one kv head in a page of 64 tokens, BF16: 32-bit words of two neighbours, the first in
// the lower half, which is what a product of bf16 pairs takes.
//
//   keys    [headDim / 2, rounded up][64 tokens]: two features of one token; behind the last
//           feature of an odd head lies a zero
//   values  [32][valueDim, rounded up to 16]: two tokens of one feature
//
// constexpr and internal: variant files include it.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ATTENTION_KVPAIRS_H
#define QRT_KERNELS_CPU_ATTENTION_KVPAIRS_H

#include "kernels/cpu/attention/attention.h"

namespace qrt::kernels {

/// Words of one token's key.
static constexpr int64_t keyPairs(int64_t headDim) { return (headDim + 1) / 2; }
/// Words of two tokens' values.
static constexpr int64_t valuePairWords(int64_t valueDim) { return (valueDim + 15) / 16 * 16; }

/// 16-bit elements of one kv head, and where feature d of the token in `slot` is among them.
static constexpr int64_t pairElements(int64_t dim, bool isKey) {
  return isKey ? keyPairs(dim) * 2 * kvPageTokens : kvPageTokens * valuePairWords(dim);
}
static constexpr int64_t pairElement(int64_t dim, bool isKey, int64_t slot, int64_t d) {
  return isKey ? (d / 2 * kvPageTokens + slot) * 2 + d % 2
               : (slot / 2 * valuePairWords(dim) + d) * 2 + slot % 2;
}

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ATTENTION_KVPAIRS_H
