//===- StreamLinear.h - products of few tokens: as fast as the weights arrive ---------------===//
//
// dst[row, n] for up to 8 * tokenTiles rows, of up to three weights. Weights are operand A (16
// outputs), tokens the n8 side, so one token costs what eight do. An item is itemPanels panels; a
// block, one per multiprocessor, has a run of items (or of slices of them, where there are few),
// and its warps have even runs of the block's quanta, each streaming its own through a private ring
// in shared memory (StreamStage.h). No barrier until all have ended; then the sums of items that
// lie in several warps' runs are added in order. Activations come straight from L1/L2, 32 bytes per
// lane and unit (WeightOrder.h), fetched ahead. Weights are fetched before the kernel before has
// ended.
//
// Instructions are as scarce as bytes here (docs/cuda.md), so codes are not dequantized: fields are
// masked and multiplied as they are (RawCodes), sums of the activations are taken by products with
// a matrix of ones, and each group's sums are corrected and scaled in f32 when the group ends. The
// order of all sums follows from the shape and the plan alone.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STREAMLINEAR_H
#define QRT_KERNELS_CUDA_LINEAR_STREAMLINEAR_H

#include "kernels/cuda/device/Reduce.h"
#include "kernels/cuda/linear/Activations.h"
#include "kernels/cuda/linear/Dequantize.h"
#include "kernels/cuda/linear/StreamFinish.h"
#include "kernels/cuda/linear/WeightElement.h"

namespace qrt::cuda {

/// normed: the activations are the RMS norm of f32 rows.
template <WeightFormat format, class T, int tokenTiles, int groupHalves, bool normed = false>
struct StreamLinear {
  using Params = StreamLinearParams;
  static constexpr int panels = streamItemPanels(format);
  using Stage = StreamStage<format, panels, groupHalves>;
  using Finish = StreamFinish<panels, tokenTiles>;
  using Fields = CodeFields<format, T>;
  using Values = RawCodes<format, T>;
  static constexpr int maxWarps = maxStreamWarps(format);
  static constexpr int threads = 32 * maxWarps, minBlocks = 1;
  static constexpr bool waitsItself = true;
  static constexpr bool quantized = kernels::isQuantized(format);
  static constexpr int fitting = 104 * 1024 / maxWarps / Stage::bytes;
  static constexpr int stages = fitting < 3 ? 3 : fitting > 6 ? 6 : fitting;
  static constexpr int ringBytes = stages * Stage::bytes; ///< of a warp
  static_assert(Finish::slotFloats(8 * tokenTiles) * 4 <= ringBytes,
                "the last sums take its place");
  /// Rings, slots, a flag, and normalised rows.
  static constexpr int slotsEnd(int warps, int rows) {
    return warps * (ringBytes + 2 * Finish::slotFloats(rows) * 4) + 16;
  }
  static constexpr int sharedBytes(int warps, int rows, int normStride) {
    return slotsEnd(warps, rows) + rows * normStride * 2;
  }

  using Sums = typename Finish::Sums; ///< registers as mma's C
  /// Of raw codes, and of the activations themselves (in every row): one group's.
  struct GroupSums {
    Sums codes;
    float tokens[tokenTiles][4];
  };
  /// Activations are loaded in pieces of this many halves of a unit, one quantum ahead where there
  /// are registers for it, else one piece.
  static constexpr int span = tokenTiles == 1 && Stage::quantumUnits == 2 ? 2 : 1;
  static constexpr int pieces = 2 * Stage::quantumUnits / span; ///< of a quantum
  static_assert(pieces % 2 == 0, "two buffers");
  static constexpr bool quantumAhead = tokenTiles == 1;
  static constexpr int aheadPieces = quantumAhead ? 2 * pieces : 2;
  using Piece = Words4[tokenTiles][span];

  static QRT_DEVICE void clear(Sums &sums) {
    QRT_UNROLL
    for (int panel = 0; panel < panels; ++panel) {
      QRT_UNROLL
      for (int tile = 0; tile < tokenTiles; ++tile) {
        QRT_UNROLL
        for (int i = 0; i < 4; ++i)
          sums[panel][tile][i] = 0.0f;
      }
    }
  }

