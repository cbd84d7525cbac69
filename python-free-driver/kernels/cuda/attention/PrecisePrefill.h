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
                       keys = Plain::keys;
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
    Plain::storeQueries(params, piece, kvHead);
    const int preciseFrom = loadGlobal(&p.step.parts[piece.part].preciseFrom);
    FlashRows<dim> state;
    state.clear();
    int stage = 0;
    QRT_NO_UNROLL
    for (int walk = 0; walk < 3; ++walk) {
      auto rangeOf = [&](int position) {
        const PreciseTokens precise = preciseTokens(p.kv, position, preciseFrom);
        const int first = Plain::firstOfWindow(window, position);
        const int from = walk == 0 ? 0 : walk == 1 ? precise.sink : precise.recent;
        const int end = walk == 0 ? precise.sink : walk == 1 ? precise.recent : position + 1;
        return KeyRange{first > from ? first : from, end};
      };
      const KeyRange visited = Plain::visitedKeys(piece, group, rangeOf);
      if (visited.first >= visited.end)
        continue;
      auto fill = [&](uint16_t *tile, int key, bool isKey) {
        if (walk == 1)
          fillKvTile<dim, keys, threads>(p, tile, piece.part, kvHead, key, visited.end, isKey,
                                         params.faults);
        else
          fillPrecise(p, tile, piece.part, kvHead, key, visited.end, isKey);
      };
      syncThreads(); // all have left the tiles of the walk before
      Plain::attendKeys(params, piece, group, visited, rangeOf, fill, state, stage);
    }
    Plain::storeResults(params, state, piece, kvHead);
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_PRECISEPREFILL_H
