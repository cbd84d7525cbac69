//===- Int8Linear.h - products with 8-bit activations on integer tensor cores -----------------===//
//
// The tile of TileLinear with mma m16n8k32: unsigned codes times signed activations in int32, exact
// within a block of k (the weight's group, or 128), whose sum is then freed of the zero point by
// the activations' sum, scaled by both scales in f32 and added to the total. K is cut at whole
// pairs of units, so no block is divided between splits.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_INT8LINEAR_H
#define QRT_KERNELS_CUDA_LINEAR_INT8LINEAR_H

#include "kernels/cuda/layout/Int8Layout.h"
#include "kernels/cuda/linear/Int8Codes.h"
#include "kernels/cuda/linear/Stages.h"
#include "kernels/cuda/linear/TileFinish.h"
#include "kernels/cuda/linear/TileRing.h"

namespace qrt::cuda {

struct Int8LinearParams {
  LinearParams op;
  LinearWork work;
  Int8Geometry src;
  int32_t blockShift = 7; ///< log2 of the activations' block
};

template <WeightFormat format, int tokens>
struct Int8Linear {
  using Params = Int8LinearParams;
  using Panel = WeightStage<format, 1, 1>;
  using Codes = Int8Codes<format>;
  static constexpr int threads = 256, minBlocks = tokens <= 32 ? 2 : 1;
  static constexpr int warpTokens = tokens / 2, tiles = warpTokens / 8;
  /// Behind the codes of a stage: scales [2 blocks][tokens], then sums.
  static constexpr int codeBytes = tokens * unitK, planeBytes = 2 * tokens * 4;
  static constexpr int weightBytes = tilePanels * Panel::bytes;
  static constexpr int stageBytes = weightBytes + codeBytes + 2 * planeBytes;
  static constexpr int budget = (tokens <= 32 ? 48 : 98) * 1024 / stageBytes;
  static constexpr int stages = budget < 3 ? 3 : budget > 6 ? 6 : budget;
  static constexpr int ringBytes = stages * stageBytes > TileFinish<tokens>::bytes
                                       ? stages *stageBytes
                                       : TileFinish<tokens>::bytes;
  static constexpr int sharedBytes = ringBytes + 16;
  static_assert(sharedBytes <= 99 * 1024);

  using Sums = int32_t[tileWarpPanels][tiles][4];
  using Totals = float[tileWarpPanels][tiles][4];

  /// Starts this thread's copies of one unit.
  static QRT_DEVICE void fetch(const Params &p, uint8_t *stage, int64_t firstPanel,
                               int64_t firstToken, int unit) {
    Panel::fetch(p.op.weight, p.work, stage + warpIndex() * Panel::bytes,
                 int(firstPanel) + warpIndex(), unit, unit + 1);
    const auto *src = static_cast<const uint8_t *>(p.op.src.data);
    uint8_t *to = stage + weightBytes;
    QRT_UNROLL
    for (int at = threadIndex(); at < codeBytes / 16; at += threads) {
      const int64_t token = firstToken + at / 4;
      const bool inside = token < p.op.rows;
      copyAsync16(to + at * 16,
                  inside ? src + token * p.src.rowBytes + int64_t(unit) * unitK + at % 4 * 16 : src,
                  inside ? 16 : 0);
    }
    // Two planes of two blocks; the second block only where a unit has two.
    constexpr int planePieces = tokens / 4;
    const int block = unit * unitK >> p.blockShift;
    const int at = threadIndex(), which = at / (2 * planePieces), second = at / planePieces % 2;
    static_assert(4 * planePieces <= threads, "a thread copies one piece at most");
    if (at < 4 * planePieces) {
      const int64_t row = firstToken + at % planePieces * 4;
      const bool inside = row < p.src.planeRows && block + second < p.src.blocks;
      const int64_t from = which ? p.src.sumStart : p.src.scaleStart;
      copyAsync16(to + codeBytes + at * 16,
                  inside ? src + from + ((block + second) * p.src.planeRows + row) * 4 : src,
                  inside ? 16 : 0);
    }
  }

