//===- TileLinear.h - products of many tokens on mma.sync -----------------------------------===//
//
// A block computes 128 outputs (8 panels) of `tokens` tokens; its eight warps stand four along the
// outputs (two panels each) and two along the tokens. K advances by units of 64 through a ring of
// stages that cp.async fills: each warp fetches one panel with its scales, all fetch the
// activations' tile. Activations lie as rows of 128 bytes whose 16-byte pieces are swapped between
// the halves of odd rows, so that eight lanes read eight different bank groups. Group sums as in
// StreamLinear.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_TILELINEAR_H
#define QRT_KERNELS_CUDA_LINEAR_TILELINEAR_H

#include "kernels/cuda/linear/GroupSums.h"
#include "kernels/cuda/linear/TileFinish.h"
#include "kernels/cuda/linear/TileRing.h"

namespace qrt::cuda {

struct TileLinearParams {
  LinearParams op;
  LinearWork work;
};

template <WeightFormat format, class T, int tokens>
struct TileLinear {
  using Params = TileLinearParams;
  using Panel = WeightStage<format, 1, 1>;
  using Codes = ExactCodes<format, T>;
  static constexpr int threads = 256, minBlocks = tokens == 32 ? 2 : 1;
  static constexpr bool quantized = kernels::isQuantized(format);
  static constexpr int warpPanels = tileWarpPanels, warpTokens = tokens / 2, tiles = warpTokens / 8;
  static constexpr int tokenBytes = tokens * unitK * 2;
  static constexpr int weightBytes = tilePanels * Panel::bytes;
  static constexpr int stageBytes = weightBytes + tokenBytes;
  static constexpr int budget = (tokens == 32 ? 48 : 98) * 1024 / stageBytes;
  static constexpr int stages = budget < 3 ? 3 : budget > 6 ? 6 : budget;
  static constexpr int sharedBytes = stages * stageBytes + 16;
  static_assert(TileFinish<tokens>::bytes <= stages * stageBytes);
  static_assert(sharedBytes <= 99 * 1024);

  using OnePanel = GroupSums<format, T, Panel, 1, tiles>;
  using Sums = typename OnePanel::Sums[warpPanels];

  static QRT_DEVICE uint8_t *tokenPiece(uint8_t *tile, int token, int piece) {
    return tile + token * (unitK * 2) + (piece ^ ((token & 1) << 2)) * 16;
  }

  /// Starts this thread's copies of one unit.
  static QRT_DEVICE void fetch(const Params &p, uint8_t *stage, int64_t firstPanel,
                               int64_t firstToken, int unit) {
    Panel::fetch(p.op.weight, p.work, stage + warpIndex() * Panel::bytes,
                 int(firstPanel) + warpIndex(), unit, unit + 1);
    uint8_t *tile = stage + weightBytes;
    QRT_UNROLL
    for (int at = 0; at < tokens * 8; at += threads) {
      const int token = (at + threadIndex()) / 8, piece = (at + threadIndex()) % 8;
      const int64_t k = int64_t(unit) * unitK + piece * 8, left = p.op.weight.desc.k - k;
      const bool inside = firstToken + token < p.op.rows && left > 0;
      const auto *from = static_cast<const uint16_t *>(p.op.src.data) +
                         (inside ? (firstToken + token) * p.op.src.stride + k : 0);
      copyAsync16(tokenPiece(tile, token, piece), from,
                  !inside    ? 0
                  : left < 8 ? int(left) * 2
                             : 16);
    }
  }

  static QRT_DEVICE void run(const Params &p) {
    const LinearWork &work = p.work;
    uint8_t *ring = sharedMemory();
    auto *flag = reinterpret_cast<uint32_t *>(ring + stages * stageBytes);
    const int64_t firstToken = int64_t(blockIndex().x) * tokens;
    const int64_t firstPanel = int64_t(blockIndex().y) * tilePanels;
    const int split = blockIndex().z;
    const int first = int(int64_t(work.units) * split / work.splits);
    const int end = int(int64_t(work.units) * (split + 1) / work.splits);

    Sums sums, total;
    QRT_UNROLL
    for (int panel = 0; panel < warpPanels; ++panel) {
      OnePanel::clear(sums[panel]);
      OnePanel::clear(total[panel]);
    }
    forUnitsOfRing<stages, stageBytes>(
        ring, first, end,
        [&](uint8_t *stage, int unit) { fetch(p, stage, firstPanel, firstToken, unit); },
        [&](uint8_t *stage, int unit) {
          multiplyUnit(p, stage, unit, unit + 1 == end, sums, total);
        });
    TileFinish<tokens>::run(
        p.op, work, firstPanel, firstToken, split, flag,
        [&](int panel, int tile, int i) { return (quantized ? total : sums)[panel][0][tile][i]; });
  }

  static QRT_DEVICE void multiplyUnit(const Params &p, uint8_t *stage, int unit, bool last,
                                      Sums &sums, Sums &total) {
    const kernels::WeightView &weight = p.op.weight;
    const int groupShift = p.work.groupShift;
    const uint8_t *panels = stage + warpIndex() % 4 * warpPanels * Panel::bytes;
    uint8_t *tile = stage + weightBytes;
    const int token = warpIndex() / 4 * warpTokens + laneIndex() / 4;
    uint32_t words[warpPanels][laneWords(format)];
    Codes codes[warpPanels][1];
    QRT_UNROLL
    for (int panel = 0; panel < warpPanels; ++panel) {
      Panel::words(panels + panel * Panel::bytes, 0, 0, words[panel]);
      OnePanel::readZeroPoints(weight, panels + panel * Panel::bytes, 0, codes[panel]);
    }
    int group = 0;
    QRT_UNROLL
    for (int half = 0; half < 2; ++half) {
      Words4 x[tiles];
      QRT_UNROLL
      for (int i = 0; i < tiles; ++i)
        x[i] = loadShared(reinterpret_cast<const Words4 *>(
            tokenPiece(tile, token + 8 * i, 4 * half + laneIndex() % 4)));
      QRT_UNROLL
      for (int panel = 0; panel < warpPanels; ++panel) {
        QRT_UNROLL
        for (int step = 0; step < 2; ++step) {
          uint32_t a[4];
          CodeFields<format, T>::expandStep(words[panel], 2 * half + step, codes[panel][0], a);
          QRT_UNROLL
          for (int i = 0; i < tiles; ++i) {
            const uint32_t b[2] = {x[i].w[2 * step], x[i].w[2 * step + 1]};
            T::mma(sums[panel][0][i], a, b);
          }
        }
      }
      if constexpr (quantized) {
        const bool ends = half == 0 ? groupShift == 5 : last || endsGroup(groupShift, unit);
        if (ends) {
          QRT_UNROLL
          for (int panel = 0; panel < warpPanels; ++panel)
            OnePanel::endGroup(weight, panels + panel * Panel::bytes, group, sums[panel],
                               total[panel]);
          if (half == 0 &&
              firstGroupOf(groupShift, unit) + 1 < p.work.groups) { // else the rest is padding
            group = 1;
            QRT_UNROLL
            for (int panel = 0; panel < warpPanels; ++panel)
              OnePanel::readZeroPoints(weight, panels + panel * Panel::bytes, group, codes[panel]);
          }
        }
      }
    }
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_TILELINEAR_H
