//===- ResidentLaunch.h - the instance of ResidentLinear that a product takes ----------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_RESIDENTLAUNCH_H
#define QRT_KERNELS_CUDA_LINEAR_RESIDENTLAUNCH_H

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/FormatLaunch.h"
#include "kernels/cuda/linear/ResidentLinear.h"

namespace qrt::cuda {

template <WeightFormat format>
int launchResidentOf(const Launch &launch, const StreamLinearParams &params,
                     const ResidentPlan &plan) {
  return withGroupHalves(params.parts[0].weight.desc, [&]<int halves>() {
    using Kernel = ResidentLinear<format, halves>;
    return launchKernel<Kernel>(launch, {int32_t(plan.blocks), plan.splits, 1},
                                Kernel::sharedBytes(plan, params.rows), params, 32 * plan.warps);
  });
}

} // namespace qrt::cuda

/// Defines launchResident of one format.
#define QRT_DEFINE_RESIDENT(format)                                                                \
  template <>                                                                                      \
  int launchResident<format>(const Launch &launch, const StreamLinearParams &params,               \
                             const ResidentPlan &plan) {                                           \
    return launchResidentOf<format>(launch, params, plan);                                         \
  }

#endif // QRT_KERNELS_CUDA_LINEAR_RESIDENTLAUNCH_H
