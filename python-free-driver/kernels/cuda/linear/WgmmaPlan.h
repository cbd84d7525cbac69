//===- WgmmaPlan.h - how WgmmaLinear cuts a product into blocks of work ------------------===//
//
// Host and device. A block stays for the whole launch and takes every gridth item. Items are whole
// tiles first, as many as fill the multiprocessors evenly; the tiles left over are cut along K in
// `splits` items each, so that the last wave is full as well. Their partial sums are added in order
// by the block that comes last.
//
// Workspace: the counters of Tickets.h (two per cut tile), then f32 partials
// [cut tile][split][warpgroup][register / 4][thread][4].
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_WGMMAPLAN_H
#define QRT_KERNELS_CUDA_LINEAR_WGMMAPLAN_H

#include "kernels/cuda/linear/LinearPlan.h"

namespace qrt::cuda {

inline constexpr int wgmmaPanels = 16; ///< of a tile: two warpgroups with two blocks of 64 outputs
inline constexpr int wgmmaOutputs = wgmmaPanels * kernels::panelRows;

struct WgmmaPlan {
  int32_t tokens;      ///< of a tile: 32, 64 or 128
  int32_t tokenBlocks; ///< tiles along the tokens, consecutive ones are next to each other
  int32_t wholeTiles, cutTiles, splits;
  int32_t items;
  bool lagging; ///< WgmmaLinearParams

  constexpr int64_t partialFloats() const {
    return splits == 1 ? 0 : int64_t(cutTiles) * splits * tokens * wgmmaOutputs;
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

inline WgmmaPlan planWgmma(const Launch &launch, const WeightDesc &desc, int64_t rows) {
  WgmmaPlan plan = {};
  plan.tokens = rows <= 32 ? 32 : rows <= 64 ? 64 : 128;
  plan.tokenBlocks = int32_t((rows + plan.tokens - 1) / plan.tokens);
  const UnitGeometry g = unitGeometry(desc);
  const int64_t tiles = plan.tokenBlocks * ((g.panels + wgmmaPanels - 1) / wgmmaPanels);
  const int64_t blocks = std::max(launch.multiprocessors, 1);
  const int64_t rest = tiles % blocks;
  // Each split costs a write and a read of a tile's sums: a few units' time.
  const int64_t most = std::clamp<int64_t>(g.units / 4, 1, 16);
  double best = 0;
  for (int64_t splits = 1; rest > 0 && splits <= most; ++splits) {
    const int64_t waves = (rest * splits + blocks - 1) / blocks;
    const double time = double(waves) / double(splits) +
                        (splits > 1 ? 0.04 + 0.5 * double(splits) / double(g.units) : 0.0);
    if (splits == 1 || time < best) {
      best = time;
      plan.splits = int32_t(splits);
    }
  }
  plan.splits = std::max(plan.splits, 1);
  plan.cutTiles = plan.splits > 1 ? int32_t(rest) : 0;
  plan.wholeTiles = int32_t(tiles - plan.cutTiles);
  plan.items = plan.wholeTiles + plan.cutTiles * plan.splits;
  return plan;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_WGMMAPLAN_H
