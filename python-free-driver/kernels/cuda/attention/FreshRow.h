//===- FreshRow.h - the newest key or value, on its way into the cache ------------------------===//
//
// What KvAppend does to a row, by a warp of the decode attention: rotated, balanced, rounded to the
// type of the cache, stored there by one block, and kept in shared memory as the attention would
// read it.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_FRESHROW_H
#define QRT_KERNELS_CUDA_ATTENTION_FRESHROW_H

#include "kernels/cuda/attention/KvCode.h"
#include "kernels/cuda/attention/KvTile.h"
#include "kernels/cuda/attention/Rotation.h"
#include "kernels/cuda/device/Reduce.h"

namespace qrt::cuda {

/// A lane has columns 2 * lane + 64 * i and the one behind. `dim`: columns of the tile.
template <int dim, DType type>
struct FreshRow {
  static constexpr bool coded = type == DType::I8 || type == DType::I4;
  static constexpr int pairs = dim / 64, bits = type == DType::I8 ? 8 : 4;

  /// Where the row lies in the cache.
  struct Place {
    uint8_t *row;
    uint16_t *scales;
    uint8_t *zeros;
  };

  /// All lanes. `to`: dim f16 values in shared memory, zeros beyond the width; `stores`: into the
  /// cache too. hasPrecise: there are precise blocks.
  template <bool hasPrecise>
  static QRT_DEVICE void make(const AttentionParams &p, int row, int kvHead, bool isKey,
                              const RowPlace &place, bool stores, uint16_t *to, uint32_t *faults) {
    const Matrix &src = isKey ? p.k : p.v;
    const auto width = int(isKey ? p.headDim : p.valueDim);
    const float *from = static_cast<const float *>(src.data) + row * src.stride + kvHead * width;
    float x[pairs][2];
    QRT_UNROLL
    for (int i = 0; i < pairs; ++i) {
      const int column = 2 * laneIndex() + 64 * i;
      x[i][0] = x[i][1] = 0.0f;
      if (column >= width)
        continue;
      if (!isKey) {
        loadFloats(from + column, x[i]);
        continue;
      }
      loadRotated(p, row, from, column, x[i]);
      if (p.balance) {
        QRT_UNROLL
        for (int j = 0; j < 2; ++j)
          x[i][j] = x[i][j] / loadConstant(p.balance + kvHead * width + column + j);
      }
    }
    const int token = place.position % kvBlockTokens;
    uint8_t *page =
        kvPage(p.step, p.kv, place.part, place.position, isKey ? p.kv.keyOffset : p.kv.valueOffset);
    uint8_t *cached = page + kvRowOffset(kvHead, token, width, type);
    bool overflow = false;
    if constexpr (!coded) {
      QRT_UNROLL
      for (int i = 0; i < pairs; ++i) {
        const int column = 2 * laneIndex() + 64 * i;
        const uint32_t packed = packHalves(type, x[i][0], x[i][1], overflow);
        if (stores && column < width)
          storeGlobal(reinterpret_cast<uint32_t *>(cached) + column / 2, packed);
        storeShared(reinterpret_cast<uint32_t *>(to) + column / 2,
                    type == DType::F16
                        ? packed
                        : packF16(clampToF16(floatOfBits(packed << 16), overflow),
                                  clampToF16(floatOfBits(packed & 0xffff0000u), overflow)));
      }
    } else {
      auto *scales =
          reinterpret_cast<uint16_t *>(page + kvScaleOffset(p.kvHeads, kvHead, token, width, type));
      uint8_t *zeros = page + kvZeroOffset(p.kvHeads, kvHead, token, width, type);
      const bool grouped = width % (type == DType::I4 ? 32 : 128) == 0;
      if (!grouped) {
        store<pairs, 32>(x, 0, width, {cached, scales, zeros}, stores, to);
      } else if constexpr (type == DType::I4) {
        QRT_UNROLL
        for (int i = 0; i < pairs; ++i) {
          const float one[1][2] = {{x[i][0], x[i][1]}};
          const int group = 2 * i + laneIndex() / 16;
          store<1, 16>(one, 64 * i, width, {cached, scales + group, zeros + group}, stores, to);
        }
      } else if constexpr (pairs > 1) {
        QRT_UNROLL
        for (int i = 0; i < pairs; i += 2) {
          const float two[2][2] = {{x[i][0], x[i][1]}, {x[i + 1][0], x[i + 1][1]}};
          store<2, 32>(two, 64 * i, width, {cached, scales + i / 2, zeros}, stores, to);
        }
      }
    }
    if constexpr (hasPrecise) {
      const bool isRead = preciseTokens(p, place).has(place.position);
      uint8_t *copies =
          stores ? precisePage(p.step, p.kv, place.part, place.position, isKey) : nullptr;
      QRT_UNROLL
      for (int i = 0; i < pairs; ++i) {
        const int column = 2 * laneIndex() + 64 * i;
        if (column >= width)
          continue;
        const uint32_t packed = packHalves(DType::F16, x[i][0], x[i][1], overflow);
        if (isRead) // over this lane's codes
          storeShared(reinterpret_cast<uint32_t *>(to) + column / 2, packed);
        if (copies)
          storeGlobal(
              reinterpret_cast<uint32_t *>(copies + kvRowOffset(kvHead, token, width, DType::F16)) +
                  column / 2,
              packed);
      }
    }
    if (overflow && faults)
      atomicOr(faults, HalfOverflow);
  }

private:
  /// A group of `lanes` lanes, `count` pairs each, from column `first` on (of the first lane of the
  /// warp).
  template <int count, int lanes>
  static QRT_DEVICE void store(const float (&x)[count][2], int first, int width, const Place &place,
                               bool stores, uint16_t *to) {
    float low = 0.0f, high = 0.0f, infinite = 0.0f;
    QRT_UNROLL
    for (int i = 0; i < count; ++i) {
      QRT_UNROLL
      for (int j = 0; j < 2; ++j) {
        infinite = x[i][j] - x[i][j] == 0.0f ? infinite : 1.0f;
        high = x[i][j] > high ? x[i][j] : high;
        low = x[i][j] < low ? x[i][j] : low;
      }
    }
    QRT_UNROLL
    for (int mask = lanes / 2; mask > 0; mask /= 2) {
      const float h = shuffleXor(high, mask), l = shuffleXor(low, mask);
      const float f = shuffleXor(infinite, mask);
      high = h > high ? h : high;
      low = l < low ? l : low;
      infinite = f > infinite ? f : infinite;
    }
    const KvCode group(low, high, infinite == 0.0f, bits);
    const bool any = first + 2 * (laneIndex() / lanes * lanes) < width;
    if (stores && any && laneIndex() % lanes == 0) {
      storeGlobal(place.scales, group.stored);
      if (bits == 4)
        storeGlobal(place.zeros, static_cast<uint8_t>(group.zero));
    }
    QRT_UNROLL
    for (int i = 0; i < count; ++i) {
      const int column = first + 2 * laneIndex() + 64 * i;
      const int a = group.code(x[i][0]), b = group.code(x[i][1]);
      if (stores && column < width) {
        if (bits == 8)
          storeGlobal(reinterpret_cast<uint16_t *>(place.row) + column / 2,
                      static_cast<uint16_t>(a | b << 8));
        else
          storeGlobal(place.row + column / 2, static_cast<uint8_t>(a | b << 4));
      }
      storeShared(reinterpret_cast<uint32_t *>(to) + column / 2,
                  column < width ? packF16(group.value(a), group.value(b)) : 0u);
    }
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_FRESHROW_H
