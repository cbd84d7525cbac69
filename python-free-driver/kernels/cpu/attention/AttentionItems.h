//===- AttentionItems.h - how attention is cut into items of work --------------===//
//
// Work items are (sequence, kv head, run of query rows, run of keys). The heads that share a kv
// head go into one item, so keys and values are read once for all of them. Long caches with few
// query rows (decode) are cut along the keys; where they are cut depends on the sequence alone, so
// results do not depend on the number of threads.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ATTENTION_ATTENTIONITEMS_H
#define QRT_KERNELS_CPU_ATTENTION_ATTENTIONITEMS_H

#include "kernels/cpu/vector/Variants.h"

#include <algorithm>

namespace qrt::kernels {

/// Keys of one item where a sequence has few query rows.
constexpr int64_t splitKeys = 512;

/// How one sequence is cut into items.
struct Cut {
  int64_t tokensPerTile; ///< query tokens of one item
  int64_t tiles;
  int64_t headTiles;    ///< parts of a head group that exceeds a tile
  int64_t headsPerTile; ///< query heads of one item
  int64_t splits;       ///< runs of keys
  int64_t items(int64_t kvHeads) const { return tiles * headTiles * splits * kvHeads; }
};

inline Cut cutSequence(int64_t heads, int64_t kvHeads, int64_t tokens, int64_t length) {
  Cut cut;
  int64_t group = heads / kvHeads;
  cut.headsPerTile = std::min<int64_t>(group, attentionTileRows);
  cut.headTiles = (group + cut.headsPerTile - 1) / cut.headsPerTile;
  cut.tokensPerTile = std::max<int64_t>(1, attentionTileRows / cut.headsPerTile);
  cut.tiles = (tokens + cut.tokensPerTile - 1) / cut.tokensPerTile;
  cut.splits = tokens == 1 ? (length + splitKeys - 1) / splitKeys : 1;
  return cut;
}

/// Partial results of one item of a split sequence: sums, maxima, totals of its rows.
inline size_t partialFloats(int64_t headsPerTile, int64_t valueDim) {
  return (headsPerTile * (valueDim + 2) + 15) / 16 * 16;
}

/// Bytes of the partial results of one split sequence.
inline size_t partialBytes(const Cut &cut, int64_t kvHeads, int64_t valueDim) {
  return cut.splits > 1 ? cut.items(kvHeads) * partialFloats(cut.headsPerTile, valueDim) * 4 : 0;
}

/// One item of work; no sequence: none.
struct Item {
  const AttentionSequence *sequence = nullptr;
  Cut cut = {};
  int64_t kvHead = 0, headTile = 0, tile = 0, split = 0;
  float *partial = nullptr; ///< its partial results, if the sequence is split
};

/// Finds items by their number, which only grows.
class ItemWalk {
public:
  ItemWalk(const AttentionArgs &args, float *partials) : args(args), partial(partials) {}

  Item find(int64_t number) {
    for (; at < args.sequences.size(); ++at) {
      const AttentionSequence &sequence = args.sequences[at];
      const Cut cut = cutSequence(args.heads, args.kvHeads, sequence.tokens, sequence.kv.length);
      const int64_t count = cut.items(args.kvHeads);
      if (number < base + count)
        return item(sequence, cut, number - base);
      base += count;
      partial += partialBytes(cut, args.kvHeads, args.valueDim) / 4;
    }
    return {};
  }

private:
  Item item(const AttentionSequence &sequence, const Cut &cut, int64_t index) const {
    Item item = {&sequence, cut};
    item.partial = partial + index * partialFloats(cut.headsPerTile, args.valueDim);
    item.split = index % cut.splits;
    index /= cut.splits;
    item.headTile = index % cut.headTiles;
    index /= cut.headTiles;
    item.kvHead = index % args.kvHeads;
    item.tile = cut.tiles - 1 - index / args.kvHeads; // late rows see most keys: first
    return item;
  }

  const AttentionArgs &args;
  float *partial; ///< of the first item of sequence `at`
  size_t at = 0;
  int64_t base = 0; ///< number of that item
};

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ATTENTION_ATTENTIONITEMS_H
