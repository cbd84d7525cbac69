//===- StreamProduct.h - what a warp of StreamLinear computes from its ring ------------------===//
//
// Sums of quanta of K for itemPanels panels and 8 * tokenTiles tokens, in registers as mma's C.
// Instructions are as scarce as bytes here (docs/cuda.md), so codes are not dequantized: fields are
// masked and multiplied as they are (RawCodes), sums of the activations are taken by products with
// a matrix of ones, and each group's sums are corrected and scaled in f32 when the group ends.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STREAMPRODUCT_H
#define QRT_KERNELS_CUDA_LINEAR_STREAMPRODUCT_H

#include "kernels/cuda/linear/Activations.h"
#include "kernels/cuda/linear/Dequantize.h"
#include "kernels/cuda/linear/StreamFinish.h"
#include "kernels/cuda/linear/WeightElement.h"

namespace qrt::cuda {

/// shared: the activations lie in shared memory, with zeros behind K up to a whole quantum.
template <WeightFormat format, class T, int tokenTiles, int groupHalves, bool shared>
struct StreamProduct {
  using Params = StreamLinearParams;
  static constexpr int panels = streamItemPanels(format);
  static constexpr bool quantized = kernels::isQuantized(format);
  using Stage = StreamStage<format, panels, groupHalves>;
  using Fields = CodeFields<format, T>;
  using Values = RawCodes<format, T>;
  using Sums = typename StreamFinish<panels, tokenTiles>::Sums;
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

  /// Where the lane's rows begin: elements behind `base`.
  struct Rows {
    const uint16_t *base;
    uint32_t at[tokenTiles];

    /// Tokens that do not exist are copies of the first: nobody takes their sums.
    QRT_DEVICE Rows(const Params &p, const uint16_t *base, uint32_t stride) : base(base) {
      QRT_UNROLL
      for (int tile = 0; tile < tokenTiles; ++tile) {
        const int token = tile * 8 + laneIndex() / 4;
        at[tile] = uint32_t(token < p.rows ? token : 0) * stride + uint32_t(laneIndex() % 4 * 8);
      }
    }
  };

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

  /// total = the sums of a segment's quanta, scaled.
  template <class Ring>
  static QRT_DEVICE void sumSegment(const Params &p, Ring &ring, const StreamSegment &segment,
                                    const Rows &rows, Sums &total) {
    clear(total);
    const int first = firstQuantum(p, segment) * Stage::quantumUnits;
    GroupSums sums = {};
    const int quanta = quantaOf(p, segment), end = firstQuantum(p, segment) + quanta;
    const int ragged = !shared && end > p.fullQuanta ? 1 : 0; // the last one
    multiplyQuanta<false>(p, ring, first, quanta - ragged, rows, sums, total);
    if (!shared && quanta > 0 && ragged)
      multiplyQuanta<true>(p, ring, first + (quanta - 1) * Stage::quantumUnits, 1, rows, sums,
                           total);
    if constexpr (!quantized) {
      QRT_UNROLL
      for (int panel = 0; panel < panels; ++panel) {
        QRT_UNROLL
        for (int tile = 0; tile < tokenTiles; ++tile) {
          QRT_UNROLL
          for (int i = 0; i < 4; ++i)
            total[panel][tile][i] = sums.codes[panel][tile][i];
        }
      }
    } else if constexpr (groupHalves == 0) {
      scaleChannel(p, segment.item, sums, total);
    }
  }

private:
  /// The lane's activations from half `half` of K on; ragged: zeros beyond K.
  template <bool ragged>
  static QRT_DEVICE void load(const Params &p, const Rows &rows, int half, Piece &x) {
    // Of global memory the parameter itself, which costs no registers.
    const uint16_t *base = shared ? rows.base : static_cast<const uint16_t *>(p.src.data);
    QRT_UNROLL
    for (int tile = 0; tile < tokenTiles; ++tile) {
      QRT_UNROLL
      for (int i = 0; i < span; ++i) {
        const int k = (half + i) * (unitK / 2);
        if constexpr (shared)
          x[tile][i] =
              loadShared(reinterpret_cast<const Words4 *>(base + (rows.at[tile] + uint32_t(k))));
        else if constexpr (ragged)
          x[tile][i] =
              loadEight(base + rows.at[tile], k, p.parts[0].weight.desc.k - laneIndex() % 4 * 8);
        else
          x[tile][i] =
              loadGlobal(reinterpret_cast<const Words4 *>(base + (rows.at[tile] + uint32_t(k))));
      }
    }
  }

  /// `quanta` quanta, from unit `first` on; ragged: K does not fill them.
  template <bool ragged, class Ring>
  static QRT_DEVICE void multiplyQuanta(const Params &p, Ring &ring, int first, int quanta,
                                        const Rows &rows, GroupSums &sums, Sums &total) {
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
      const uint8_t *stage = ring.next(p);
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
    if constexpr (!quantumAhead && !shared && groupHalves < 4)
      syncWarp(); // keeps the scales from being loaded ahead: there are no registers for them
    QRT_UNROLL
    for (int panel = 0; panel < panels; ++panel) {
      float scale[2], zero[2];
      QRT_UNROLL
      for (int row = 0; row < 2; ++row) {
        scale[row] = Stage::scale(stage, panel, group, row);
        zero[row] = p.parts[0].weight.desc.symmetric ? float(kernels::symmetricZeroPoint(format))
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
      const int64_t first = int64_t(heldPanel(p, place)) * kernels::panelRows + laneIndex() / 4;
      float scale[2], zero[2];
      QRT_UNROLL
      for (int row = 0; row < 2; ++row) {
        scale[row] = weightScale(w, first + 8 * row);
        zero[row] = w.desc.symmetric
                        ? float(kernels::symmetricZeroPoint(format))
                        : static_cast<float>(loadConstant(w.zeroPoints + first + 8 * row));
      }
      scaleInto(sums, panel, scale, zero, total);
    }
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_STREAMPRODUCT_H
