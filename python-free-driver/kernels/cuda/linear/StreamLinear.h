//===- StreamLinear.h - products of few tokens: as fast as the weights arrive ---------------===//
//
// dst[row, n] for up to 8 * tokenTiles rows. Weights are operand A (16 outputs), tokens the n8
// side, so one token costs what eight do. An item is itemPanels panels and a slice of K; the
// block's eight warps cut the slice further, each streaming its own contiguous run of quanta
// through a private ring in shared memory (StreamStage.h): no barrier until the sums of the warps
// are added. A block walks over several items, and the ring runs ahead across their borders.
// Activations come straight from L1/L2, 32 bytes per lane and unit (WeightOrder.h).
//
// Instructions are as scarce as bytes here (docs/cuda.md), so codes are not dequantized: fields are
// masked and multiplied as they are (RawCodes), sums of the activations are taken by products with
// a matrix of ones, and each group's sums are corrected and scaled in f32 when the group ends. The
// order of all sums follows from the shape and the plan alone.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STREAMLINEAR_H
#define QRT_KERNELS_CUDA_LINEAR_STREAMLINEAR_H

#include "kernels/cuda/linear/Activations.h"
#include "kernels/cuda/linear/Dequantize.h"
#include "kernels/cuda/linear/Epilogue.h"
#include "kernels/cuda/linear/FormatLaunch.h"
#include "kernels/cuda/linear/StreamStage.h"
#include "kernels/cuda/linear/WeightElement.h"

namespace qrt::cuda {

template <WeightFormat format, class T, int tokenTiles, int itemPanels, int groupHalves>
struct StreamLinear {
  using Params = StreamLinearParams;
  using Stage = StreamStage<format, itemPanels, groupHalves>;
  using Fields = CodeFields<format, T>;
  using Values = RawCodes<format, T>;
  static constexpr int warps = streamWarps, threads = 32 * warps;
  static constexpr int minBlocks = 2;
  static constexpr bool quantized = kernels::isQuantized(format);
  /// As many as fit beside the sums in the 99 KB of sm_89, and twice (two blocks) in sm_80's 163
  /// KB.
  static constexpr int ringBudget = 69 * 1024;
  static constexpr int stages =
      ringBudget / warps / Stage::bytes < 8 ? ringBudget / warps / Stage::bytes : 8;
  static_assert(stages >= 3, "two copies in flight at least");
  /// Sums: [panel][warp][token][16 rows], padded against bank conflicts; two buffers, used in turn,
  /// where they are small.
  static constexpr int sumStride = 20, tokens = 8 * tokenTiles;
  static constexpr int bufferFloats = itemPanels * warps * tokens * sumStride;
  static constexpr int buffers = tokenTiles == 1 ? 2 : 1;
  static constexpr int ringBytes = warps * stages * Stage::bytes;
  static constexpr int sharedBytes = ringBytes + buffers * bufferFloats * 4 + 16;
  static_assert(sharedBytes <= 99 * 1024);

  /// Registers as mma's C.
  using Sums = float[itemPanels][tokenTiles][4];
  /// Of raw codes, and of the activations themselves (in every row): one group's.
  struct GroupSums {
    Sums codes;
    float tokens[tokenTiles][4];
  };

  static QRT_DEVICE void clear(Sums &sums) {
    QRT_UNROLL
    for (int panel = 0; panel < itemPanels; ++panel) {
      QRT_UNROLL
      for (int tile = 0; tile < tokenTiles; ++tile) {
        QRT_UNROLL
        for (int i = 0; i < 4; ++i)
          sums[panel][tile][i] = 0.0f;
      }
    }
  }

