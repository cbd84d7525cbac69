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
  /// The first sliceRest of the warps' slices of K have sliceUnits + 1 units, the others
  /// sliceUnits.
  int32_t sliceUnits = 0, sliceRest = 0;
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
  static constexpr int ringBudget = 68 * 1024;
  static constexpr int stages =
      ringBudget / warps / Stage::bytes < 8 ? ringBudget / warps / Stage::bytes : 8;
  static_assert(stages >= 3, "two copies in flight at least");
  /// Sums of the warps: [warp][token][16 rows], padded against bank conflicts.
  static constexpr int sumStride = 20, tokens = 8 * tokenTiles;
  static constexpr int ringBytes = warps * stages * Stage::bytes;
  static constexpr int sharedBytes = ringBytes + warps * tokens * sumStride * 4 + 16;
  static_assert(sharedBytes <= 99 * 1024);

  /// What the ring fetches, or what is computed: an item's panels and this warp's units of K.
  struct Position {
    int left; ///< items from here on
    int panels, split;
    int unit, end;

    QRT_DEVICE Position(const Params &p, int first, int endItem)
        : left(endItem - first), panels(first / p.work.splits), split(first % p.work.splits) {
      slice(p);
    }
    QRT_DEVICE void slice(const Params &p) {
      const int at = split * warps + warpIndex();
      unit = at * p.sliceUnits + (at < p.sliceRest ? at : p.sliceRest);
      end = unit + p.sliceUnits + (at < p.sliceRest ? 1 : 0);
    }
    QRT_DEVICE void nextItem(const Params &p) {
      --left;
      if (++split == p.work.splits) {
        split = 0;
        ++panels;
      }
      slice(p);
    }
  };

  using Sums = typename GroupSums<format, T, Stage, itemPanels, tokenTiles>::Sums;
  using Offsets = typename Codes::Offsets[itemPanels];
  using Groups = GroupSums<format, T, Stage, itemPanels, tokenTiles>;

  static QRT_DEVICE void run(const Params &p) {
    const LinearWork &work = p.work;
    uint8_t *ring = sharedMemory() + warpIndex() * stages * Stage::bytes;
    auto *sumsOfWarps = reinterpret_cast<float *>(sharedMemory() + ringBytes);
    auto *flag = reinterpret_cast<uint32_t *>(sumsOfWarps + warps * tokens * sumStride);
    const int block = blockIndex().x, blocks = gridSize().x;
    const int firstItem = int(int64_t(p.items) * block / blocks);
    const int endItem = int(int64_t(p.items) * (block + 1) / blocks);
    const int stageUnits = Stage::unitsOf(p.op.weight);
    const uint64_t policy = streamPolicy();

    Position ahead(p, firstItem, endItem);
    auto fetch = [&](int slot) {
      while (ahead.left > 0 && ahead.unit >= ahead.end) // K may be shorter than the warps are many
        ahead.nextItem(p);
      if (ahead.left > 0) {
        const int end = ahead.unit + stageUnits < ahead.end ? ahead.unit + stageUnits : ahead.end;
        Stage::fetch(p.op.weight, work, ring + slot * Stage::bytes, ahead.panels * itemPanels,
                     ahead.unit, end, policy);
        ahead.unit = end;
      }
      commitAsync();
    };
    QRT_NO_UNROLL
    for (int slot = 0; slot < stages - 1; ++slot)
      fetch(slot);

    int slot = 0;
    QRT_NO_UNROLL
    for (Position now(p, firstItem, endItem); now.left > 0; now.nextItem(p)) {
      Sums sums, total;
      Groups::clear(sums);
      Groups::clear(total);
      Offsets offsets;
      TokenFragments<T, tokenTiles> x(p.op);
      x.begin(now.unit, now.end);
      bool begins = true; // a group whose zero points are not known yet
      QRT_NO_UNROLL
      for (int unit = now.unit; unit < now.end; unit += stageUnits) {
        waitAsync<stages - 2>();
        syncWarp();
        fetch(slot == 0 ? stages - 1 : slot - 1); // its readers are past the barrier
        const uint8_t *stage = ring + slot * Stage::bytes;
        slot = slot + 1 == stages ? 0 : slot + 1;
        const int firstGroup = firstGroupOf(work.groupShift, unit);
        QRT_UNROLL
        for (int i = 0; i < Stage::units; ++i) {
          if (i >= stageUnits || unit + i >= now.end)
            break;
          multiplyUnit(p, stage, i, unit + i, firstGroup, begins, offsets, x, sums, total);
          begins = !p.op.weight.desc.symmetric && endsGroup(work.groupShift, unit + i);
          if (quantized && (unit + i + 1 == now.end || endsGroup(work.groupShift, unit + i)))
            Groups::endGroup(p.op.weight, stage, lastGroupOf(work, unit + i) - firstGroup, sums,
                             total);
        }
      }
      addWarps(p, now.panels, now.split, quantized ? total : sums, sumsOfWarps, flag);
    }
    waitAsync<0>();
  }

  /// The group of a unit's last k that the matrix has.
  static QRT_DEVICE int lastGroupOf(const LinearWork &work, int unit) {
    const int group = ((unit + 1) * unitK - 1) >> work.groupShift;
    return group < work.groups ? group : work.groups - 1;
  }

  static QRT_DEVICE void multiplyUnit(const Params &p, const uint8_t *stage, int unitOfStage,
                                      int unit, int firstGroup, bool begins, Offsets &offsets,
                                      TokenFragments<T, tokenTiles> &x, Sums &sums, Sums &total) {
    uint32_t words[itemPanels][laneWords(format)];
    QRT_UNROLL
    for (int panel = 0; panel < itemPanels; ++panel)
      Stage::words(stage, panel, unitOfStage, words[panel]);
    const int group = firstGroupOf(p.work.groupShift, unit) - firstGroup;
    if (begins)
      Groups::readOffsets(p.op.weight, stage, group, offsets);
    x.advance(unit);
    QRT_UNROLL
    for (int step = 0; step < unitSteps; ++step) {
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
        // Two groups of 32; of the second there may be nothing but padding.
        if (step == 1 && p.work.groupShift == 5 && lastGroupOf(p.work, unit) > firstGroup + group) {
          Groups::endGroup(p.op.weight, stage, group, sums, total);
          if (!p.op.weight.desc.symmetric)
            Groups::readOffsets(p.op.weight, stage, group + 1, offsets);
        }
      }
    }
  }

  /// Adds the warps' sums, then the splits', and finishes the outputs.
  static QRT_DEVICE void addWarps(const Params &p, int panels, int split, const Sums &sums,
                                  float *shared, uint32_t *flag) {
    const LinearWork &work = p.work;
    const int p8 = laneIndex() / 4, t2 = laneIndex() % 4 * 2;
    const int64_t firstPanel = int64_t(panels) * itemPanels;
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
    if (work.splits > 1 && arriveLast(work, panels, flag)) {
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