  static QRT_DEVICE void run(const Params &p) {
    const LinearWork &work = p.work;
    uint8_t *ring = sharedMemory();
    auto *flag = reinterpret_cast<uint32_t *>(ring + ringBytes);
    const int64_t firstToken = int64_t(blockIndex().x) * tokens;
    const int64_t firstPanel = int64_t(blockIndex().y) * tilePanels;
    const int split = blockIndex().z, pairs = (work.units + 1) / 2;
    const int first = int(int64_t(pairs) * split / work.splits) * 2;
    const int stop = int(int64_t(pairs) * (split + 1) / work.splits) * 2;
    const int end = stop < work.units ? stop : work.units;

    Sums sums = {};
    Totals total = {};
    forUnitsOfRing<stages, stageBytes>(
        ring, first, end,
        [&](uint8_t *stage, int unit) { fetch(p, stage, firstPanel, firstToken, unit); },
        [&](const uint8_t *stage, int unit) {
          multiplyUnit(p, stage, unit, unit + 1 == end, sums, total);
        });
    TileFinish<tokens>::run(p.op, work, firstPanel, firstToken, split, flag,
                            [&](int panel, int tile, int i) { return total[panel][tile][i]; });
  }

  static QRT_DEVICE void multiplyUnit(const Params &p, const uint8_t *stage, int unit, bool last,
                                      Sums &sums, Totals &total) {
    const uint8_t *panels = stage + warpIndex() % 4 * tileWarpPanels * Panel::bytes;
    const uint8_t *codes = stage + weightBytes;
    const int firstToken = warpIndex() / 4 * warpTokens;
    uint32_t words[tileWarpPanels][laneWords(format)];
    QRT_UNROLL
    for (int panel = 0; panel < tileWarpPanels; ++panel)
      Panel::words(panels + panel * Panel::bytes, 0, 0, words[panel]);
    Words4 x[tiles];
    QRT_UNROLL
    for (int tile = 0; tile < tiles; ++tile)
      x[tile] = loadShared(reinterpret_cast<const Words4 *>(
          codes + (firstToken + tile * 8 + laneIndex() / 4) * unitK + laneIndex() % 4 * 16));
    QRT_UNROLL
    for (int half = 0; half < 2; ++half) {
      QRT_UNROLL
      for (int panel = 0; panel < tileWarpPanels; ++panel) {
        uint32_t a[4];
        Codes::expandHalf(words[panel], half, a);
        QRT_UNROLL
        for (int tile = 0; tile < tiles; ++tile) {
          const uint32_t b[2] = {x[tile].w[2 * half], x[tile].w[2 * half + 1]};
          mmaU8S8(sums[panel][tile], a, b);
        }
      }
      const int second = half && p.blockShift == 5 ? 1 : 0;
      const bool ends = half == 0 ? p.blockShift == 5 : last || endsGroup(p.blockShift, unit);
      const int block = (unit * unitK >> p.blockShift) + second;
      if (ends && block < p.src.blocks) // else padding
        endBlock(p, panels, codes + codeBytes, firstToken, second, sums, total);
    }
  }

  /// total += the block's sums, scaled; they begin again.
  static QRT_DEVICE void endBlock(const Params &p, const uint8_t *panels, const uint8_t *planes,
                                  int firstToken, int second, Sums &sums, Totals &total) {
    const auto *scales = reinterpret_cast<const float *>(planes) + second * tokens + firstToken;
    const auto *sumsOfTokens =
        reinterpret_cast<const int32_t *>(planes + planeBytes) + second * tokens + firstToken;
    const WeightDesc &desc = p.op.weight.desc;
    const int group = desc.groupSize ? second : 0;
    QRT_UNROLL
    for (int panel = 0; panel < tileWarpPanels; ++panel) {
      const uint8_t *stage = panels + panel * Panel::bytes;
      const RowScales s = Panel::scales(desc.scaleType, stage, 0, group);
      const RowZeroPoints z = desc.symmetric
                                  ? RowZeroPoints{symmetricCode<format>, symmetricCode<format>}
                                  : Panel::zeroPoints(stage, 0, group);
      const float scale[2] = {s.row, s.row8 * (1.0f / Codes::highFactor)};
      const int zero[2] = {z.row, z.row8 * Codes::highFactor};
      QRT_UNROLL
      for (int tile = 0; tile < tiles; ++tile) {
        QRT_UNROLL
        for (int i = 0; i < 4; ++i) {
          const int token = tile * 8 + laneIndex() % 4 * 2 + (i & 1);
          const int32_t exact =
              sums[panel][tile][i] - zero[i >> 1] * loadShared(sumsOfTokens + token);
          total[panel][tile][i] +=
              static_cast<float>(exact) * (scale[i >> 1] * loadShared(scales + token));
          sums[panel][tile][i] = 0;
        }
      }
    }
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_INT8LINEAR_H