  static QRT_DEVICE void run(const Params &p) {
    const int warpBits = blockThreads() == 512   ? 4
                         : blockThreads() == 256 ? 3
                                                 : 2,
              warps = 1 << warpBits;
    uint8_t *ring = sharedMemory() + warpIndex() * ringBytes;
    const StreamBlock block(p, warpBits);
    const int begin = block.firstOf(warpIndex()), end = block.firstOf(warpIndex() + 1);

    StreamCursor<format, panels, groupHalves> ahead(StreamWalk(p, block.firstSlice, begin, end));
    QRT_NO_UNROLL
    for (int slot = 0; slot < stages - 1; ++slot) {
      ahead.fetch(p, ring + slot * Stage::bytes);
      commitAsync();
    }
    waitForKernelBefore();
    if constexpr (normed)
      normalize(p, normedRows(p), reinterpret_cast<float *>(sharedMemory() + warps * ringBytes));

    uint32_t rows[tokenTiles]; // where the lane's rows begin
    QRT_UNROLL
    for (int tile = 0; tile < tokenTiles; ++tile) {
      // Tokens that do not exist are copies of the first: nobody takes their sums.
      const int token = tile * 8 + laneIndex() / 4;
      rows[tile] = uint32_t(token < p.rows ? token : 0) *
                       uint32_t(normed ? p.normStride : int32_t(p.src.stride)) +
                   uint32_t(laneIndex() % 4 * 8);
    }
    int slot = 0;
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

    const Finish finish{p, block, warps, reinterpret_cast<float *>(sharedMemory()), ringBytes / 4};
    Sums total;
    StreamWalk walk(p, block.firstSlice, begin, end);
    StreamSegment segment;
    QRT_NO_UNROLL
    while (walk.take(p, segment)) {
      clear(total);
      const int first = firstQuantum(p, segment) * Stage::quantumUnits;
      GroupSums sums;
      clear(sums.codes);
      QRT_UNROLL
      for (int tile = 0; tile < tokenTiles; ++tile) {
        QRT_UNROLL
        for (int i = 0; i < 4; ++i)
          sums.tokens[tile][i] = 0.0f;
      }
      const int quanta = quantaOf(p, segment), end = firstQuantum(p, segment) + quanta;
      const int ragged = !normed && end > p.fullQuanta ? 1 : 0; // the last one
      multiplyQuanta<false>(p, next, first, quanta - ragged, rows, sums, total);
      if (!normed && quanta > 0 && ragged)
        multiplyQuanta<true>(p, next, first + (quanta - 1) * Stage::quantumUnits, 1, rows, sums,
                             total);
      if constexpr (quantized && groupHalves == 0)
        scaleChannel(p, segment.item, sums, total);
      const Sums &result = quantized ? total : sums.codes;
      const bool openEnd = segment.begin == 0 && segment.end < p.sliceQuanta;
      if (openEnd) { // the last: no copy is on its way to the ring
        waitAsync<0>();
        syncWarp();
      }
      finish.store(segment.begin != 0 ? finish.headSlot(warpIndex())
                   : openEnd          ? finish.tailSlot(warpIndex())
                                      : finish.ownSlot(warpIndex()),
                   result);
      if (segment.begin == 0 && !openEnd)
        finish.emitOwn(segment);
    }
    waitAsync<0>();
    syncThreads();
    finish.addWarps();
  }

  static QRT_DEVICE uint16_t *normedRows(const Params &p) {
    return reinterpret_cast<uint16_t *>(sharedMemory() + slotsEnd(blockThreads() / 32, p.rows));
  }

