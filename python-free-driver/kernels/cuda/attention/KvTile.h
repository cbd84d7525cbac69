//===- KvTile.h - tiles of the cache and of queries in shared memory --------------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_KVTILE_H
#define QRT_KERNELS_CUDA_ATTENTION_KVTILE_H

#include "kernels/cuda/attention/FlashRows.h"
#include "kernels/cuda/attention/KvElement.h"

namespace qrt::cuda {

/// Eight elements of a quantized row as f16.
QRT_DEVICE Words4 dequantizeEight(DType type, const uint8_t *page, int64_t kvHeads, int64_t head,
                                  int token, int dim, int first) {
  const uint8_t *row = page + kvRowOffset(head, token, dim, type);
  const KvScale s = kvScale(type, page, kvHeads, head, token, dim, first);
  Words4 words;
  if (type == DType::I8) {
    const auto codes = loadGlobal(reinterpret_cast<const Words2 *>(row + first));
    QRT_UNROLL
    for (int i = 0; i < 4; ++i) {
      const uint32_t pair = codes.w[i / 2] >> (i % 2 * 16);
      words.w[i] = packF16(static_cast<float>(int(pair & 255) - s.zeroPoint) * s.scale,
                           static_cast<float>(int(pair >> 8 & 255) - s.zeroPoint) * s.scale);
    }
  } else {
    const auto codes = loadGlobal(reinterpret_cast<const uint32_t *>(row + first / 2));
    QRT_UNROLL
    for (int i = 0; i < 4; ++i) {
      const uint32_t pair = codes >> (i * 8);
      words.w[i] = packF16(static_cast<float>(int(pair & 15) - s.zeroPoint) * s.scale,
                           static_cast<float>(int(pair >> 4 & 15) - s.zeroPoint) * s.scale);
    }
  }
  return words;
}

/// Eight bf16 elements as f16: exact but for magnitudes below 2^-14, and beyond 65504, which raise
/// `overflow`.
QRT_DEVICE Words4 halvesOfBf16(Words4 words, bool &overflow) {
  QRT_UNROLL
  for (int i = 0; i < 4; ++i)
    words.w[i] = packF16(clampToF16(floatOfBits(words.w[i] << 16), overflow),
                         clampToF16(floatOfBits(words.w[i] & 0xffff0000u), overflow));
  return words;
}

/// Calls piece(to, inside, token, column) for the eight columns each that this thread fills.
template <int dim, int keys, int threads, class Piece>
QRT_DEVICE void forTilePieces(uint16_t *tile, int firstKey, int end, int width,
                              const Piece &piece) {
  QRT_UNROLL_4
  for (int at = 0; at < keys * dim / 8; at += threads) {
    const int index = at + threadIndex();
    if (keys * dim / 8 % threads && index >= keys * dim / 8)
      continue;
    const int key = index / (dim / 8), column = index % (dim / 8) * 8;
    piece(tile + key * flashStride(dim) + column, firstKey + key < end && column < width,
          (firstKey + key) % kvBlockTokens, column);
  }
}

/// Starts to fill a tile with keys (or values) firstKey .. firstKey + keys - 1 of one head; what
/// lies at `end` or beyond, and columns beyond `dim`, becomes zero. The keys lie in one block of
/// the cache. f16 comes by cp.async (commit and wait are the caller's), other rows through
/// registers.
template <int dim, int keys, int threads>
QRT_DEVICE void fillKvTile(const AttentionParams &p, uint16_t *tile, int part, int64_t head,
                           int firstKey, int end, bool isKey, uint32_t *faults) {
  const int width = int(isKey ? p.headDim : p.valueDim);
  const auto *base = static_cast<const uint8_t *>(p.kv.base);
  const uint8_t *page = firstKey < end ? kvPage(p.step, p.kv, part, firstKey,
                                                isKey ? p.kv.keyOffset : p.kv.valueOffset)
                                       : base;
  const DType type = p.kv.type(isKey);
  auto words = [](uint16_t *to) { return reinterpret_cast<Words4 *>(to); };
  if (type == DType::F16) {
    const uint8_t *rows = page + kvRowOffset(head, 0, width, DType::F16);
    forTilePieces<dim, keys, threads>(
        tile, firstKey, end, width, [&](uint16_t *to, bool inside, int token, int column) {
          copyAsync16(to, inside ? rows + (token * width + column) * 2 : base, inside ? 16 : 0);
        });
  } else if (type == DType::BF16) {
    bool overflow = false;
    const uint8_t *rows = page + kvRowOffset(head, 0, width, DType::BF16);
    forTilePieces<dim, keys, threads>(
        tile, firstKey, end, width, [&](uint16_t *to, bool inside, int token, int column) {
          const auto *from = reinterpret_cast<const Words4 *>(rows + (token * width + column) * 2);
          storeShared(words(to), inside ? halvesOfBf16(loadGlobal(from), overflow) : Words4{});
        });
    if (overflow && faults)
      atomicOr(faults, HalfOverflow);
  } else {
    forTilePieces<dim, keys, threads>(
        tile, firstKey, end, width, [&](uint16_t *to, bool inside, int token, int column) {
          storeShared(words(to),
                      inside ? dequantizeEight(type, page, p.kvHeads, head, token, width, column)
                             : Words4{});
        });
  }
}

/// What the queries of a head are multiplied by at dim i, since the cached keys were divided by it.
QRT_DEVICE float keyBalance(const AttentionParams &p, int64_t head, int64_t i) {
  if (!p.balance)
    return 1.0f;
  return loadConstant(p.balance + head / (p.heads / p.kvHeads) * p.headDim + i);
}

/// Two columns of a query row, scaled, as f16; zeros beyond the dims.
QRT_DEVICE void storeQuery(const AttentionParams &p, uint16_t *tile, int stride, int tileRow,
                           int column, int64_t row, int64_t head, bool used, uint32_t *faults) {
  float value[2] = {};
  bool overflow = false;
  QRT_UNROLL
  for (int i = 0; i < 2; ++i)
    if (used && column + i < p.headDim)
      value[i] = clampToF16(loadElement(p.q, row * p.q.stride + head * p.headDim + column + i) *
                                keyBalance(p, head, column + i) * p.scale *
                                (p.softcap > 0.0f ? 1.0f : log2e),
                            overflow);
  storeShared(reinterpret_cast<uint32_t *>(tile + tileRow * stride + column),
              packF16(value[0], value[1]));
  if (overflow && faults)
    atomicOr(faults, HalfOverflow);
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_KVTILE_H
