//===- StreamLaunch.h - one file of kernels per weight format --------------------------------===//
//
// The instances dominate the time of compilation, so each format has a file of its own.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STREAMLAUNCH_H
#define QRT_KERNELS_CUDA_LINEAR_STREAMLAUNCH_H

#include "kernels/cuda/linear/LinearPlan.h"

namespace qrt::cuda {

/// StreamLinear with the plan's instance; op.rows <= maxStreamRows, src is f16 or bf16.
template <WeightFormat format>
int launchStream(const Launch &launch, const LinearParams &op, const LinearWork &work,
                 const StreamPlan &plan);

} // namespace qrt::cuda

/// Defines launchStream of one format; in a .cu file that includes StreamLinear.h and Launch.h.
#define QRT_DEFINE_STREAM(format)                                                                  \
  namespace {                                                                                      \
  template <class T, int tiles>                                                                    \
  int launchTiles(const Launch &launch, const StreamLinearParams &params, int64_t grid) {          \
    using Kernel = StreamLinear<format, T, tiles, streamItemPanels(format, tiles)>;                \
    return launchKernel<Kernel>(launch, {int32_t(grid), 1, 1}, Kernel::sharedBytes, params);       \
  }                                                                                                \
  template <class T>                                                                               \
  int launchType(const Launch &launch, const StreamLinearParams &params, const StreamPlan &plan) { \
    switch (plan.tokenTiles) {                                                                     \
    case 1:                                                                                        \
      return launchTiles<T, 1>(launch, params, plan.grid);                                         \
    case 2:                                                                                        \
      return launchTiles<T, 2>(launch, params, plan.grid);                                         \
    case 4:                                                                                        \
      return launchTiles<T, 4>(launch, params, plan.grid);                                         \
    default:                                                                                       \
      return launchTiles<T, 8>(launch, params, plan.grid);                                         \
    }                                                                                              \
  }                                                                                                \
  }                                                                                                \
  template <>                                                                                      \
  int launchStream<format>(const Launch &launch, const LinearParams &op, const LinearWork &work,   \
                           const StreamPlan &plan) {                                               \
    const StreamLinearParams params = {op, work, int32_t(plan.items * plan.splits)};               \
    return op.src.type == DType::F16 ? launchType<F16>(launch, params, plan)                       \
                                     : launchType<BF16>(launch, params, plan);                     \
  }

#endif // QRT_KERNELS_CUDA_LINEAR_STREAMLAUNCH_H
