//===- DecodeAttention.h - one new row per sequence, its keys split over blocks
//------------------===//
//
// Flash-decoding: grid (splits, kv heads x groups of 16 heads, rows). The rows of the tensor-core
// tile are the query heads of one kv head, so keys and values are read and dequantized once for all
// of them. A block's four warps take 16 keys each of every tile of 64; their states are combined in
// shared memory, and those of the splits by the block that arrives last, in order. The split of a
// sequence follows from its length on the device, so a captured launch serves every length.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_DECODEATTENTION_H
#define QRT_KERNELS_CUDA_ATTENTION_DECODEATTENTION_H

#include "kernels/cuda/attention/PrefillAttention.h"
#include "kernels/cuda/device/Tickets.h"

namespace qrt::cuda {

inline constexpr int decodeHeads = 16; ///< query heads of one block

/// Floats of one split's partial result: 16 maxima, 16 sums, 16 rows of valueDim.
constexpr int64_t decodePartialFloats(int64_t valueDim) { return decodeHeads * (valueDim + 2); }

template <int dim>
struct DecodeAttention {
  using Params = FlashParams;
  static constexpr int threads = 128, minBlocks = 1, warps = threads / 32;
  static constexpr int keys = 16 * warps, stages = dim > 128 ? 1 : 2, stride = flashStride(dim);
  static constexpr int tileBytes = stages * 2 * keys * stride * 2;
  static constexpr int queryBytes = decodeHeads * stride * 2;
  static constexpr int sharedBytes = queryBytes + tileBytes + warps * 2 * decodeHeads * 4 + 16;
  static_assert(warps * decodeHeads * dim * 4 <= tileBytes, "results take the tiles' place");
  static_assert(sharedBytes <= 99 * 1024);

  /// maximum, sum and outputs of several states of the same row: combine() calls
  /// most(i), total(i), out(i) for i < count.
  template <class Most, class Total, class Out>
  struct Combined {
    float most = -INFINITY, total = 0.0f, out = 0.0f;
    QRT_DEVICE Combined(int count, const Most &mostOf, const Total &totalOf, const Out &outOf) {
      for (int i = 0; i < count; ++i) {
        const float m = mostOf(i);
        most = m > most ? m : most;
      }
      for (int i = 0; i < count; ++i) {
        const float m = mostOf(i);
        if (m == -INFINITY)
          continue; // saw no key
        const float weight = exp2Fast(m - most);
        total += totalOf(i) * weight;
        out += outOf(i) * weight;
      }
    }
  };

  static QRT_DEVICE void run(const Params &params) {
    const AttentionParams &p = params.op;
    const int64_t row = blockIndex().z;
    const auto group = int(p.heads / p.kvHeads),
               headTiles = (group + decodeHeads - 1) / decodeHeads;
    const int64_t kvHead = blockIndex().y / headTiles;
    const int firstHead = int(blockIndex().y % headTiles) * decodeHeads;
    const RowPlace place = rowPlace(p.step, row);
    if (place.part < 0)
      return;
    const int heads = group - firstHead < decodeHeads ? group - firstHead : decodeHeads;

    auto *q = reinterpret_cast<uint16_t *>(sharedMemory());
    auto *tiles = reinterpret_cast<uint16_t *>(sharedMemory() + queryBytes);
    auto *mosts = reinterpret_cast<float *>(sharedMemory() + queryBytes + tileBytes);
    float *totals = mosts + warps * decodeHeads;
    auto *flag = reinterpret_cast<uint32_t *>(totals + warps * decodeHeads);
    for (int at = threadIndex(); at < decodeHeads * dim / 2; at += threads) {
      const int head = at / (dim / 2), column = at % (dim / 2) * 2;
      storeQuery(p, q, stride, head, column, row, kvHead * group + firstHead + head, head < heads,
                 params.faults);
    }

    // This split's keys, whole tiles.
    const int length = place.position + 1;
    const auto window = int(p.window);
    const int first = window > 0 && length > window ? length - window : 0;
    const int tileCount = (length + keys - 1) / keys - first / keys;
    const int perSplit = (tileCount + params.splits - 1) / params.splits;
    const int begin = (first / keys + int(blockIndex().x) * perSplit) * keys;
    const int stop = begin + perSplit * keys, end = stop < length ? stop : length;
    const KeyRange range[2] = {{first, laneIndex() / 4 < heads ? length : 0},
                               {first, laneIndex() / 4 + 8 < heads ? length : 0}};
    auto fetch = [&](int key, int stage) {
      uint16_t *tile = tiles + 2 * stage * keys * stride;
      fillKvTile<dim, keys, threads>(p, tile, place.part, kvHead, key, end, true, params.faults);
      fillKvTile<dim, keys, threads>(p, tile + keys * stride, place.part, kvHead, key, end, false,
                                     params.faults);
      commitAsync();
    };
    FlashRows<dim> state;
    state.clear();
    if (stages == 2)
      fetch(begin, 0);
    int stage = 0;
    QRT_NO_UNROLL
    for (int key = begin; key < end; key += keys) {
      if (stages == 1) {
        syncThreads(); // the tile is free
        fetch(key, 0);
      }
      waitAsync<0>();
      syncThreads();
      if (stages == 2 && key + keys < end)
        fetch(key + keys, stage ^ 1);
      const uint16_t *k = tiles + (2 * stage * keys + warpIndex() * 16) * stride;
      state.template attend<16>(q, k, k + keys * stride, key + warpIndex() * 16, range, p.softcap);
      stage ^= stages - 1;
    }
    waitAsync<0>();
    syncThreads(); // all have left the tiles
    combineWarps(params, state, row, kvHead, firstHead, heads, reinterpret_cast<float *>(tiles),
                 mosts, totals, flag);
  }