  /// RmsNorm of the rows, with zeros behind them; `scratch`: a float per row and warp.
  static QRT_DEVICE void normalize(const Params &p, uint16_t *x, float *scratch) {
    const auto k = int(p.parts[0].weight.desc.k);
    const int self = threadIndex() * 4, all = blockThreads() * 4, warps = blockThreads() / 32;
    auto quad = [&](int row, int at) {
      return loadGlobal(reinterpret_cast<const Words4 *>(static_cast<const float *>(p.src.data) +
                                                         row * p.src.stride + at));
    };
    QRT_NO_UNROLL
    for (int row = 0; row < p.rows; ++row) {
      float sum = 0.0f;
      QRT_UNROLL_4
      for (int at = self; at < k; at += all) {
        const Words4 four = quad(row, at);
        QRT_UNROLL
        for (int i = 0; i < 4; ++i)
          sum += floatOfBits(four.w[i]) * floatOfBits(four.w[i]);
      }
      sum = warpSum(sum);
      if (laneIndex() == 0)
        storeShared(scratch + row * warps + warpIndex(), sum);
    }
    syncThreads();
    bool overflow = false;
    QRT_NO_UNROLL
    for (int row = 0; row < p.rows; ++row) {
      float sum = 0.0f;
      QRT_UNROLL_4
      for (int warp = 0; warp < warps; ++warp)
        sum += loadShared(scratch + row * warps + warp);
      const float factor = 1.0f / sqrtf(sum / static_cast<float>(k) + p.epsilon);
      QRT_UNROLL_4
      for (int at = self; at < p.normStride; at += all) {
        Words2 halves = {};
        if (at < k) {
          const Words4 four = quad(row, at),
                       weight = loadConstant(reinterpret_cast<const Words4 *>(p.normWeight + at));
          float y[4];
          QRT_UNROLL
          for (int i = 0; i < 4; ++i) {
            y[i] = floatOfBits(four.w[i]) * factor * floatOfBits(weight.w[i]);
            if constexpr (T::type == DType::F16)
              y[i] = clampToF16(y[i], overflow);
          }
          halves = {{T::pack(y[0], y[1]), T::pack(y[2], y[3])}};
        }
        storeShared(reinterpret_cast<Words2 *>(x + row * p.normStride + at), halves);
      }
    }
    if (overflow && p.faults)
      atomicOr(p.faults, HalfOverflow);
    syncThreads();
  }

  /// The lane's activations from half `half` of K on; ragged: zeros beyond K.
  template <bool ragged>
  static QRT_DEVICE void load(const Params &p, const uint32_t (&rows)[tokenTiles], int half,
                              Piece &x) {
    QRT_UNROLL
    for (int tile = 0; tile < tokenTiles; ++tile) {
      QRT_UNROLL
      for (int i = 0; i < span; ++i) {
        const int k = (half + i) * (unitK / 2);
        const uint16_t *row = static_cast<const uint16_t *>(p.src.data);
        if constexpr (normed)
          x[tile][i] = loadShared(
              reinterpret_cast<const Words4 *>(normedRows(p) + (rows[tile] + uint32_t(k))));
        else if constexpr (ragged)
          x[tile][i] =
              loadEight(row + rows[tile], k, p.parts[0].weight.desc.k - laneIndex() % 4 * 8);
        else
          x[tile][i] =
              loadGlobal(reinterpret_cast<const Words4 *>(row + (rows[tile] + uint32_t(k))));
      }
    }
  }

  /// `quanta` quanta, from unit `first` on; ragged: K does not fill them.
  template <bool ragged, class Next>
  static QRT_DEVICE void multiplyQuanta(const Params &p, Next &next, int first, int quanta,
                                        const uint32_t (&rows)[tokenTiles], GroupSums &sums,
                                        Sums &total) {
    if (quanta <= 0)
      return;
    Piece x[aheadPieces];
    auto loadAhead = [&](int unit, int at) { // of the quantum at `unit`, the pieces from `at` on
      QRT_UNROLL
      for (int piece = 0; piece < aheadPieces / 2; ++piece)
        load<ragged>(p, rows, 2 * unit + piece * span, x[at + piece]);
    };
    if constexpr (!ragged)
      loadAhead(first, 0);
    const int last = first + (quanta - 1) * Stage::quantumUnits;
    /// One quantum, whose pieces begin in x[parity * pieces] if a whole one is loaded ahead.
    auto multiplyQuantum = [&]<int parity>(int unit) {
      const uint8_t *stage = next();
      // Behind the last quantum the last one again, for nobody.
      const int ahead = unit < last ? unit + Stage::quantumUnits : unit;
      if constexpr (!ragged && quantumAhead)
        loadAhead(ahead, parity ? 0 : pieces);
      uint32_t words[panels][laneWords(format)];
      QRT_UNROLL
      for (int piece = 0; piece < pieces; ++piece) {
        const int half = piece * span, step = half % 2 * 2;
        if (half % 2 == 0) {
          QRT_UNROLL
          for (int panel = 0; panel < panels; ++panel)
            Stage::words(stage, panel, half / 2, words[panel]);
        }
        const int now = quantumAhead && !ragged ? parity * pieces + piece : piece % 2;
        if constexpr (ragged)
          load<true>(p, rows, 2 * unit + half, x[now]);
        else if constexpr (!quantumAhead)
          load<false>(p, rows, piece + 1 < pieces ? 2 * unit + half + span : 2 * ahead,
                      x[(piece + 1) % 2]);
        QRT_UNROLL
        for (int i = 0; i < 2 * span; ++i)
          multiplyStep(p, stage, unit, half / 2 * unitSteps + step + i, words, step + i, x[now], i,
                       sums, total);
      }
    };
    QRT_NO_UNROLL
    for (int unit = first; unit <= last; unit += Stage::quantumUnits) {
      multiplyQuantum.template operator()<0>(unit);
      if constexpr (!ragged && quantumAhead) {
        unit += Stage::quantumUnits;
        if (unit <= last)
          multiplyQuantum.template operator()<1>(unit);
      }
    }
  }

