//===- KvLayout.h - keys and values in a block of the device's cache ---------------===//
//
// A block holds kvBlockTokens tokens of one sequence. The keys of one layer lie in it as
// [kvHead][token][dim], so that a head's tokens are consecutive rows, and the values likewise.
//
//   F32, F16, BF16   elements
//   I8               codes of one byte, symmetric, one scale per token and group of 128 dims
//   I4               two codes per byte, the even dim in the low nibble; asymmetric, groups of 32
//   dims
//
// A head that the group does not divide is one group. Behind the codes of all heads lie the scales
// [kvHead][token][group], f16, behind those the zero points of I4, bytes. Groups, scales, zero
// points and codes are those of the CPU's cache (kernels/cpu/attention/KvCodes.h); only the order
// of bytes is the device's own. A group that is not finite has a NaN scale.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LAYOUT_KVLAYOUT_H
#define QRT_KERNELS_CUDA_LAYOUT_KVLAYOUT_H

#include "kernels/cuda/Ops.h"

namespace qrt::cuda {

constexpr bool isKvType(DType type) {
  return type == DType::F32 || type == DType::F16 || type == DType::BF16 || type == DType::I8 ||
         type == DType::I4;
}
/// Whether keys or values are codes.
constexpr bool isCoded(const KvPool &kv) {
  auto coded = [](DType type) { return type == DType::I8 || type == DType::I4; };
  return coded(kv.keyType) || coded(kv.valueType);
}
/// Bytes of one token's keys of one head, without scales.
constexpr int64_t kvRowBytes(int64_t dim, DType type) {
  return type == DType::I4    ? (dim + 1) / 2
         : type == DType::I8  ? dim
         : type == DType::F32 ? 4 * dim
                              : 2 * dim;
}
/// Dims that share a scale.
constexpr int kvGroup(int dim, DType type) {
  const int preferred = type == DType::I4 ? 32 : 128;
  return dim % preferred == 0 ? preferred : dim;
}
/// Scales of one token and head.
constexpr int64_t kvRowScales(int64_t dim, DType type) {
  return type == DType::I8 || type == DType::I4 ? dim / kvGroup(static_cast<int>(dim), type) : 0;
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
constexpr int64_t kvZeroOffset(int64_t kvHeads, int64_t head, int64_t token, int64_t dim,
                               DType type) {
  return kvScaleOffset(kvHeads, kvHeads, 0, dim, type) +
         (head * kvBlockTokens + token) * (type == DType::I4 ? kvRowScales(dim, type) : 0);
}
/// Bytes of the keys or values of one layer in one block, padded to 64.
constexpr int64_t kvPageSize(int64_t kvHeads, int64_t dim, DType type) {
  return (kvZeroOffset(kvHeads, kvHeads, 0, dim, type) + 63) / 64 * 64;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LAYOUT_KVLAYOUT_H
