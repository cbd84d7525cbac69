//===- WgmmaLinear.h - products of many tokens on sm_90a's wgmma ----------------------------===//
//
// A tile is 256 outputs x `tokens` tokens. One warpgroup of a block fetches: each stage of its ring
// is one unit of k, with activations as WgmmaTokens.h has written them, 16 panels and their scales.
// Two warpgroups multiply, 128 outputs each: the weights are operand A, scaled to 16 bits in
// registers (ScaledCodes.h) for one block of 64 outputs while the product of the other runs. Sums
// stay in registers from the first unit to the last.
//
// A block goes through several tiles (WgmmaPlan.h); its ring runs on while results are stored.
// For sm_90a only, not emulated; layout and arithmetic are tested on their own.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_WGMMALINEAR_H
#define QRT_KERNELS_CUDA_LINEAR_WGMMALINEAR_H

#include "kernels/cuda/device/Hopper.h"
#include "kernels/cuda/layout/WgmmaTile.h"
#include "kernels/cuda/linear/ScaledCodes.h"
#include "kernels/cuda/linear/Stages.h"
#include "kernels/cuda/linear/WgmmaFinish.h"

namespace qrt::cuda {

struct WgmmaLinearParams {
  LinearParams op;
  LinearWork work;
  WgmmaPlan plan;
  const uint8_t *tiles; ///< launchWgmmaTokens
};

template <WeightFormat format, class T, int tokens>
struct WgmmaLinear {
  using Params = WgmmaLinearParams;
  using Panel = WeightStage<format, 1, 1>;
  static constexpr bool quantized = kernels::isQuantized(format);
  static constexpr int producers = 128, threads = 3 * 128, minBlocks = 1;
  static constexpr int groupBlocks = 2; ///< of 64 outputs, per warpgroup
  static constexpr int tokenBytes = tokens * wgmmaLineBytes;
  static constexpr int weightBytes = wgmmaPanels * unitBytes(format);
  static constexpr int groupsOfUnit = quantized ? 2 : 0;
  static constexpr int scaleBytes = groupsOfUnit * wgmmaPanels * 32;
  static constexpr int zeroBytes = groupsOfUnit * wgmmaPanels * 16;
  static constexpr int stageBytes = tokenBytes + weightBytes + scaleBytes + zeroBytes;
  static constexpr int budget = (226 * 1024 - 512) / stageBytes;
  static constexpr int stages = budget > 10 ? 10 : budget;
  static constexpr int weightStart = stages * tokenBytes,
                       scaleStart = weightStart + stages * weightBytes;
  static constexpr int zeroStart = scaleStart + stages * scaleBytes;
  static constexpr int barrierStart = zeroStart + stages * zeroBytes;
  /// The ring begins at a multiple of an atom.
  static constexpr int sharedBytes = barrierStart + 2 * stages * 8 + 16 + wgmmaAtomBytes;
  static_assert(stages >= 4 && sharedBytes <= 227 * 1024);

  struct Ring {
    uint8_t *base;
    QRT_DEVICE uint8_t *tokenTile(int slot) const { return base + slot * tokenBytes; }
    QRT_DEVICE uint8_t *weights(int slot) const { return base + weightStart + slot * weightBytes; }
    QRT_DEVICE uint8_t *scales(int slot) const { return base + scaleStart + slot * scaleBytes; }
    QRT_DEVICE uint8_t *zeroPoints(int slot) const { return base + zeroStart + slot * zeroBytes; }
    QRT_DEVICE uint64_t *full(int slot) const {
      return reinterpret_cast<uint64_t *>(base + barrierStart) + slot;
    }
    QRT_DEVICE uint64_t *empty(int slot) const { return full(slot) + stages; }
    QRT_DEVICE uint32_t *flags() const {
      return reinterpret_cast<uint32_t *>(base + barrierStart + 2 * stages * 8);
    }
  };
  /// A place in the ring and how often it was passed.
  struct Cursor {
    int slot = 0;
    uint32_t parity = 0;
    QRT_DEVICE void next() {
      if (++slot == stages) {
        slot = 0;
        parity ^= 1;
      }
    }
  };
  /// What an item of the plan stands for.
  struct Work {
    int tokenBlock, firstPanel, firstUnit, endUnit;
    QRT_DEVICE Work(const Params &p, const WgmmaItem &item)
        : tokenBlock(item.tile % p.plan.tokenBlocks),
          firstPanel(item.tile / p.plan.tokenBlocks * wgmmaPanels),
          firstUnit(wgmmaFirstUnit(p.work.units, item.split, item.splits)),
          endUnit(wgmmaFirstUnit(p.work.units, item.split + 1, item.splits)) {}
  };