  /// Step `step` of a unit, which is step `ofQuantum` of the stage's quantum, whose first unit is
  /// `unit` of K, and step i of the piece of activations.
  static QRT_DEVICE void multiplyStep(const Params &p, const uint8_t *stage, int unit,
                                      int ofQuantum,
                                      const uint32_t (&words)[panels][laneWords(format)], int step,
                                      const Piece &x, int i, GroupSums &sums, Sums &total) {
    constexpr int steps = groupHalves ? 2 * groupHalves : 1; // of a group
    const bool begins = groupHalves != 0 && ofQuantum % steps == 0;
    uint32_t a[panels][4];
    QRT_UNROLL
    for (int panel = 0; panel < panels; ++panel)
      Fields::expandStep(words[panel], step, Values(), a[panel]);
    QRT_UNROLL
    for (int tile = 0; tile < tokenTiles; ++tile) {
      const Words4 &eight = x[tile][i / 2];
      const uint32_t b[2] = {eight.w[i % 2 * 2], eight.w[i % 2 * 2 + 1]};
      QRT_UNROLL
      for (int panel = 0; panel < panels; ++panel)
        multiply(sums.codes[panel][tile], a[panel], b, begins);
      if constexpr (quantized) {
        constexpr uint32_t one = twice(Magic<T>::one);
        const uint32_t ones[4] = {one, one, one, one};
        multiply(sums.tokens[tile], ones, b, begins);
      }
    }
    if (groupHalves != 0 && (ofQuantum + 1) % steps == 0) {
      const int group = ofQuantum / steps;
      // A quantum's last groups may lie beyond K.
      if (groupHalves == 4 || unit / Stage::quantumUnits * Stage::groups + group < p.groups)
        endGroup(p, stage, group, sums, total);
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
    for (int panel = 0; panel < panels; ++panel) {
      float scale[2], zero[2];
      QRT_UNROLL
      for (int row = 0; row < 2; ++row) {
        scale[row] = Stage::scale(stage, panel, group, row);
        zero[row] = p.parts[0].weight.desc.symmetric ? float(1 << (laneWords(format) - 1))
                                                     : Stage::zeroPoint(stage, panel, group, row);
      }
      scaleInto(sums, panel, scale, zero, total);
    }
  }
  /// One scale per row: from global memory, when the segment's sums are complete.
  static QRT_DEVICE void scaleChannel(const Params &p, int item, const GroupSums &sums,
                                      Sums &total) {
    QRT_UNROLL
    for (int panel = 0; panel < panels; ++panel) {
      const StreamPanel place = streamPanel<panels>(p, item, panel);
      const kernels::WeightView &w = streamPart(p, place.part).weight;
      const int last = p.lastPanel[place.part];
      const int64_t first =
          int64_t(place.panel < last ? place.panel : last) * kernels::panelRows + laneIndex() / 4;
      float scale[2], zero[2];
      QRT_UNROLL
      for (int row = 0; row < 2; ++row) {
        scale[row] = weightScale(w, first + 8 * row);
        zero[row] = w.desc.symmetric
                        ? float(1 << (laneWords(format) - 1))
                        : static_cast<float>(loadConstant(w.zeroPoints + first + 8 * row));
      }
      scaleInto(sums, panel, scale, zero, total);
    }
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_STREAMLINEAR_H
