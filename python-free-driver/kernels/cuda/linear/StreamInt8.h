//===- StreamInt8.h - products of few tokens with 8-bit activations -------------------------===//
//
// Streams as StreamLinear does (StreamRun.h), with mma m16n8k32: codes, masked to bytes
// (Int8Codes.h), times the codes that Quantize wrote (Int8Layout.h), in int32. A block of k (the
// weight's group, or 128) is whole in a quantum, so its sum is exact; it is then freed of the zero
// point by the sum of the activations' codes, scaled by both scales in f32 and added to the total,
// by the operations of Int8Linear.
//
// Of activations a lane loads 16 bytes per unit and token of its column, and per block the scales
// and sums of its two tokens, straight from L1/L2: into registers that have just been used, so a
// quantum ahead (scales of groups of 32: two blocks). Their padding ends with the last quantum: K
// has no ragged end.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STREAMINT8_H
#define QRT_KERNELS_CUDA_LINEAR_STREAMINT8_H

#include "kernels/cuda/linear/Int8Codes.h"
#include "kernels/cuda/linear/StreamRun.h"
#include "kernels/cuda/linear/WeightElement.h"

namespace qrt::cuda {

/// src.data: what Quantize wrote for `rows` rows.
struct StreamInt8Params : StreamLinearParams {
  int32_t rowBytes, planeRows; ///< Int8Geometry
  int32_t scaleStart, sumStart;
};

template <WeightFormat format, int tokenTiles, int groupHalves>
struct StreamInt8 {
  using Params = StreamInt8Params;
  using Run = StreamRun<format, tokenTiles, groupHalves>;
  using Stage = typename Run::Stage;
  using Ring = typename Run::Ring;
  using Codes = Int8Codes<format>;
  static constexpr int panels = Run::panels;
  static constexpr int threads = 32 * Run::maxWarps, minBlocks = 1;
  static constexpr bool waitsItself = true;
  static constexpr int sharedBytes(int warps, int rows) { return Run::bytes(warps, rows); }

  using Sums = int32_t[panels][tokenTiles][4]; ///< registers as mma's C
  using Totals = typename Run::Sums;
  static constexpr int units = Stage::quantumUnits;
  static constexpr int blockHalves = groupHalves ? groupHalves : 2 * units;
  static constexpr int blocks = 2 * units / blockHalves; ///< of a quantum
  static constexpr int slots = blocks < 2 ? blocks : 2;  ///< that are loaded at a time

  /// What a lane knows of a block of its tokens 2t and 2t + 1.
  struct TokenBlock {
    Words2 scales[tokenTiles], sums[tokenTiles];
  };
  /// Of its rows p and p + 8 of every panel; row p + 8 as Int8Codes leaves it.
  struct RowBlock {
    float scale[panels][2];
    int zero[panels][2];
  };

  /// Where a lane finds the activations, in bytes from src.data on.
  struct Tokens {
    uint32_t codes[tokenTiles], scales[tokenTiles];

    /// Tokens that do not exist are copies of the first: nobody takes their sums.
    QRT_DEVICE explicit Tokens(const Params &p) {
      QRT_UNROLL
      for (int tile = 0; tile < tokenTiles; ++tile) {
        const int column = tile * 8 + laneIndex() / 4, pair = tile * 8 + laneIndex() % 4 * 2;
        codes[tile] =
            uint32_t(column < p.rows ? column : 0) * uint32_t(p.rowBytes) + laneIndex() % 4 * 16;
        scales[tile] = uint32_t(p.scaleStart) + uint32_t(pair < p.rows ? pair : 0) * 4;
      }
    }
    QRT_DEVICE void load(const Params &p, int unit, Words4 (&x)[tokenTiles]) const {
      QRT_UNROLL
      for (int tile = 0; tile < tokenTiles; ++tile)
        x[tile] = loadGlobal(reinterpret_cast<const Words4 *>(
            static_cast<const uint8_t *>(p.src.data) + (codes[tile] + uint32_t(unit * unitK))));
    }
    /// A quantum's last blocks may lie beyond K: the last one again, for nobody.
    QRT_DEVICE void load(const Params &p, int block, TokenBlock &to) const {
      if (blocks > 1)
        block = block < p.groups ? block : p.groups - 1;
      const uint32_t at = uint32_t(block) * uint32_t(p.planeRows) * 4;
      QRT_UNROLL
      for (int tile = 0; tile < tokenTiles; ++tile) {
        const uint8_t *from = static_cast<const uint8_t *>(p.src.data) + (scales[tile] + at);
        to.scales[tile] = loadGlobal(reinterpret_cast<const Words2 *>(from));
        to.sums[tile] =
            loadGlobal(reinterpret_cast<const Words2 *>(from + (p.sumStart - p.scaleStart)));
      }
    }
  };

  static QRT_DEVICE void run(const Params &p) {
    Run::run(
        p, [&] { return Tokens(p); },
        [&](Ring &ring, const StreamSegment &segment, const Tokens &tokens, Totals &total) {
          sumSegment(p, ring, tokens, segment, total);
        });
  }

