//===- StreamLaunch.h - the instance of StreamLinear that a product takes -------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STREAMLAUNCH_H
#define QRT_KERNELS_CUDA_LINEAR_STREAMLAUNCH_H

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/FormatLaunch.h"
#include "kernels/cuda/linear/StreamLinear.h"

namespace qrt::cuda {

template <WeightFormat format>
int launchStreamOf(const Launch &launch, const StreamLinearParams &params, const StreamPlan &plan) {
  auto launchKind = [&]<class Kernel>() {
    return launchKernel<Kernel>(launch, {int32_t(plan.grid), 1, 1},
                                Kernel::sharedBytes(plan.warps, params.rows, params.rowStride),
                                params, 32 * plan.warps);
  };
  auto launchWith = [&]<class T, int tiles, int halves>() {
    // Norms come with few rows, and in the type that the weights multiply in.
    constexpr bool own = (T::type == DType::BF16) == (format == WeightFormat::BF16);
    if constexpr (tiles == 1 && own)
      if (params.normWeight)
        return launchKind.template operator()<StreamLinear<format, T, tiles, halves, true>>();
    return params.normWeight
               ? invalidLaunch
               : launchKind.template operator()<StreamLinear<format, T, tiles, halves>>();
  };
  auto launchGroups = [&]<class T, int tiles>() {
    if constexpr (kernels::isQuantized(format))
      return withGroupHalves(params.parts[0].weight.desc, [&]<int halves>() {
        return launchWith.template operator()<T, tiles, halves>();
      });
    else
      return launchWith.template operator()<T, tiles, 0>();
  };
  auto launchTiles = [&]<class T>() {
    if (params.rows <= 8)
      return launchGroups.template operator()<T, 1>();
    if constexpr (streamRows(format, T::type) > 8)
      return launchGroups.template operator()<T, 2>();
    return invalidLaunch;
  };
  const bool halves =
      params.normWeight ? format != WeightFormat::BF16 : params.src.type == DType::F16;
  return halves ? launchTiles.template operator()<F16>() : launchTiles.template operator()<BF16>();
}

} // namespace qrt::cuda

/// Defines launchStream of one format.
#define QRT_DEFINE_STREAM(format)                                                                  \
  template <>                                                                                      \
  int launchStream<format>(const Launch &launch, const StreamLinearParams &params,                 \
                           const StreamPlan &plan) {                                               \
    return launchStreamOf<format>(launch, params, plan);                                           \
  }

#endif // QRT_KERNELS_CUDA_LINEAR_STREAMLAUNCH_H
