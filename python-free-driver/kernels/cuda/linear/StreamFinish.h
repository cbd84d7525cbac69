//===- StreamFinish.h - from StreamLinear's sums to outputs -------------------------------===//
//
// Sums go through shared memory. A warp that has the whole slice of an item emits it at once. It
// leaves those of a slice that it does not begin in its head slot, and those of one that it begins
// and does not end, which is its last, in the place of its ring. When all have ended, the block
// adds the sums of each such slice in the order of the warps.
//
// Emitting is finishing the outputs, or, where items are cut in splits, storing partial sums, which
// the block that arrives last adds in the order of the splits.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STREAMFINISH_H
#define QRT_KERNELS_CUDA_LINEAR_STREAMFINISH_H

#include "kernels/cuda/device/Tickets.h"
#include "kernels/cuda/elementwise/Functions.h"
#include "kernels/cuda/linear/StreamStage.h"

namespace qrt::cuda {

/// A block's slices, firstSlice .. firstSlice + slices - 1, and which of their quanta its warps
/// have: as even as can be, the first ones one more. No division: this comes before the first copy.
struct StreamBlock {
  int firstSlice, slices;
  int base, rest; ///< quanta of every warp, and how many warps have one more

  QRT_DEVICE StreamBlock(const StreamLinearParams &p, int warpBits) {
    const int block = blockIndex().x, more = p.blockRest;
    firstSlice = block * p.blockSlices + (block < more ? block : more);
    slices = p.blockSlices + (block < more ? 1 : 0);
    const int quanta = slices * p.sliceQuanta;
    base = quanta >> warpBits;
    rest = quanta & ((1 << warpBits) - 1);
  }
  QRT_DEVICE int firstOf(int warp) const { return warp * base + (warp < rest ? warp : rest); }
  /// The warp that has a quantum.
  QRT_DEVICE int warpOf(int quantum) const {
    const int longer = rest * (base + 1);
    return quantum < longer ? int(uint32_t(quantum) / uint32_t(base + 1))
                            : rest + int(uint32_t(quantum - longer) / uint32_t(base));
  }
};

template <int panels, int tokenTiles>
struct StreamFinish {
  using Sums = float[panels][tokenTiles][4]; ///< registers as mma's C
  static constexpr int itemRows = panels * kernels::panelRows;
  static constexpr int tokenStride = itemRows + 4; ///< against bank conflicts

  const StreamLinearParams &p;
  int warps;    ///< of the block
  float *rings; ///< behind them the slots
  int ringFloats;

  /// [token][itemRows, padded].
  static constexpr int slotFloats(int rows) { return rows * tokenStride; }
  QRT_DEVICE float *tailSlot(int warp) const { return rings + warp * ringFloats; }
  QRT_DEVICE float *headSlot(int warp) const {
    return rings + warps * ringFloats + warp * slotFloats(p.rows);
  }
  QRT_DEVICE float *ownSlot(int warp) const { return headSlot(warps + warp); }

  /// This lane's sums of existing tokens.
  QRT_DEVICE void store(float *slot, const Sums &sums) const {
    QRT_UNROLL
    for (int tile = 0; tile < tokenTiles; ++tile) {
      QRT_UNROLL
      for (int j = 0; j < 2; ++j) {
        const int token = tile * 8 + laneIndex() % 4 * 2 + j;
        if (token >= p.rows)
          continue;
        QRT_UNROLL
        for (int panel = 0; panel < panels; ++panel) {
          QRT_UNROLL
          for (int half = 0; half < 2; ++half)
            storeShared(slot + token * tokenStride + panel * kernels::panelRows + laneIndex() / 4 +
                            8 * half,
                        sums[panel][tile][2 * half + j]);
        }
      }
    }
  }

  /// By the warp whose own slot has a whole slice.
  QRT_DEVICE void emitOwn(int item, int split) const {
    syncWarp();
    QRT_NO_UNROLL
    for (int at = laneIndex(); at < p.rows * itemRows; at += warpLanes) {
      const int token = at / itemRows, row = at % itemRows;
      const float *slot = ownSlot(warpIndex()) + token * tokenStride;
      emit(item, split, token, row, [&](int itemRow) { return loadShared(slot + itemRow); });
    }
    syncWarp(); // the next slice may come
  }