  static QRT_DEVICE void sumSegment(const Params &p, Ring &ring, const Tokens &tokens,
                                    const StreamSegment &segment, Totals &total) {
    QRT_UNROLL
    for (int panel = 0; panel < panels; ++panel) {
      QRT_UNROLL
      for (int tile = 0; tile < tokenTiles; ++tile)
        total[panel][tile][0] = total[panel][tile][1] = total[panel][tile][2] =
            total[panel][tile][3] = 0.0f;
    }
    const int first = firstQuantum(p, segment), end = first + quantaOf(p, segment);
    if (first >= end)
      return;
    RowBlock rows;
    if constexpr (groupHalves == 0)
      channelRows(p, segment.item, rows);
    Words4 x[units][tokenTiles];
    TokenBlock block[slots];
    QRT_UNROLL
    for (int unit = 0; unit < units; ++unit)
      tokens.load(p, first * units + unit, x[unit]);
    QRT_UNROLL
    for (int i = 0; i < slots; ++i)
      tokens.load(p, first * blocks + i, block[i]);
    QRT_NO_UNROLL
    for (int quantum = first; quantum < end; ++quantum) {
      const uint8_t *stage = ring.next(p);
      // Behind the last quantum the last one again, for nobody.
      const int ahead = quantum + 1 < end ? quantum + 1 : quantum;
      Sums sums;
      QRT_UNROLL
      for (int unit = 0; unit < units; ++unit) {
        uint32_t words[panels][laneWords(format)];
        QRT_UNROLL
        for (int panel = 0; panel < panels; ++panel)
          Stage::words(stage, panel, unit, words[panel]);
        QRT_UNROLL
        for (int half = 0; half < 2; ++half) {
          const int ofQuantum = 2 * unit + half;
          multiplyHalf(words, half, x[unit], ofQuantum % blockHalves == 0, sums);
          if ((ofQuantum + 1) % blockHalves != 0)
            continue;
          const int i = ofQuantum / blockHalves;
          if (blocks == 1 || quantum * blocks + i < p.groups) {
            if constexpr (groupHalves != 0)
              stageRows(p, stage, i, rows);
            endBlock(rows, block[i % slots], sums, total);
          }
          const int next = i + slots;
          tokens.load(p, next < blocks ? quantum * blocks + next : ahead * blocks + next - blocks,
                      block[i % slots]);
        }
        tokens.load(p, ahead * units + unit, x[unit]);
      }
    }
  }

  /// 32 of k.
  static QRT_DEVICE void multiplyHalf(const uint32_t (&words)[panels][laneWords(format)], int half,
                                      const Words4 (&x)[tokenTiles], bool begins, Sums &sums) {
    QRT_UNROLL
    for (int panel = 0; panel < panels; ++panel) {
      uint32_t a[4];
      Codes::expandHalf(words[panel], half, a);
      QRT_UNROLL
      for (int tile = 0; tile < tokenTiles; ++tile) {
        int32_t (&sum)[4] = sums[panel][tile];
        if (begins)
          sum[0] = sum[1] = sum[2] = sum[3] = 0;
        const uint32_t b[2] = {x[tile].w[2 * half], x[tile].w[2 * half + 1]};
        mmaU8S8(sum, a, b);
      }
    }
  }

  /// total += the block's sums, without zero points and scaled.
  static QRT_DEVICE void endBlock(const RowBlock &rows, const TokenBlock &tokens, const Sums &sums,
                                  Totals &total) {
    QRT_UNROLL
    for (int panel = 0; panel < panels; ++panel) {
      QRT_UNROLL
      for (int tile = 0; tile < tokenTiles; ++tile) {
        QRT_UNROLL
        for (int i = 0; i < 4; ++i) {
          // Unsigned: the sums of a token that does not exist may be anything.
          const uint32_t zeros = uint32_t(rows.zero[panel][i >> 1]) * tokens.sums[tile].w[i & 1];
          const auto exact = static_cast<int32_t>(uint32_t(sums[panel][tile][i]) - zeros);
          total[panel][tile][i] +=
              static_cast<float>(exact) *
              (rows.scale[panel][i >> 1] * floatOfBits(tokens.scales[tile].w[i & 1]));
        }
      }
    }
  }

  static QRT_DEVICE void setRow(RowBlock &rows, int panel, int row, float scale, int zero) {
    rows.scale[panel][row] = row ? scale * (1.0f / Codes::highFactor) : scale;
    rows.zero[panel][row] = row ? zero * Codes::highFactor : zero;
  }

  /// Of group `group` of the stage.
  static QRT_DEVICE void stageRows(const Params &p, const uint8_t *stage, int group,
                                   RowBlock &rows) {
    QRT_UNROLL
    for (int panel = 0; panel < panels; ++panel) {
      QRT_UNROLL
      for (int row = 0; row < 2; ++row)
        setRow(rows, panel, row, Stage::scale(stage, panel, group, row),
               p.parts[0].weight.desc.symmetric ? kernels::symmetricZeroPoint(format)
                                                : Stage::zeroCode(stage, panel, group, row));
    }
  }
  /// One scale per row: from global memory, once per segment.
  static QRT_DEVICE void channelRows(const Params &p, int item, RowBlock &rows) {
    QRT_UNROLL
    for (int panel = 0; panel < panels; ++panel) {
      const StreamPanel place = streamPanel<panels>(p, item, panel);
      const kernels::WeightView &w = streamPart(p, place.part).weight;
      const int64_t at = int64_t(heldPanel(p, place)) * kernels::panelRows + laneIndex() / 4;
      QRT_UNROLL
      for (int row = 0; row < 2; ++row)
        setRow(rows, panel, row, weightScale(w, at + 8 * row),
               w.desc.symmetric ? kernels::symmetricZeroPoint(format)
                                : int(loadConstant(w.zeroPoints + at + 8 * row)));
    }
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_STREAMINT8_H
