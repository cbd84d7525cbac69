//===- StreamInt8Launch.h - the instance of StreamInt8 that a product takes -----------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STREAMINT8LAUNCH_H
#define QRT_KERNELS_CUDA_LINEAR_STREAMINT8LAUNCH_H

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/FormatLaunch.h"
#include "kernels/cuda/linear/StreamInt8.h"

namespace qrt::cuda {

template <WeightFormat format>
int launchStreamInt8Of(const Launch &launch, const StreamInt8Params &params,
                       const StreamPlan &plan) {
  auto launchTiles = [&]<int tiles>() {
    return withGroupHalves(params.parts[0].weight.desc, [&]<int halves>() {
      using Kernel = StreamInt8<format, tiles, halves>;
      return launchKernel<Kernel>(launch, {int32_t(plan.grid), 1, 1},
                                  Kernel::sharedBytes(plan.warps, params.rows), params,
                                  32 * plan.warps);
    });
  };
  return params.rows <= 8 ? launchTiles.template operator()<1>()
                          : launchTiles.template operator()<2>();
}

} // namespace qrt::cuda

/// Defines launchStreamInt8 of one format.
#define QRT_DEFINE_STREAM_INT8(format)                                                             \
  template <>                                                                                      \
  int launchStreamInt8<format>(const Launch &launch, const StreamInt8Params &params,               \
                               const StreamPlan &plan) {                                           \
    return launchStreamInt8Of<format>(launch, params, plan);                                       \
  }

#endif // QRT_KERNELS_CUDA_LINEAR_STREAMINT8LAUNCH_H