  static QRT_DEVICE void run(const Params &p) {
    uint8_t *ring = sharedMemory() + warpIndex() * stages * Stage::bytes;
    auto *buffer = reinterpret_cast<float *>(sharedMemory() + ringBytes);
    auto *flag = reinterpret_cast<uint32_t *>(buffer + buffers * bufferFloats);
    const int block = blockIndex().x, blocks = gridSize().x;
    const int firstItem = int(int64_t(p.items) * block / blocks);
    const int endItem = int(int64_t(p.items) * (block + 1) / blocks);

    StreamCursor<format, itemPanels, groupHalves> ahead(p, firstItem, endItem);
    QRT_NO_UNROLL
    for (int slot = 0; slot < stages - 1; ++slot) {
      ahead.fetch(p, ring + slot * Stage::bytes);
      commitAsync();
    }
    const uint16_t *rows[tokenTiles];
    QRT_UNROLL
    for (int tile = 0; tile < tokenTiles; ++tile) {
      // Tokens that do not exist are copies of the first: nobody takes their sums.
      const int64_t token = tile * 8 + laneIndex() / 4;
      rows[tile] = static_cast<const uint16_t *>(p.op.src.data) +
                   (token < p.op.rows ? token : 0) * p.op.src.stride + laneIndex() % 4 * 8;
    }

    int slot = 0, parity = 0;
    /// The next stage of the ring, when it has arrived.
    auto next = [&]() -> const uint8_t * {
      waitAsync<stages - 2>();
      syncWarp();
      ahead.fetch(p, ring + (slot == 0 ? stages - 1 : slot - 1) * Stage::bytes); // all have left it
      commitAsync();
      const uint8_t *stage = ring + slot * Stage::bytes;
      slot = slot + 1 == stages ? 0 : slot + 1;
      return stage;
    };
    int item = firstItem / p.work.splits, split = firstItem % p.work.splits;
    QRT_NO_UNROLL
    for (int left = endItem - firstItem; left > 0; --left) {
      Sums total;
      GroupSums sums;
      clear(total);
      clear(sums.codes);
      QRT_UNROLL
      for (int tile = 0; tile < tokenTiles; ++tile) {
        QRT_UNROLL
        for (int i = 0; i < 4; ++i)
          sums.tokens[tile][i] = 0.0f;
      }
      const QuantumRange slice = sliceOf(p, split);
      const int full = slice.end < p.fullQuanta ? slice.end : p.fullQuanta;
      QRT_NO_UNROLL
      for (int quantum = slice.begin; quantum < full; quantum += Stage::quanta)
        multiplyStage<false>(p, next(), quantum, full - quantum, rows, sums, total);
      if (slice.begin < slice.end && slice.end > full)
        multiplyStage<true>(p, next(), full, 1, rows, sums, total);
      if constexpr (quantized && groupHalves == 0)
        endChannel(p, item, sums, total);
      addWarps(p, item, split, quantized ? total : sums.codes, buffer + parity * bufferFloats,
               flag);
      if (++split == p.work.splits) {
        split = 0;
        ++item;
      }
      parity = buffers == 2 ? parity ^ 1 : 0;
    }
    waitAsync<0>();
  }

  /// `quanta` of a stage, which begin at `first`. ragged: K does not fill them.
  template <bool ragged>
  static QRT_DEVICE void multiplyStage(const Params &p, const uint8_t *stage, int first, int quanta,
                                       const uint16_t *const (&rows)[tokenTiles], GroupSums &sums,
                                       Sums &total) {
    QRT_UNROLL
    for (int quantum = 0; quantum < (ragged ? 1 : Stage::quanta); ++quantum) {
      if (quantum && quantum >= quanta)
        break;
      QRT_UNROLL
      for (int unit = 0; unit < Stage::quantumUnits; ++unit) {
        const int unitOfStage = quantum * Stage::quantumUnits + unit;
        uint32_t words[itemPanels][laneWords(format)];
        QRT_UNROLL
        for (int panel = 0; panel < itemPanels; ++panel)
          Stage::words(stage, panel, unitOfStage, words[panel]);
        Words4 x[tokenTiles][2];
        QRT_UNROLL
        for (int tile = 0; tile < tokenTiles; ++tile) {
          QRT_UNROLL
          for (int half = 0; half < 2; ++half) {
            const int64_t k =
                (int64_t(first) * Stage::quantumUnits + unitOfStage) * unitK + half * 32;
            if constexpr (ragged)
              x[tile][half] = loadEight(rows[tile], k, p.op.weight.desc.k - laneIndex() % 4 * 8);
            else
              x[tile][half] = loadGlobal(reinterpret_cast<const Words4 *>(rows[tile] + k));
          }
        }
        QRT_UNROLL
        for (int step = 0; step < unitSteps; ++step) {
          const int steps = 2 * groupHalves, at = unit * unitSteps + step; // of the quantum
          const bool begins = groupHalves != 0 && at % (steps ? steps : 1) == 0;
          multiplyStep(words, x, step, begins, sums);
          if (groupHalves != 0 && (at + 1) % (steps ? steps : 1) == 0) {
            const int group = at / (steps ? steps : 1);
            if (!ragged || first * Stage::quantumGroups + group < p.work.groups)
              endGroup(p, stage, quantum * Stage::quantumGroups + group, sums, total);
          }
        }
      }
    }
  }