  static QRT_DEVICE void run(const Params &p) {
    uint8_t *shared = sharedMemory();
    const uint32_t atom = wgmmaAtomBytes;
    const uint32_t address = kept((sharedAddress(shared) + atom - 1) / atom * atom);
    const Ring ring = {static_cast<uint8_t *>(__cvta_shared_to_generic(address))};
    if (threadIndex() == 0) {
      for (int slot = 0; slot < stages; ++slot) {
        initBarrier(ring.full(slot), producers + 1); // and the bulk copy's
        initBarrier(ring.empty(slot), 2 * 128 / warpLanes);
      }
      fenceBarrierInit();
    }
    if (quantized && p.op.weight.desc.symmetric) // no copy will overwrite them
      for (int at = threadIndex(); at < stages * zeroBytes; at += threads)
        storeShared(ring.zeroPoints(0) + at, uint8_t(symmetricCode<format>));
    syncThreads();
    if (threadIndex() < producers) {
      shrinkRegisters<72>();
      produce(p, ring);
    } else {
      growRegisters<216>();
      consume(p, ring);
    }
  }

  // ---- The warpgroup that fetches.

  static QRT_DEVICE void produce(const Params &p, const Ring &ring) {
    Cursor at;
    QRT_NO_UNROLL
    for (int item = blockIndex().x; item < p.plan.items; item += gridSize().x) {
      const Work work(p, wgmmaItem(p.plan, item));
      QRT_NO_UNROLL
      for (int unit = work.firstUnit; unit < work.endUnit; ++unit) {
        waitBarrier(ring.empty(at.slot), at.parity ^ 1);
        fetch(p, ring, at.slot, work, unit);
        arriveWhenCopied(ring.full(at.slot));
        at.next();
      }
    }
    waitAsync<0>();
  }

  /// Starts this thread's copies of one unit. k beyond the last are zeros in the tile, whatever the
  /// weights are.
  static QRT_DEVICE void fetch(const Params &p, const Ring &ring, int slot, const Work &work,
                               int unit) {
    const kernels::WeightView &weight = p.op.weight;
    if (threadIndex() == 0) {
      arriveExpecting(ring.full(slot), tokenBytes);
      copyBulk(ring.tokenTile(slot),
               p.tiles + (int64_t(work.tokenBlock) * p.work.units + unit) * tokenBytes, tokenBytes,
               ring.full(slot));
    }
    constexpr int pieces = unitBytes(format) / 16; ///< of a panel
    static_assert(weightBytes / 16 % producers == 0);
    const int lastPanel = p.work.panels - 1;
    QRT_UNROLL_4
    for (int i = 0; i < weightBytes / 16; i += producers) {
      const int piece = i + threadIndex();
      int panel = work.firstPanel + piece / pieces;
      panel = panel < lastPanel ? panel : lastPanel;
      copyAsync16(ring.weights(slot) + piece * 16,
                  static_cast<const uint8_t *>(weight.data) +
                      (int64_t(panel) * p.work.panelUnits + unit) * unitBytes(format) +
                      piece % pieces * 16);
    }
    if constexpr (quantized)
      fetchScales(p, ring, slot, work, unit);
  }

  /// Stage: [group of the unit][panel][16]; a group beyond the last has scales of zero. Only groups
  /// of 32 have a second one.
  static QRT_DEVICE void fetchScales(const Params &p, const Ring &ring, int slot, const Work &work,
                                     int unit) {
    const int first = firstGroupOf(p.work.groupShift, unit);
    const int lastPanel = p.work.panels - 1;
    const bool zeros = threadIndex() >= 64; // the lower half fetches scales, two pieces each
    const int piece = threadIndex() % 64;
    const int group = zeros ? piece / wgmmaPanels : piece / (2 * wgmmaPanels);
    if (group > (p.work.groupShift == 5 ? 1 : 0) || (zeros && p.op.weight.desc.symmetric))
      return;
    int panel = work.firstPanel + (zeros ? piece : piece / 2) % wgmmaPanels;
    panel = panel < lastPanel ? panel : lastPanel;
    const bool exists = first + group < p.work.groups;
    const int64_t index = int64_t(panel) * p.work.groups + (exists ? first + group : first);
    if (!zeros)
      copyAsync16(ring.scales(slot) + piece * 16,
                  static_cast<const uint8_t *>(p.op.weight.scales) + index * 32 + piece % 2 * 16,
                  exists ? 16 : 0);
    else
      copyAsync16(ring.zeroPoints(slot) + piece * 16, p.op.weight.zeroPoints + index * 16,
                  exists ? 16 : 0);
  }

  // ---- The two warpgroups that multiply.

