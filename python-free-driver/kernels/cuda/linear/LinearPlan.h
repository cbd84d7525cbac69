//===- LinearPlan.h - which kernel computes a product, and on which grid -----------------===//
//
// Host side. Two kernels with tensor cores: StreamLinear (few tokens: bound by the weights' bytes)
// and TileLinear (many: bound by the tensor cores). Either may cut K in `splits`, whose partial
// sums are added in order by the block that finishes last.
//
// Workspace: linearCounters words that are zero between launches, then f32 partials
// [splits][rows][16 * panels]. The counters lie at the same place for every shape, so that products
// that follow one another on a stream can share one workspace.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_LINEARPLAN_H
#define QRT_KERNELS_CUDA_LINEAR_LINEARPLAN_H

#include "kernels/cuda/Ops.h"
#include "kernels/cuda/layout/WeightOrder.h"

#include <algorithm>

namespace qrt::cuda {

inline constexpr int64_t linearCounters = 4096;
inline constexpr int streamWarps = 8;
inline constexpr int64_t maxStreamRows = 64;

/// What the kernels need to know beside the operands.
struct LinearWork {
  int32_t units = 0, panels = 0, groups = 0; ///< of the weight
  int32_t splits = 1;
  float *partials = nullptr;
  uint32_t *counters = nullptr;
  uint32_t *faults = nullptr;
};

/// Panels that a warp of StreamLinear works on at once: two share the activations' loads where
/// these are not small beside the weights'.
constexpr int streamItemPanels(WeightFormat format, int tokenTiles) {
  return tokenTiles == 1 || !kernels::isQuantized(format) ? 1 : 2;
}
/// Units of k that it fetches at once: about 1 KB.
constexpr int streamStageUnits(WeightFormat format, int itemPanels) {
  return format == WeightFormat::U2                                 ? 4 / itemPanels
         : format == WeightFormat::U4 || format == WeightFormat::U3 ? 2 / itemPanels
                                                                    : 1;
}

struct StreamPlan {
  int tokenTiles; ///< of 8 tokens: 1, 2, 4 or 8
  int itemPanels; ///< panels that a warp works on at once
  int blocksPerMultiprocessor;
  int64_t items; ///< without splits
  int splits;
  int64_t grid;
};

inline StreamPlan planStream(const Launch &launch, const WeightDesc &desc, int64_t rows) {
  StreamPlan plan = {};
  plan.tokenTiles = rows <= 8 ? 1 : rows <= 16 ? 2 : rows <= 32 ? 4 : 8;
  plan.itemPanels = streamItemPanels(desc.format, plan.tokenTiles);
  plan.blocksPerMultiprocessor = plan.tokenTiles <= 2 ? 2 : 1;
  const UnitGeometry g = unitGeometry(desc);
  plan.items = (g.panels + plan.itemPanels - 1) / plan.itemPanels;
  const int64_t blocks =
      int64_t(std::max(launch.multiprocessors, 1)) * plan.blocksPerMultiprocessor;
  // A warp with less than one stage of work would only add to the sums.
  const int64_t most = g.units / (streamWarps * streamStageUnits(desc.format, plan.itemPanels));
  plan.splits = 1;
  if (plan.items <= linearCounters)
    plan.splits = int(std::clamp<int64_t>(blocks / plan.items, 1, std::max<int64_t>(most, 1)));
  plan.grid = std::min(plan.items * plan.splits, blocks);
  return plan;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_LINEARPLAN_H
