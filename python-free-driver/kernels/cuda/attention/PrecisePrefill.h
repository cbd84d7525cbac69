//===- PrecisePrefill.h - attention of many rows over codes and precise tokens ---------------===//
//
// PrefillAttention where some tokens are read from precise blocks. Which ones depends on the row,
// so the keys are visited in three walks, in each of which a row has its own first and last: the
// first tokens (precise), the codes, the last tokens (precise). A tile is in two walks where rows
// differ.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_PRECISEPREFILL_H
#define QRT_KERNELS_CUDA_ATTENTION_PRECISEPREFILL_H

#include "kernels/cuda/attention/PrefillAttention.h"

namespace qrt::cuda {

template <int dim>
struct PrecisePrefill {
  using Params = FlashParams;
  using Plain = PrefillAttention<dim>;
  static constexpr int threads = Plain::threads, minBlocks = 1, rows = Plain::rows,
                       keys = Plain::keys, stride = Plain::stride;
  static constexpr int sharedBytes = Plain::sharedBytes;

  /// fillKvTile from the precise block of these keys.
  static QRT_DEVICE void fillPrecise(const AttentionParams &p, uint16_t *tile, int part,
                                     int64_t head, int firstKey, int end, bool isKey) {
    const int width = int(isKey ? p.headDim : p.valueDim);
    const auto *base = static_cast<const uint8_t *>(p.kv.preciseBase);
    const uint8_t *page = precisePage(p.step, p.kv, part, firstKey, isKey);
    const uint8_t *copies = page ? page + kvRowOffset(head, 0, width, DType::F16) : base;
    forTilePieces<dim, keys, threads>(
        tile, firstKey, page ? end : 0, width,
        [&](uint16_t *to, bool inside, int token, int column) {
          copyAsync16(to, inside ? copies + (token * width + column) * 2 : base, inside ? 16 : 0);
        });
  }

  static QRT_DEVICE void run(const Params &params) {
    const AttentionParams &p = params.op;
    const int64_t kvHead = blockIndex().y;
    const auto group = int(p.heads / p.kvHeads), window = int(p.window);
    const auto piece = Plain::pieceOf(p.step, group, blockIndex().x);
    if (piece.tokens == 0)
      return;
    auto *q = reinterpret_cast<uint16_t *>(sharedMemory());
    uint16_t *tiles = q + rows * stride;
    auto tileOf = [&](int stage, bool isKey) {
      return tiles + (2 * stage + (isKey ? 0 : 1)) * keys * stride;
    };
    Plain::storeQueries(params, q, piece, kvHead);
    const int preciseFrom = loadGlobal(&p.step.parts[piece.part].preciseFrom);
    // What a row at `position` sees in a walk; neither end falls from a row to the next.
    auto rangeOf = [&](int walk, int position) {
      const PreciseTokens precise = preciseTokens(p.kv, position, preciseFrom);
      const int first = window > 0 && position + 1 > window ? position + 1 - window : 0;
      const int from = walk == 0 ? 0 : walk == 1 ? precise.sink : precise.recent;
      const int end = walk == 0 ? precise.sink : walk == 1 ? precise.recent : position + 1;
      return KeyRange{first > from ? first : from, end};
    };
    const int packed = piece.tokens * group;
    const int lastRow = piece.first + rows < packed ? piece.first + rows - 1 : packed - 1;
    FlashRows<dim> state;
    state.clear();
    int stage = 0;
    QRT_NO_UNROLL
    for (int walk = 0; walk < 3; ++walk) {
      const int begin = rangeOf(walk, piece.position + piece.first / group).first / keys * keys;
      const int end = rangeOf(walk, piece.position + lastRow / group).end;
      if (begin >= end)
        continue;
      KeyRange range[2];
      QRT_UNROLL
      for (int i = 0; i < 2; ++i) {
        const int index = piece.first + warpIndex() * 16 + laneIndex() / 4 + 8 * i;
        range[i] = index < packed ? rangeOf(walk, piece.position + index / group) : KeyRange{0, 0};
      }
      auto fetch = [&](int key, int to) {
        QRT_UNROLL
        for (int i = 0; i < 2; ++i) {
          if (walk == 1)
            fillKvTile<dim, keys, threads>(p, tileOf(to, i == 0), piece.part, kvHead, key, end,
                                           i == 0, params.faults);
          else
            fillPrecise(p, tileOf(to, i == 0), piece.part, kvHead, key, end, i == 0);
        }
        commitAsync();
      };
      syncThreads(); // all have left the tiles of the walk before
      fetch(begin, stage);
      QRT_NO_UNROLL
      for (int key = begin; key < end; key += keys) {
        waitAsync<0>();
        syncThreads(); // the tile is there for all, and the other one is free
        if (key + keys < end)
          fetch(key + keys, stage ^ 1);
        state.template attend<keys>(q + warpIndex() * 16 * stride, tileOf(stage, true),
                                    tileOf(stage, false), key, range, p.softcap);
        stage ^= 1;
      }
    }
    waitAsync<0>();
    Plain::storeResults(params, state, piece, kvHead);
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_PRECISEPREFILL_H