  static QRT_DEVICE void combineWarps(const Params &params, const FlashRows<dim> &state,
                                      int64_t row, int64_t kvHead, int firstHead, int heads,
                                      float *outs, float *mosts, float *totals, uint32_t *flag) {
    const AttentionParams &p = params.op;
    QRT_UNROLL
    for (int i = 0; i < 2; ++i) {
      const float total = state.rowTotal(i);
      const int at = warpIndex() * decodeHeads + laneIndex() / 4 + 8 * i;
      if (laneIndex() % 4 == 0) {
        storeShared(mosts + at, state.most[i]);
        storeShared(totals + at, total);
      }
      QRT_UNROLL
      for (int tile = 0; tile < dim / 8; ++tile) {
        QRT_UNROLL
        for (int j = 0; j < 2; ++j)
          storeShared(outs + at * dim + tile * 8 + laneIndex() % 4 * 2 + j,
                      state.out[tile][2 * i + j]);
      }
    }
    syncThreads();
    const int64_t item = row * gridSize().y + blockIndex().y;
    const int64_t size = decodePartialFloats(p.valueDim);
    float *mine = params.partials + (item * params.splits + blockIndex().x) * size;
    const auto width = int(p.valueDim);
    for (int at = threadIndex(); at < heads * width; at += threads) {
      const int head = at / width, d = at % width;
      const Combined all(
          warps, [&](int w) { return loadShared(mosts + w * decodeHeads + head); },
          [&](int w) { return loadShared(totals + w * decodeHeads + head); },
          [&](int w) { return loadShared(outs + (w * decodeHeads + head) * dim + d); });
      if (params.splits == 1) {
        storeResult(params, row, kvHead, firstHead + head, d, all.out / all.total);
        continue;
      }
      storeGlobal(mine + 2 * decodeHeads + at, all.out);
      if (d == 0) {
        storeGlobal(mine + head, all.most);
        storeGlobal(mine + decodeHeads + head, all.total);
      }
    }
    if (params.splits == 1 || !arriveLast(params.counters + item, uint32_t(params.splits), flag))
      return;
    const float *base = params.partials + item * params.splits * size;
    for (int at = threadIndex(); at < heads * width; at += threads) {
      const int head = at / width, d = at % width;
      const Combined all(
          params.splits, [&](int s) { return loadCoherent(base + s * size + head); },
          [&](int s) { return loadCoherent(base + s * size + decodeHeads + head); },
          [&](int s) { return loadCoherent(base + s * size + 2 * decodeHeads + at); });
      storeResult(params, row, kvHead, firstHead + head, d, all.out / all.total);
    }
  }

  static QRT_DEVICE void storeResult(const Params &params, int64_t row, int64_t kvHead, int head,
                                     int d, float value) {
    const AttentionParams &p = params.op;
    const int64_t column = (kvHead * (p.heads / p.kvHeads) + head) * p.valueDim + d;
    storeElement(p.dst, row * p.dst.stride + column, value, params.faults);
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_DECODEATTENTION_H
