//===- PrefillAttention.h - attention of many query rows of a sequence ------------------------===//
//
// A block has 64 rows of one kv head: the heads of its group are rows too (row = token * group +
// head), so that keys and values are read once for all of them. Each of four warps has 16 rows; the
// tiles of keys and values are shared and double-buffered. Tiles that no row may see are not
// visited.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_PREFILLATTENTION_H
#define QRT_KERNELS_CUDA_ATTENTION_PREFILLATTENTION_H

#include "kernels/cuda/attention/FlashParams.h"
#include "kernels/cuda/attention/KvTile.h"

namespace qrt::cuda {

template <int dim>
struct PrefillAttention {
  using Params = FlashParams;
  static constexpr int threads = 128, minBlocks = 1, warps = threads / 32;
  static constexpr int rows = 16 * warps, keys = dim > 128 ? 32 : 64, stages = 2;
  static constexpr int stride = flashStride(dim);
  static constexpr int sharedBytes = (rows + stages * 2 * keys) * stride * 2;
  static_assert(sharedBytes <= 99 * 1024);

  /// The part and the first of its packed rows that block `index` has; tokens 0: none.
  struct Piece {
    int part, firstRow, tokens, position, first;
  };
  static QRT_DEVICE Piece pieceOf(const StepState &step, int group, int index) {
    for (int part = 0; part < step.partCount; ++part) {
      const Part *p = step.parts + part;
      const int tokens = loadGlobal(&p->tokens), tiles = (tokens * group + rows - 1) / rows;
      if (index < tiles)
        return {part, loadGlobal(&p->firstRow), tokens, loadGlobal(&p->position), index * rows};
      index -= tiles;
    }
    return {0, 0, 0, 0, 0};
  }

  static QRT_DEVICE void run(const Params &params) {
    const AttentionParams &p = params.op;
    const int64_t kvHead = blockIndex().y;
    const auto group = int(p.heads / p.kvHeads);
    const Piece piece = pieceOf(p.step, group, blockIndex().x);
    if (piece.tokens == 0)
      return;
    storeQueries(params, piece, kvHead);
    auto rangeOf = [&](int position) {
      return KeyRange{firstOfWindow(int(p.window), position), position + 1};
    };
    const KeyRange visited = visitedKeys(piece, group, rangeOf);
    auto fill = [&](uint16_t *tile, int key, bool isKey) {
      fillKvTile<dim, keys, threads>(p, tile, piece.part, kvHead, key, visited.end, isKey,
                                     params.faults);
    };
    FlashRows<dim> state;
    state.clear();
    int stage = 0;
    attendKeys(params, piece, group, visited, rangeOf, fill, state, stage);
    storeResults(params, state, piece, kvHead);
  }

  /// Shared memory: the queries, then tiles of keys and of values per stage.
  static QRT_DEVICE uint16_t *queries() { return reinterpret_cast<uint16_t *>(sharedMemory()); }
  static QRT_DEVICE uint16_t *tileOf(int stage, bool isKey) {
    return queries() + (rows + (2 * stage + (isKey ? 0 : 1)) * keys) * stride;
  }

  static QRT_DEVICE int firstOfWindow(int window, int position) {
    return window > 0 && position + 1 > window ? position + 1 - window : 0;
  }

  /// From the first key of a tile to the end of what rows of the piece see. rangeOf(position): what
  /// one row sees, of which neither end falls from a row to the next.
  template <class RangeOf>
  static QRT_DEVICE KeyRange visitedKeys(const Piece &piece, int group, const RangeOf &rangeOf) {
    const int packed = piece.tokens * group;
    const int lastRow = piece.first + rows < packed ? piece.first + rows - 1 : packed - 1;
    return {rangeOf(piece.position + piece.first / group).first / keys * keys,
            rangeOf(piece.position + lastRow / group).end};
  }

  /// Adds the visited keys, of which there is one at least, to the rows that see them. fill(tile,
  /// key, isKey) starts to fill a tile with keys (or values) from `key` on. Begins with the tiles
  /// of `stage`, which all threads must have left, and leaves `stage` at the next.
  template <class RangeOf, class Fill>
  static QRT_DEVICE void attendKeys(const Params &params, const Piece &piece, int group,
                                    KeyRange visited, const RangeOf &rangeOf, const Fill &fill,
                                    FlashRows<dim> &state, int &stage) {
    KeyRange range[2];
    QRT_UNROLL
    for (int i = 0; i < 2; ++i) {
      const int index = piece.first + warpIndex() * 16 + laneIndex() / 4 + 8 * i;
      range[i] = rangeOf(piece.position + index / group);
      if (index >= piece.tokens * group)
        range[i].end = 0;
    }
    auto fetch = [&](int key, int to) {
      fill(tileOf(to, true), key, true);
      fill(tileOf(to, false), key, false);
      commitAsync();
    };
    fetch(visited.first, stage);
    QRT_NO_UNROLL
    for (int key = visited.first; key < visited.end; key += keys) {
      waitAsync<0>();
      syncThreads(); // the tile is there for all, and the other one is free
      if (key + keys < visited.end)
        fetch(key + keys, stage ^ 1);
      state.template attend<keys>(queries() + warpIndex() * 16 * stride, tileOf(stage, true),
                                  tileOf(stage, false), key, range, params.op.softcap);
      stage ^= 1;
    }
  }

  /// The piece's queries, scaled, as rows of a tile.
  static QRT_DEVICE void storeQueries(const Params &params, const Piece &piece, int64_t kvHead) {
    const AttentionParams &p = params.op;
    const auto group = int(p.heads / p.kvHeads);
    const int packed = piece.tokens * group;
    for (int at = threadIndex(); at < rows * dim / 2; at += threads) {
      const int row = at / (dim / 2), column = at % (dim / 2) * 2, index = piece.first + row;
      storeQuery(p, queries(), stride, row, column, piece.firstRow + index / group,
                 kvHead * group + index % group, index < packed, params.faults);
    }
  }

  static QRT_DEVICE void storeResults(const Params &params, const FlashRows<dim> &state,
                                      const Piece &piece, int64_t kvHead) {
    const AttentionParams &p = params.op;
    const auto group = int(p.heads / p.kvHeads);
    const int packed = piece.tokens * group;
    QRT_UNROLL
    for (int i = 0; i < 2; ++i) {
      const float total = state.rowTotal(i);
      const int index = piece.first + warpIndex() * 16 + laneIndex() / 4 + 8 * i;
      const int64_t to = (piece.firstRow + index / group) * p.dst.stride +
                         (kvHead * group + index % group) * p.valueDim;
      QRT_UNROLL
      for (int tile = 0; tile < dim / 8; ++tile) {
        QRT_UNROLL
        for (int j = 0; j < 2; ++j) {
          const int d = tile * 8 + laneIndex() % 4 * 2 + j;
          if (index < packed && d < p.valueDim)
            storeElement(p.dst, to + d, state.out[tile][2 * i + j] / total, params.faults);
        }
      }
    }
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_PREFILLATTENTION_H