  /// begins: of a group, whose sums start here.
  static QRT_DEVICE void multiplyStep(const uint32_t (&words)[itemPanels][laneWords(format)],
                                      const Words4 (&x)[tokenTiles][2], int step, bool begins,
                                      GroupSums &sums) {
    uint32_t a[itemPanels][4];
    QRT_UNROLL
    for (int panel = 0; panel < itemPanels; ++panel)
      Fields::expandStep(words[panel], step, Values(), a[panel]);
    QRT_UNROLL
    for (int tile = 0; tile < tokenTiles; ++tile) {
      const Words4 &eight = x[tile][step / 2];
      const uint32_t b[2] = {eight.w[step % 2 * 2], eight.w[step % 2 * 2 + 1]};
      QRT_UNROLL
      for (int panel = 0; panel < itemPanels; ++panel)
        multiply(sums.codes[panel][tile], a[panel], b, begins);
      if constexpr (quantized) {
        constexpr uint32_t one = twice(Magic<T>::one);
        const uint32_t ones[4] = {one, one, one, one};
        multiply(sums.tokens[tile], ones, b, begins);
      }
    }
  }
  static QRT_DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                                  bool begins) {
    if (begins)
      d[0] = d[1] = d[2] = d[3] = 0.0f;
    T::mma(d, a, b);
  }

  /// total += the group's sums, without zero points and scaled.
  static QRT_DEVICE void scaleInto(const GroupSums &sums, int panel, const float (&scale)[2],
                                   const float (&zero)[2], Sums &total) {
    if constexpr (quantized) {
      QRT_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int row = i >> 1;
        const float factor = row ? Values::highFactor : Values::lowFactor;
        const float shift = zero[row] + (row ? Values::highBias : Values::lowBias);
        QRT_UNROLL
        for (int tile = 0; tile < tokenTiles; ++tile)
          total[panel][tile][i] +=
              (sums.codes[panel][tile][i] * factor - shift * sums.tokens[tile][i & 1]) * scale[row];
      }
    }
  }
  static QRT_DEVICE void endGroup(const Params &p, const uint8_t *stage, int group,
                                  const GroupSums &sums, Sums &total) {
    QRT_UNROLL
    for (int panel = 0; panel < itemPanels; ++panel) {
      float scale[2], zero[2];
      QRT_UNROLL
      for (int row = 0; row < 2; ++row) {
        scale[row] = Stage::scale(stage, panel, group, row);
        zero[row] = p.op.weight.desc.symmetric ? float(1 << (laneWords(format) - 1))
                                               : Stage::zeroPoint(stage, panel, group, row);
      }
      scaleInto(sums, panel, scale, zero, total);
    }
  }
  /// One scale per row: from global memory, when the item's sums are complete.
  static QRT_DEVICE void endChannel(const Params &p, int panels, const GroupSums &sums,
                                    Sums &total) {
    const kernels::WeightView &w = p.op.weight;
    QRT_UNROLL
    for (int panel = 0; panel < itemPanels; ++panel) {
      float scale[2], zero[2];
      QRT_UNROLL
      for (int row = 0; row < 2; ++row) {
        const int wanted = panels * itemPanels + panel;
        const int64_t at =
            int64_t(wanted < p.work.panels ? wanted : p.work.panels - 1) * kernels::panelRows +
            laneIndex() / 4 + 8 * row;
        scale[row] = weightScale(w, at);
        zero[row] = w.desc.symmetric ? float(1 << (laneWords(format) - 1))
                                     : static_cast<float>(loadConstant(w.zeroPoints + at));
      }
      scaleInto(sums, panel, scale, zero, total);
    }
  }

  /// Adds the warps' sums, then the splits', and finishes the outputs.
  static QRT_DEVICE void addWarps(const Params &p, int panels, int split, const Sums &sums,
                                  float *shared, uint32_t *flag) {
    const LinearWork &work = p.work;
    const int p8 = laneIndex() / 4, t2 = laneIndex() % 4 * 2;
    const int64_t firstN = int64_t(panels) * itemPanels * kernels::panelRows;
    QRT_UNROLL
    for (int panel = 0; panel < itemPanels; ++panel) {
      QRT_UNROLL
      for (int tile = 0; tile < tokenTiles; ++tile) {
        QRT_UNROLL
        for (int i = 0; i < 4; ++i) {
          const int token = tile * 8 + t2 + (i & 1), row = p8 + 8 * (i >> 1);
          storeShared(shared + ((panel * warps + warpIndex()) * tokens + token) * sumStride + row,
                      sums[panel][tile][i]);
        }
      }
    }
    syncThreads();
    constexpr int outputs = itemPanels * kernels::panelRows;
    auto forOutputs = [&](const auto &body) {
      QRT_NO_UNROLL
      for (int at = threadIndex(); at < int(p.op.rows) * outputs; at += threads) {
        const int token = at / outputs, row = at % outputs;
        if (firstN + row < p.op.weight.desc.n)
          body(token, row);
      }
    };
    forOutputs([&](int token, int row) {
      const float *from = shared + (row / kernels::panelRows * warps * tokens + token) * sumStride +
                          row % kernels::panelRows;
      float sum = 0.0f;
      QRT_UNROLL
      for (int warp = 0; warp < warps; ++warp)
        sum += loadShared(from + warp * tokens * sumStride);
      if (work.splits == 1)
        finishOutput(p.op, token, firstN + row, sum, work.faults);
      else
        storeGlobal(partialSum(work, p.op.rows, split, token, firstN + row), sum);
    });
    if (work.splits > 1 && arriveLast(work, panels, flag))
      forOutputs([&](int token, int row) {
        float sum = 0.0f;
        for (int i = 0; i < work.splits; ++i)
          sum += loadCoherent(partialSum(work, p.op.rows, i, token, firstN + row));
        finishOutput(p.op, token, firstN + row, sum, work.faults);
      });
    if constexpr (buffers == 1)
      syncThreads(); // before the next item's sums
  }
};

