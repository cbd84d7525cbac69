//===- StreamLinear.h - products of few tokens: as fast as the weights arrive ---------------===//
//
// dst[row, n] for up to 8 * tokenTiles rows. Weights are operand A (16 outputs), tokens the n8
// side, so one token costs what eight do. An item is itemPanels panels and a slice of K; the
// block's eight warps cut the slice further, each streaming its own contiguous run of units through
// a private ring in shared memory (cp.async), with the group scales and zero points beside them: no
// barrier until the sums of the warps are added. A block walks over several items, and the ring
// runs ahead across their borders. Activations come straight from L1/L2, 32 bytes per lane and unit
// (WeightOrder.h).
//
// Codes are multiplied as exact integers; each group's sum is scaled in f32 when the group ends.
// The order of all sums follows from the shape and the plan alone.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STREAMLINEAR_H
#define QRT_KERNELS_CUDA_LINEAR_STREAMLINEAR_H

#include "kernels/cuda/linear/Activations.h"
#include "kernels/cuda/linear/Dequantize.h"
#include "kernels/cuda/linear/Epilogue.h"
#include "kernels/cuda/linear/GroupSums.h"
#include "kernels/cuda/linear/Stages.h"

namespace qrt::cuda {

struct StreamLinearParams {
  LinearParams op;
  LinearWork work;
  int32_t items = 0; ///< splits included
};

template <WeightFormat format, class T, int tokenTiles, int itemPanels>
struct StreamLinear {
  using Params = StreamLinearParams;
  using Stage = WeightStage<format, itemPanels, streamStageUnits(format, itemPanels)>;
  using Codes = Dequantizer<format, T>;
  static constexpr int warps = streamWarps, threads = 32 * warps;
  static constexpr int minBlocks = 2;
  static constexpr bool quantized = kernels::isQuantized(format);
  /// As many as fit beside the sums in the 99 KB of sm_89, and twice (two blocks) in sm_80's 163
  /// KB.
  static constexpr int ringBudget = 64 * 1024;
  static constexpr int stages =
      ringBudget / warps / Stage::bytes < 8 ? ringBudget / warps / Stage::bytes : 8;
  static_assert(stages >= 3, "two copies in flight at least");
  /// Sums of the warps: [warp][token][16 rows], padded against bank conflicts.
  static constexpr int sumStride = 20, tokens = 8 * tokenTiles;
  static constexpr int ringBytes = warps * stages * Stage::bytes;
  static constexpr int sharedBytes = ringBytes + warps * tokens * sumStride * 4 + 16;
  static_assert(sharedBytes <= 99 * 1024);

  /// The units of K that one warp has of an item.
  struct Slice {
    int first, end;
  };
  static QRT_DEVICE Slice sliceOf(const LinearWork &work, int item) {
    const int slices = work.splits * warps, slice = item % work.splits * warps + warpIndex();
    return {int(int64_t(work.units) * slice / slices),
            int(int64_t(work.units) * (slice + 1) / slices)};
  }

  /// What the ring fetches next; runs ahead of the computation.
  struct Cursor {
    int item, end; ///< of the block
    int unit;
    Slice slice;
  };
  static QRT_DEVICE void skipEmpty(const LinearWork &work, Cursor &c) {
    while (c.unit >= c.slice.end && ++c.item < c.end) {
      c.slice = sliceOf(work, c.item);
      c.unit = c.slice.first;
    }
  }

  using Sums = typename GroupSums<format, T, Stage, itemPanels, tokenTiles>::Sums;
  using Groups = GroupSums<format, T, Stage, itemPanels, tokenTiles>;

  static QRT_DEVICE void run(const Params &p) {
    const LinearWork &work = p.work;
    uint8_t *ring = sharedMemory() + warpIndex() * stages * Stage::bytes;
    auto *sumsOfWarps = reinterpret_cast<float *>(sharedMemory() + ringBytes);
    auto *flag = reinterpret_cast<uint32_t *>(sumsOfWarps + warps * tokens * sumStride);
    const int block = blockIndex().x, blocks = gridSize().x;
    const int firstItem = int(int64_t(p.items) * block / blocks);
    const int endItem = int(int64_t(p.items) * (block + 1) / blocks);
    const int groupSize = p.op.weight.desc.groupSize;
    const uint64_t policy = streamPolicy();

    Cursor ahead = {firstItem, endItem, 0, sliceOf(work, firstItem)};
    ahead.unit = ahead.slice.first;
    auto fetch = [&](int slot) {
      skipEmpty(work, ahead);
      if (ahead.item < ahead.end) {
        const int end = ahead.unit + Stage::units < ahead.slice.end ? ahead.unit + Stage::units
                                                                    : ahead.slice.end;
        Stage::fetch(p.op.weight, work, ring + slot * Stage::bytes,
                     ahead.item / work.splits * itemPanels, ahead.unit, end, policy);
        ahead.unit = end;
      }
      commitAsync();
    };
    QRT_NO_UNROLL
    for (int slot = 0; slot < stages - 1; ++slot)
      fetch(slot);

    int slot = 0;
    QRT_NO_UNROLL
    for (int item = firstItem; item < endItem; ++item) {
      const Slice slice = sliceOf(work, item);
      Sums sums, total;
      Groups::clear(sums);
      Groups::clear(total);
      TokenFragments<T, tokenTiles> x(p.op);
      x.begin(slice.first, slice.end);
      QRT_NO_UNROLL
      for (int unit = slice.first; unit < slice.end; unit += Stage::units) {
        waitAsync<stages - 2>();
        syncWarp();
        fetch(slot == 0 ? stages - 1 : slot - 1); // its readers are past the barrier
        const uint8_t *stage = ring + slot * Stage::bytes;
        slot = slot + 1 == stages ? 0 : slot + 1;
        const int firstGroup = Stage::firstGroup(groupSize, unit);
        QRT_NO_UNROLL
        for (int i = 0; i < Stage::units && unit + i < slice.end; ++i)
          multiplyUnit(p, stage, i, unit + i, unit + i + 1 == slice.end, firstGroup, x, sums,
                       total);
      }
      addWarps(p, item, quantized ? total : sums, sumsOfWarps, flag);
    }
    waitAsync<0>();
  }

