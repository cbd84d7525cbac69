//===- LinearPlan.h - which kernel computes a product, and on which grid -----------------===//
//
// Host side. Two kernels with tensor cores: StreamLinear (few tokens: bound by the weights' bytes)
// and TileLinear (many: bound by the tensor cores). Either may cut K in `splits`, whose partial
// sums are added in order by the block that finishes last.
//
// Workspace: the counters of Tickets.h, then f32 partials [splits][rows][16 * panels].
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_LINEARPLAN_H
#define QRT_KERNELS_CUDA_LINEAR_LINEARPLAN_H

#include "kernels/cuda/Ops.h"
#include "kernels/cuda/device/Tickets.h"
#include "kernels/cuda/layout/WeightOrder.h"

#include <algorithm>

namespace qrt::cuda {

inline constexpr int streamWarps = 8;
/// Beyond, TileLinear: a warp's own loads of activations, once per 32 outputs, would outweigh the
/// weights' bytes.
inline constexpr int64_t maxStreamRows = 16;
inline constexpr int tilePanels = 8; ///< of TileLinear's block

/// groupShift of weights with one scale per row: any k shifted by it is group 0.
inline constexpr int noGroups = 31;

/// The group of unit `unit`'s first k, and whether a group ends where the unit does.
constexpr int firstGroupOf(int groupShift, int unit) { return unit * unitK >> groupShift; }
constexpr bool endsGroup(int groupShift, int unit) {
  return ((unit + 1) * unitK & static_cast<int>((1u << groupShift) - 1)) == 0;
}

/// What the kernels need to know beside the operands.
struct LinearWork {
  int32_t units = 0, panelUnits = 0, panels = 0, groups = 0; ///< of the weight (UnitGeometry)
  int32_t groupShift = noGroups;                             ///< log2 of the group's k
  int32_t splits = 1;
  float *partials = nullptr;
  uint32_t *counters = nullptr;
  uint32_t *faults = nullptr;
};

/// Panels that a warp of StreamLinear works on at once: two share the loads and the sums of
/// activations where these are not small beside the weights' and the registers suffice.
constexpr int streamItemPanels(WeightFormat format, DType type, int tokenTiles, int groupHalves) {
  const bool worth = format == WeightFormat::U2 || (tokenTiles == 2 && laneWords(format) < 8);
  return worth && type == DType::F16 && (groupHalves == 0 || groupHalves == 4) ? 2 : 1;
}
/// K is cut in quanta: two units are whole groups of any size.
constexpr int streamQuantumUnits(WeightFormat format) {
  return kernels::isQuantized(format) ? 2 : 1;
}
/// Quanta that a warp fetches at once: 1 to 2 KB.
constexpr int streamStageQuanta(WeightFormat format, int itemPanels) {
  return format == WeightFormat::U2 || (itemPanels == 1 && laneWords(format) < 8) ? 2 : 1;
}
/// Group sizes have instances of their own, in units of 32; 0: one scale per row.
constexpr int streamGroupHalves(const WeightDesc &desc) {
  return kernels::isQuantized(desc.format) ? desc.groupSize / 32 : 0;
}
/// What StreamLinear takes; TileLinear takes everything.
inline bool streamTakes(const WeightDesc &desc, DType type, int64_t rows) {
  return rows <= maxStreamRows && type != DType::I8 &&
         (streamGroupHalves(desc) == 0 || desc.scaleType == kernels::ScaleType::F16);
}

struct StreamPlan {
  int tokenTiles; ///< of 8 tokens: 1 or 2
  int itemPanels; ///< panels that a warp works on at once
  int64_t items;  ///< without splits
  int splits;
  int64_t grid;
};

inline StreamPlan planStream(const Launch &launch, const WeightDesc &desc, DType type,
                             int64_t rows) {
  StreamPlan plan = {};
  plan.tokenTiles = rows <= 8 ? 1 : 2;
  plan.itemPanels = streamItemPanels(desc.format, type, plan.tokenTiles, streamGroupHalves(desc));
  const UnitGeometry g = unitGeometry(desc);
  plan.items = (g.panels + plan.itemPanels - 1) / plan.itemPanels;
  const int64_t blocks = 2 * int64_t(std::max(launch.multiprocessors, 1)); // two fit at a time
  // A warp with less than one stage of work would only add to the sums.
  const int64_t stageUnits =
      streamStageQuanta(desc.format, plan.itemPanels) * int64_t(streamQuantumUnits(desc.format));
  const int64_t most = g.units / (streamWarps * stageUnits);
  plan.splits = 1;
  if (plan.items <= ticketCounters)
    plan.splits = int(std::clamp<int64_t>(blocks / plan.items, 1, std::max<int64_t>(most, 1)));
  plan.grid = std::min(plan.items * plan.splits, blocks);
  return plan;
}

struct TilePlan {
  int tokens; ///< of a block: 32 (I8: 16), 64 or 128
  int64_t tokenBlocks, panelBlocks;
  int splits;
};

inline TilePlan planTile(const Launch &launch, const WeightDesc &desc, DType type, int64_t rows) {
  TilePlan plan = {};
  const int least = type == DType::I8 ? 16 : 32;
  plan.tokens = rows <= least ? least : rows <= 64 ? 64 : 128;
  plan.tokenBlocks = (rows + plan.tokens - 1) / plan.tokens;
  const UnitGeometry g = unitGeometry(desc);
  plan.panelBlocks = (g.panels + tilePanels - 1) / tilePanels;
  // With fewer tiles than multiprocessors K is cut, down to eight units: the ring must fill.
  const int64_t tiles = plan.tokenBlocks * plan.panelBlocks;
  const int64_t blocks = int64_t(std::max(launch.multiprocessors, 1)) * (plan.tokens <= 32 ? 2 : 1);
  plan.splits = 1;
  if (tiles <= ticketCounters)
    plan.splits = int(std::clamp<int64_t>(blocks / tiles, 1, std::max<int64_t>(g.units / 8, 1)));
  return plan;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_LINEARPLAN_H