  /// By all threads, behind a barrier: what no warp had whole.
  QRT_DEVICE void addWarps(const StreamBlock &block) const {
    QRT_NO_UNROLL
    for (int index = warpIndex(); index < block.slices; index += warps) {
      const int begin = index * p.sliceQuanta;
      const int first = block.warpOf(begin), last = block.warpOf(begin + p.sliceQuanta - 1);
      if (first == last)
        continue;
      const int slice = block.firstSlice + index, item = p.splits == 1 ? slice : slice / p.splits;
      QRT_NO_UNROLL
      for (int at = laneIndex(); at < p.rows * itemRows; at += warpLanes) {
        const int token = at / itemRows, row = at % itemRows;
        emit(item, slice - item * p.splits, token, row, [&](int itemRow) {
          const int place = token * tokenStride + itemRow;
          float sum = loadShared(tailSlot(first) + place);
          const float *head = headSlot(first + 1) + place;
          QRT_UNROLL_4
          for (int warp = first; warp < last; ++warp, head += slotFloats(p.rows))
            sum += loadShared(head);
          return sum;
        });
      }
    }
    if (p.splits > 1)
      addSplits(block);
  }

  /// By all threads, behind a barrier: ResidentLinear's runs, whose sums lie in the warps' tail
  /// slots. `flag`: a word of shared memory.
  QRT_DEVICE void addRuns(int firstItem, int items, int split, uint32_t *flag) const {
    const int ofItem = p.rows * itemRows, all = items * ofItem;
    QRT_NO_UNROLL
    for (int at = threadIndex(); at < all; at += blockThreads()) {
      const auto index = int(uint32_t(at) / uint32_t(ofItem));
      const int token = (at - index * ofItem) / itemRows, row = at % itemRows;
      emit(firstItem + index, split, token, row, [&](int itemRow) {
        const float *slot = tailSlot(index) + token * tokenStride + itemRow;
        float sum = loadShared(slot);
        QRT_UNROLL_4
        for (int run = 1; run < p.runs; ++run)
          sum += loadShared(slot + run * items * ringFloats);
        return sum;
      });
    }
    // The blocks of all slices have the same items.
    if (p.splits == 1 || !arriveLast(p.counters + blockIndex().x, uint32_t(p.splits), flag))
      return;
    QRT_NO_UNROLL
    for (int at = threadIndex(); at < all; at += blockThreads()) {
      const auto index = int(uint32_t(at) / uint32_t(ofItem));
      finishSplits((at - index * ofItem) / itemRows, firstItem + index, at % itemRows);
    }
  }

private:
  QRT_DEVICE float *partial(int split, int token, int item, int row) const {
    return p.partials + ((int64_t(split) * p.rows + token) * p.items + item) * itemRows + row;
  }

  QRT_DEVICE void addSplits(const StreamBlock &block) const {
    // The word behind the slots.
    auto *flag = reinterpret_cast<uint32_t *>(headSlot(2 * warps));
    const int end = block.firstSlice + block.slices;
    QRT_NO_UNROLL
    for (int slice = block.firstSlice; slice < end;) {
      const int item = slice / p.splits, next = (item + 1) * p.splits;
      const int mine = (next < end ? next : end) - slice;
      slice += mine;
      if (!arriveLast(p.counters + item, uint32_t(p.splits), flag, uint32_t(mine)))
        continue;
      QRT_NO_UNROLL
      for (int at = threadIndex(); at < p.rows * itemRows; at += blockThreads())
        finishSplits(at / itemRows, item, at % itemRows);
    }
  }
  /// By the block that came last: what all have stored.
  QRT_DEVICE void finishSplits(int token, int item, int row) const {
    finish(token, item, row, [&](int itemRow) {
      float sum = 0.0f;
      QRT_UNROLL_4
      for (int split = 0; split < p.splits; ++split)
        sum += loadCoherent(partial(split, token, item, itemRow));
      return sum;
    });
  }

  /// sumOf(row of the item): the sum of the slice.
  template <class SumOf>
  QRT_DEVICE void emit(int item, int split, int token, int row, const SumOf &sumOf) const {
    if (p.splits > 1)
      storeGlobal(partial(split, token, item, row), sumOf(row));
    else
      finish(token, item, row, sumOf);
  }

  /// dst[token, n] = sum + bias + add for the n of the item's row; gated, where item is the panel
  /// of both: f(sum + bias) * (sum + bias).
  template <class SumOf>
  QRT_DEVICE void finish(int token, int item, int row, const SumOf &sumOf) const {
    const StreamPanel place = streamPanel<panels>(p, item, row / kernels::panelRows);
    const LinearPart &part = streamPart(p, place.part);
    const int64_t n = int64_t(place.panel) * kernels::panelRows + row % kernels::panelRows;
    if (n >= part.weight.desc.n || (p.gated && row >= kernels::panelRows))
      return;
    float sum = sumOf(row);
    if (part.bias)
      sum += loadConstant(part.bias + n);
    if (p.gated) {
      float up = sumOf(row + kernels::panelRows);
      if (p.parts[1].bias)
        up += loadConstant(p.parts[1].bias + n);
      sum = unaryFunction(p.kind, sum, 0.0f) * up;
    } else if (part.add.data) {
      sum += loadElement(part.add, token * part.add.stride + n);
    }
    storeElement(part.dst, token * part.dst.stride + n, sum, p.faults);
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_STREAMFINISH_H