  static QRT_DEVICE void multiplyUnit(const Params &p, const uint8_t *stage, int unitOfStage,
                                      int unit, bool last, int firstGroup,
                                      TokenFragments<T, tokenTiles> &x, Sums &sums, Sums &total) {
    const int groupSize = p.op.weight.desc.groupSize;
    uint32_t words[itemPanels][laneWords(format)];
    QRT_UNROLL
    for (int panel = 0; panel < itemPanels; ++panel)
      Stage::words(stage, panel, unitOfStage, words[panel]);
    int group = quantized && groupSize ? unit * unitK / groupSize - firstGroup : 0;
    const int lastGroup = p.work.groups - 1 - firstGroup; // a unit may begin one that is not there
    typename Codes::Offsets offsets[itemPanels];
    Groups::readOffsets(p.op.weight, stage, group, offsets);
    QRT_UNROLL
    for (int step = 0; step < unitSteps; ++step) {
      if (step % 2 == 0)
        x.load(unit, step / 2);
      QRT_UNROLL
      for (int panel = 0; panel < itemPanels; ++panel) {
        uint32_t a[4];
        Codes::expandStep(words[panel], step, offsets[panel], a);
        QRT_UNROLL
        for (int tile = 0; tile < tokenTiles; ++tile) {
          uint32_t b[2];
          x.fragment(tile, step, b);
          T::mma(sums[panel][tile], a, b);
        }
      }
      if constexpr (quantized) {
        if (step == 1 && groupSize == 32) {
          Groups::endGroup(p.op.weight, stage, group, sums, total);
          group = group < lastGroup ? group + 1 : group;
          Groups::readOffsets(p.op.weight, stage, group, offsets);
        }
      }
    }
    if constexpr (quantized)
      if (last || (groupSize && (unit + 1) * unitK % groupSize == 0))
        Groups::endGroup(p.op.weight, stage, group, sums, total);
  }

  /// Adds the warps' sums, then the splits', and finishes the outputs.
  static QRT_DEVICE void addWarps(const Params &p, int item, const Sums &sums, float *shared,
                                  uint32_t *flag) {
    const LinearWork &work = p.work;
    const int p8 = laneIndex() / 4, t2 = laneIndex() % 4 * 2, split = item % work.splits;
    const int64_t firstPanel = int64_t(item / work.splits) * itemPanels;
    QRT_UNROLL
    for (int panel = 0; panel < itemPanels; ++panel) {
      if (panel)
        syncThreads();
      QRT_UNROLL
      for (int tile = 0; tile < tokenTiles; ++tile) {
        QRT_UNROLL
        for (int i = 0; i < 4; ++i) {
          const int token = tile * 8 + t2 + (i & 1), row = p8 + 8 * (i >> 1);
          storeShared(shared + (warpIndex() * tokens + token) * sumStride + row,
                      sums[panel][tile][i]);
        }
      }
      syncThreads();
      for (int at = threadIndex(); at < tokens * 16; at += threads) {
        const int token = at / 16, row = at % 16;
        float sum = 0.0f;
        QRT_UNROLL
        for (int warp = 0; warp < warps; ++warp)
          sum += loadShared(shared + (warp * tokens + token) * sumStride + row);
        const int64_t n = (firstPanel + panel) * kernels::panelRows + row;
        if (token >= p.op.rows || n >= p.op.weight.desc.n)
          continue;
        if (work.splits == 1)
          finishOutput(p.op, token, n, sum, work.faults);
        else
          storeGlobal(partialSum(work, p.op.rows, split, token, n), sum);
      }
    }
    if (work.splits > 1 && arriveLast(work, item / work.splits, flag)) {
      for (int at = threadIndex(); at < tokens * 16 * itemPanels; at += threads) {
        const int token = at / (16 * itemPanels), row = at % (16 * itemPanels);
        const int64_t n = firstPanel * kernels::panelRows + row;
        if (token >= p.op.rows || n >= p.op.weight.desc.n)
          continue;
        float sum = 0.0f;
        for (int i = 0; i < work.splits; ++i)
          sum += loadCoherent(partialSum(work, p.op.rows, i, token, n));
        finishOutput(p.op, token, n, sum, work.faults);
      }
    }
    syncThreads(); // before the next item's sums
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_STREAMLINEAR_H
