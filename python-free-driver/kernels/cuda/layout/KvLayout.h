//===- KvLayout.h - keys and values in a block of the device's cache ---------------===//
//
// A block holds kvBlockTokens tokens of one sequence. The keys of one layer lie in it as
// [kvHead][token][dim], so that a head's tokens are consecutive rows, and the values likewise.
//
//   F32, F16   elements
//   I8         codes q = round(x / s) + 128, one byte each; behind the codes of all heads the
//   scales
//              [kvHead][token], f16: s = max|x| / 127 over the dims of a token
//   I4         codes q = round(x / s) + 8, two per byte, the even dim in the low nibble; scales
//              [kvHead][token][group of kvGroup4 dims], f16: s = max|x| / 7
//
// s is rounded to f16, at least 2^-14, before the codes are computed (docs/semantics.md).
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LAYOUT_KVLAYOUT_H
#define QRT_KERNELS_CUDA_LAYOUT_KVLAYOUT_H

#include "kernels/cuda/Ops.h"

namespace qrt::cuda {

inline constexpr int kvGroup4 = 32;

constexpr bool isKvType(DType type) {
  return type == DType::F32 || type == DType::F16 || type == DType::I8 || type == DType::I4;
}
/// Bytes of one token's keys of one head, without scales.
constexpr int64_t kvRowBytes(int64_t dim, DType type) {
  return type == DType::I4    ? (dim + 1) / 2
         : type == DType::I8  ? dim
         : type == DType::F16 ? 2 * dim
                              : 4 * dim;
}
/// Scales of one token and head.
constexpr int64_t kvRowScales(int64_t dim, DType type) {
  return type == DType::I8 ? 1 : type == DType::I4 ? (dim + kvGroup4 - 1) / kvGroup4 : 0;
}
/// Of a row from the start of the page, in bytes.
constexpr int64_t kvRowOffset(int64_t head, int64_t token, int64_t dim, DType type) {
  return (head * kvBlockTokens + token) * kvRowBytes(dim, type);
}
constexpr int64_t kvScaleOffset(int64_t kvHeads, int64_t head, int64_t token, int64_t dim,
                                DType type) {
  return kvHeads * kvBlockTokens * kvRowBytes(dim, type) +
         (head * kvBlockTokens + token) * kvRowScales(dim, type) * 2;
}
/// Bytes of the keys or values of one layer in one block, padded to 64.
constexpr int64_t kvPageSize(int64_t kvHeads, int64_t dim, DType type) {
  return (kvScaleOffset(kvHeads, kvHeads, 0, dim, type) + 63) / 64 * 64;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LAYOUT_KVLAYOUT_H
