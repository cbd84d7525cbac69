//===- LinearPlan.h - which kernel computes a product, and on which grid -----------------===//
//
// Host side. Two kernels with tensor cores: StreamLinear (few tokens: bound by the weights' bytes)
// and TileLinear (many: bound by the tensor cores), for 8-bit activations StreamInt8 and
// Int8Linear. Either may cut K in `splits`, whose partial sums are added in order by the block that
// finishes last.
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

/// Beyond, TileLinear: a warp's own loads of activations, once per 32 outputs, would outweigh the
/// weights' bytes.
inline constexpr int64_t maxStreamRows = maxGroupRows;
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
/// activations, and are a gate and its up in a gated product.
constexpr int streamItemPanels(WeightFormat format) { return kernels::isQuantized(format) ? 2 : 1; }
/// K is cut in quanta: two units are whole groups of any size.
constexpr int streamQuantumUnits(WeightFormat format) {
  return kernels::isQuantized(format) ? 2 : 1;
}
constexpr int64_t streamQuanta(const WeightDesc &desc) {
  const int64_t quantumK = streamQuantumUnits(desc.format) * unitK;
  return std::max<int64_t>((desc.k + quantumK - 1) / quantumK, 1);
}
/// Of a block; the ring of 16 takes 100 KB, of which a multiprocessor of sm_90 has two. Two panels
/// of 8-bit codes are twice a stage.
constexpr int maxStreamWarps(WeightFormat format) { return format == WeightFormat::U8 ? 8 : 16; }
constexpr int streamWarps(WeightFormat format, int sharedBytesPerBlock) {
  return maxStreamWarps(format) / (sharedBytesPerBlock >= 160 * 1024 ? 1 : 2);
}
/// Group sizes have instances of their own, in units of 32; 0: one scale per row.
constexpr int streamGroupHalves(const WeightDesc &desc) {
  return kernels::isQuantized(desc.format) ? desc.groupSize / 32 : 0;
}
/// With codes times bf16, which no engine asks for, the registers suffice for eight rows only.
constexpr int64_t streamRows(WeightFormat format, DType type) {
  return kernels::isQuantized(format) && type == DType::BF16 ? 8 : maxStreamRows;
}
/// What StreamLinear takes, or of I8 StreamInt8; TileLinear and Int8Linear take everything.
inline bool streamTakes(const WeightDesc &desc, DType type, int64_t rows) {
  return (type != DType::I8 || kernels::isQuantized(desc.format)) &&
         rows <= streamRows(desc.format, type) &&
         (streamGroupHalves(desc) == 0 || desc.scaleType == kernels::ScaleType::F16);
}

/// Items are cut in `splits` slices of `sliceQuanta`; blocks take runs of slices, and warps even
/// runs of their block's quanta. The same for any number of rows, so that a row's sums are too, up
/// to the rows that ResidentLinear takes, whose plan is again one for all of them.
struct StreamPlan {
  int warps, splits, sliceQuanta;
  int64_t grid;
};

/// items: of streamItemPanels (of all parts of a group).
inline StreamPlan planStream(const Launch &launch, const WeightDesc &desc, int64_t items) {
  const int64_t quanta = streamQuanta(desc), blocks = std::max(launch.multiprocessors, 1);
  StreamPlan plan = {streamWarps(desc.format, launch.sharedBytesPerBlock), 1, int(quanta), 0};
  // Blocks work as long as the one with the most quanta; the sums of splits go through memory,
  // which takes about as long as this many quanta do (6 us on an H200).
  constexpr int64_t splitCost = 128;
  int64_t least = (items + blocks - 1) / blocks * quanta;
  for (int64_t splits = 2; items <= ticketCounters && splits <= std::min<int64_t>(quanta, 16);
       ++splits) {
    const int64_t slice = (quanta + splits - 1) / splits;
    const int64_t cost = (items * splits + blocks - 1) / blocks * slice + splitCost;
    if (cost >= least || slice * (splits - 1) >= quanta)
      continue;
    least = cost;
    plan.splits = int(splits);
    plan.sliceQuanta = int(slice);
  }
  plan.grid = std::min(items * plan.splits, blocks);
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