/// The instance that a plan and a weight take.
template <WeightFormat format>
int launchStreamOf(const Launch &launch, const LinearParams &op, const LinearWork &work,
                   const StreamPlan &plan) {
  constexpr int quantumK = streamQuantumUnits(format) * unitK;
  const int64_t k = op.weight.desc.k;
  const auto quanta = int32_t((k + quantumK - 1) / quantumK);
  const int32_t slices = plan.splits * streamWarps;
  const StreamLinearParams params = {op,
                                     work,
                                     int32_t(plan.items * plan.splits),
                                     quanta / slices,
                                     quanta % slices,
                                     int32_t(k / quantumK)};
  auto launchWith = [&]<class T, int tiles, int halves>() {
    using Kernel =
        StreamLinear<format, T, tiles, streamItemPanels(format, T::type, tiles, halves), halves>;
    return launchKernel<Kernel>(launch, {int32_t(plan.grid), 1, 1}, Kernel::sharedBytes, params);
  };
  auto launchGroups = [&]<class T, int tiles>() {
    if constexpr (kernels::isQuantized(format)) {
      switch (streamGroupHalves(op.weight.desc)) {
      case 1:
        return launchWith.template operator()<T, tiles, 1>();
      case 2:
        return launchWith.template operator()<T, tiles, 2>();
      case 4:
        return launchWith.template operator()<T, tiles, 4>();
      case 0:
        break;
      default:
        return invalidLaunch;
      }
    }
    return launchWith.template operator()<T, tiles, 0>();
  };
  auto launchTiles = [&]<class T>() {
    return plan.tokenTiles == 1 ? launchGroups.template operator()<T, 1>()
                                : launchGroups.template operator()<T, 2>();
  };
  return op.src.type == DType::F16 ? launchTiles.template operator()<F16>()
                                   : launchTiles.template operator()<BF16>();
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_STREAMLINEAR_H
