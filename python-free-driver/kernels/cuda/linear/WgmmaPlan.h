//===- WgmmaPlan.h - how WgmmaLinear cuts a product into blocks of work ------------------===//
//
// Host and device. A block stays for the whole launch and takes every gridth item. Items are whole
// tiles first, as many as fill the multiprocessors evenly; the tiles left over are cut along K in
// `splits` items each, so that the last wave is full as well. Their partial sums are added in order
// by the block that comes last.
//
// Workspace: the counters of Tickets.h (two per cut tile), then f32 partials
// [cut tile][split][warpgroup][register / 4][thread][4], then the activations as WgmmaTokens.h
// writes them.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_WGMMAPLAN_H
#define QRT_KERNELS_CUDA_LINEAR_WGMMAPLAN_H

#include "kernels/cuda/layout/WgmmaTile.h"
#include "kernels/cuda/linear/LinearPlan.h"

namespace qrt::cuda {

inline constexpr int wgmmaPanels = 16; ///< of a tile: two warpgroups with two blocks of 64 outputs
inline constexpr int wgmmaOutputs = wgmmaPanels * kernels::panelRows;

struct WgmmaPlan {
  int32_t tokens;      ///< of a tile: 32, 64 or 128
  int32_t tokenBlocks; ///< tiles along the tokens, consecutive ones are next to each other
  int32_t wholeTiles, cutTiles, splits;
  int32_t items;

  constexpr int64_t partialFloats() const {
    return splits == 1 ? 0 : int64_t(cutTiles) * splits * tokens * wgmmaOutputs;
  }
  constexpr int64_t tokenBytes(int64_t units) const {
    return int64_t(tokenBlocks) * tokens * units * wgmmaLineBytes;
  }
};

struct WgmmaItem {
  int32_t tile, split, splits;
};
constexpr WgmmaItem wgmmaItem(const WgmmaPlan &plan, int32_t item) {
  if (item < plan.wholeTiles)
    return {item, 0, 1};
  const int32_t at = item - plan.wholeTiles;
  return {plan.wholeTiles + at / plan.splits, at % plan.splits, plan.splits};
}
/// First unit of k of a split.
constexpr int wgmmaFirstUnit(int units, int split, int splits) {
  return int(int64_t(units) * split / splits);
}

/// Weights are rounded to f16 once scaled, so f32 scales would lose; 16-bit weights come with
/// activations of their type.
inline bool wgmmaTakes(const Launch &launch, const WeightDesc &desc, DType type, int64_t rows) {
  const bool typed = kernels::isQuantized(desc.format)
                         ? type == DType::F16 && desc.scaleType == kernels::ScaleType::F16
                         : type == (desc.format == WeightFormat::F16 ? DType::F16 : DType::BF16);
  return launch.capability == 90 && launch.sharedBytesPerBlock >= 227 * 1024 && typed &&
         rows > maxStreamRows;
}

/// Of `rows` in tiles of `tokens`. Time is counted in units of k of one 256 x 128 tile, of which a
/// multiprocessor of an H200 does one in about 1000 cycles; `time` (if not null) is the plan's.
inline WgmmaPlan planWgmmaTokens(const Launch &launch, const WeightDesc &desc, int64_t rows,
                                 int tokens, double *time) {
  WgmmaPlan plan = {};
  plan.tokens = tokens;
  plan.tokenBlocks = int32_t((rows + tokens - 1) / tokens);
  const UnitGeometry g = unitGeometry(desc);
  const int64_t tiles = plan.tokenBlocks * ((g.panels + wgmmaPanels - 1) / wgmmaPanels);
  const int64_t blocks = std::max(launch.multiprocessors, 1);
  const int64_t rest = tiles % blocks;
  const double units = double(g.units);
  // Small tiles wait for weights and for their scaling; 16-bit weights are four times the bytes.
  const double unit = (tokens <= 32   ? 0.55
                       : tokens <= 64 ? 0.65
                                      : 1.0) +
                      (kernels::isQuantized(desc.format) || tokens >= 128 ? 0.0 : 0.2);
  // A tile's sums are stored in about the time of `finish` units, through partial sums in that of
  // `write` for each part and `read` for each that the last one adds.
  constexpr double finish = 6, write = 8, read = 3;
  double best = 0;
  plan.splits = 1;
  const int64_t most = rest > ticketCounters / 2 ? 1 : std::clamp<int64_t>(g.units / 4, 1, 16);
  for (int64_t splits = 1; rest > 0 && splits <= most; ++splits) {
    const double waves = double((rest * splits + blocks - 1) / blocks);
    const double cost =
        splits == 1 ? units + finish
                    : waves * (units / double(splits) + write) + read * double(splits) + finish;
    if (splits == 1 || cost < best) {
      best = cost;
      plan.splits = int32_t(splits);
    }
  }
  plan.cutTiles = plan.splits > 1 ? int32_t(rest) : 0;
  plan.wholeTiles = int32_t(tiles - plan.cutTiles);
  plan.items = plan.wholeTiles + plan.cutTiles * plan.splits;
  if (time)
    *time = unit * (double(tiles / blocks) * (units + finish) + best);
  return plan;
}

/// The fastest by that count: narrower tiles where wider ones would leave multiprocessors idle.
inline WgmmaPlan planWgmma(const Launch &launch, const WeightDesc &desc, int64_t rows) {
  WgmmaPlan best = {};
  double least = 0;
  for (int tokens : {128, 64, 32}) {
    if (tokens > 32 && rows <= tokens / 2)
      continue;
    double time = 0;
    const WgmmaPlan plan = planWgmmaTokens(launch, desc, rows, tokens, &time);
    if (best.tokens == 0 || time < least) {
      least = time;
      best = plan;
    }
  }
  return best;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_WGMMAPLAN_H