  static QRT_DEVICE void consume(const Params &p, const Ring &ring) {
    const int group = threadIndex() / 128 - 1;
    const int panel = int(kept(uint32_t(group * 4 * groupBlocks + warpIndex() % 4)));
    const int lane = int(kept(uint32_t(laneIndex())));
    const bool halves = p.work.groupShift == 5;
    Cursor at;
    float sums[groupBlocks][tokens / 2];
    uint32_t a[groupBlocks][unitSteps][4];
    QRT_NO_UNROLL
    for (int item = blockIndex().x; item < p.plan.items; item += gridSize().x) {
      const WgmmaItem planned = wgmmaItem(p.plan, item);
      const Work work(p, planned);
      int before = at.slot;
      QRT_NO_UNROLL
      for (int unit = work.firstUnit; unit < work.endUnit; ++unit) {
        waitBarrier(ring.full(at.slot), at.parity);
        const uint64_t tile = wgmmaDescriptor(sharedAddress(ring.tokenTile(at.slot)));
        // Codes are all on their way before the first is waited for. Words of 16 bits are operand A
        // as they are: they may not be loaded while the product before still reads these registers.
        Codes codes[groupBlocks];
        QRT_UNROLL
        for (int block = 0; block < groupBlocks; ++block)
          if constexpr (quantized)
            codes[block].load(ring, at.slot, panel + 4 * block, lane, halves);
        QRT_UNROLL
        for (int block = 0; block < groupBlocks; ++block) {
          if constexpr (!quantized)
            codes[block].load(ring, at.slot, panel + 4 * block, lane, halves);
          codes[block].expand(a[block]);
          pinRegisters(sums[block]);
          fenceWgmma();
          QRT_UNROLL
          for (int step = 0; step < unitSteps; ++step)
            Wgmma<T, tokens>::run(sums[block], a[block][step], tile + wgmmaStepOffset(step),
                                  step > 0 || unit > work.firstUnit);
          commitWgmma();
          waitWgmma<1>(); // the other block's product, whose registers come next
          if (block == 0 && unit > work.firstUnit)
            release(ring, before, lane);
        }
        before = at.slot;
        at.next();
      }
      waitWgmma<0>();
      release(ring, before, lane);
      QRT_UNROLL
      for (int block = 0; block < groupBlocks; ++block)
        pinRegisters(sums[block]);
      WgmmaFinish<tokens>::run(p.op, p.work, p.plan, planned, group,
                               int64_t(work.tokenBlock) * tokens,
                               (work.firstPanel + panel) * kernels::panelRows, ring.flags(), sums);
    }
  }
  static QRT_DEVICE void release(const Ring &ring, int slot, int lane) {
    syncWarp();
    if (lane == 0)
      arriveBarrier(ring.empty(slot));
  }

  /// What a lane has of one panel and unit.
  struct Codes {
    uint32_t words[laneWords(format)];
    uint32_t scales[2][2], zeros[2][2]; ///< [half of the unit][row p, p + 8]

    QRT_DEVICE void load(const Ring &ring, int slot, int panel, int lane, bool halves) {
      Panel::words(ring.weights(slot) + panel * unitBytes(format), 0, 0, words);
      if constexpr (quantized) {
        const int row = panel * kernels::panelRows + lane / 4;
        QRT_UNROLL
        for (int half = 0; half < 2; ++half) {
          const int from = row + half * wgmmaPanels * kernels::panelRows;
          QRT_UNROLL
          for (int r = 0; r < 2; ++r) {
            scales[half][r] = scales[0][r];
            zeros[half][r] = zeros[0][r];
            if (half == 0 || halves) {
              scales[half][r] =
                  loadShared(reinterpret_cast<const uint16_t *>(ring.scales(slot)) + from + 8 * r);
              zeros[half][r] = loadShared(ring.zeroPoints(slot) + from + 8 * r);
            }
          }
        }
      }
    }
    /// The A registers.
    QRT_DEVICE void expand(uint32_t (&a)[unitSteps][4]) const {
      if constexpr (quantized) {
        ScaledCodes<format> scaled[2];
        QRT_UNROLL
        for (int half = 0; half < 2; ++half)
          scaled[half] =
              ScaledCodes<format>(scales[half][0], scales[half][1], zeros[half][0], zeros[half][1]);
        QRT_UNROLL
        for (int step = 0; step < unitSteps; ++step)
          CodeFields<format, F16>::expandStep(words, step, scaled[step / 2], a[step]);
      } else {
        QRT_UNROLL
        for (int step = 0; step < unitSteps; ++step)
          CodeFields<format, T>::expandStep(words, step, 0, a[step]);
      }
    }
  };
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_WGMMALINEAR_H
