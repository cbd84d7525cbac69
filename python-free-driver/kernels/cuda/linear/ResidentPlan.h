//===- ResidentPlan.h - which products ResidentLinear takes, and on which grid --------------===//
//
// Host side. StreamLinear reads each token's activations once per 32 outputs; from nine rows on
// that is more than the weights' bytes, and more than L2 gives (docs/cuda.md). ResidentLinear keeps
// them in shared memory, where they fit: K is cut in `splits` slices, a block has items of one
// slice, and each warp a run of one item's quanta.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_RESIDENTPLAN_H
#define QRT_KERNELS_CUDA_LINEAR_RESIDENTPLAN_H

#include "kernels/cuda/linear/LinearPlan.h"

namespace qrt::cuda {

inline constexpr int maxResidentWarps = 14, residentStages = 3;
inline constexpr int64_t firstResidentRow = 9;

struct ResidentPlan {
  int runs = 0; ///< of an item, each a warp's; 0: StreamLinear takes it
  int warps = 0, splits = 1, sliceQuanta = 0;
  int64_t blocks = 0; ///< of a slice
};

/// Elements of a row in shared memory: two rows that follow one another on different banks.
constexpr int residentStride(int64_t sliceQuanta) { return int(sliceQuanta * 2 * unitK + 32); }
/// The word behind the rows is for Tickets.h.
constexpr int residentRowBytes(int64_t rows, int64_t sliceQuanta) {
  return int(rows * residentStride(sliceQuanta) * 2 + 16);
}
/// What StreamStage is for two panels.
constexpr int residentStageBytes(const WeightDesc &desc) {
  const int groups = desc.groupSize ? 2 * unitK / desc.groupSize : 0;
  return 2 * (2 * unitBytes(desc.format) + groups * kernels::panelRows * 3);
}

/// items: of two panels. The same for all rows that it takes.
inline ResidentPlan planResident(const Launch &launch, const WeightDesc &desc, DType type,
                                 int64_t items, int64_t rows) {
  // 8-bit weights outweigh the activations, 16-bit ones more so.
  if (rows < firstResidentRow || rows > maxStreamRows || type != DType::F16 ||
      !kernels::isQuantized(desc.format) || desc.format == WeightFormat::U8)
    return {};
  const int64_t quanta = streamQuanta(desc), multiprocessors = std::max(launch.multiprocessors, 1);
  const int ringBytes = residentStages * residentStageBytes(desc);
  for (int splits = 1; splits <= std::min<int64_t>(quanta, 8); ++splits) {
    ResidentPlan plan;
    plan.splits = splits;
    plan.sliceQuanta = int((quanta + splits - 1) / splits);
    if (int64_t(plan.sliceQuanta) * (splits - 1) >= quanta)
      continue; // an empty slice
    const int64_t left =
        launch.sharedBytesPerBlock - residentRowBytes(maxStreamRows, plan.sliceQuanta);
    const int64_t warps = std::min<int64_t>(maxResidentWarps, left / ringBytes);
    plan.blocks = std::min(items, multiprocessors / splits);
    if (warps < 1 || plan.blocks < 1)
      continue;
    const int64_t most = (items + plan.blocks - 1) / plan.blocks; // items of a block
    if (most > warps)
      return {}; // long runs of items: more slices make them longer
    plan.runs = int(std::min<int64_t>(warps / most, plan.sliceQuanta));
    plan.warps = int(most) * plan.runs;
    // Two copies in flight by ten warps are what hides the memory's latency.
    if (plan.warps >= std::min<int64_t>(10, most * plan.sliceQuanta))
      return plan;
  }
  return {};
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_RESIDENTPLAN_H
