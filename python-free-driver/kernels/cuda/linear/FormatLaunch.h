//===- FormatLaunch.h - one file of kernels per weight format --------------------------------===//
//
// The instances dominate the time of compilation, so each format has files of its own:
// stream<format>.cu and tile<format>.cu.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_FORMATLAUNCH_H
#define QRT_KERNELS_CUDA_LINEAR_FORMATLAUNCH_H

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/LinearPlan.h"

namespace qrt::cuda {

/// Calls launchFor<format>() with a weight's format, which is one of codes or of 16 bits.
template <class LaunchFor>
int withFormat(WeightFormat format, const LaunchFor &launchFor) {
  switch (format) {
  case WeightFormat::F16:
    return launchFor.template operator()<WeightFormat::F16>();
  case WeightFormat::BF16:
    return launchFor.template operator()<WeightFormat::BF16>();
  case WeightFormat::U8:
    return launchFor.template operator()<WeightFormat::U8>();
  case WeightFormat::U4:
    return launchFor.template operator()<WeightFormat::U4>();
  case WeightFormat::U3:
    return launchFor.template operator()<WeightFormat::U3>();
  case WeightFormat::U2:
    return launchFor.template operator()<WeightFormat::U2>();
  case WeightFormat::F32:
    break;
  }
  return invalidLaunch;
}

/// Calls launchFor<halves>() with streamGroupHalves of a weight.
template <class LaunchFor>
int withGroupHalves(const WeightDesc &desc, const LaunchFor &launchFor) {
  switch (streamGroupHalves(desc)) {
  case 0:
    return launchFor.template operator()<0>();
  case 1:
    return launchFor.template operator()<1>();
  case 2:
    return launchFor.template operator()<2>();
  case 4:
    return launchFor.template operator()<4>();
  default:
    return invalidLaunch;
  }
}

/// StreamLinear with the plan's instance; rows <= maxStreamRows, src is f16 or bf16.
struct StreamLinearParams;
template <WeightFormat format>
int launchStream(const Launch &launch, const StreamLinearParams &params, const StreamPlan &plan);

/// ResidentLinear with the plan's instance; src is f16, codes of 4 bits and fewer.
struct ResidentPlan;
template <WeightFormat format>
int launchResident(const Launch &launch, const StreamLinearParams &params,
                   const ResidentPlan &plan);

/// StreamInt8 with the plan's instance; rows <= maxStreamRows, src is I8.
struct StreamInt8Params;
template <WeightFormat format>
int launchStreamInt8(const Launch &launch, const StreamInt8Params &params, const StreamPlan &plan);

/// TileLinear with the plan's instance; src is f16 or bf16.
template <WeightFormat format>
int launchTile(const Launch &launch, const LinearParams &op, const LinearWork &work,
               const TilePlan &plan);

/// Int8Linear with the plan's instance; src is I8.
template <WeightFormat format>
int launchInt8(const Launch &launch, const LinearParams &op, const LinearWork &work,
               const TilePlan &plan);

} // namespace qrt::cuda

/// Defines launchTile of one format; in a .cu file that includes TileLinear.h and Launch.h.
#define QRT_DEFINE_TILE(format)                                                                    \
  namespace {                                                                                      \
  template <class T, int tokens>                                                                   \
  int launchTokens(const Launch &launch, const TileLinearParams &params, const TilePlan &plan) {   \
    using Kernel = TileLinear<format, T, tokens>;                                                  \
    return launchKernel<Kernel>(                                                                   \
        launch, {int32_t(plan.tokenBlocks), int32_t(plan.panelBlocks), plan.splits},               \
        Kernel::sharedBytes, params);                                                              \
  }                                                                                                \
  template <class T>                                                                               \
  int launchType(const Launch &launch, const TileLinearParams &params, const TilePlan &plan) {     \
    return plan.tokens == 32   ? launchTokens<T, 32>(launch, params, plan)                         \
           : plan.tokens == 64 ? launchTokens<T, 64>(launch, params, plan)                         \
                               : launchTokens<T, 128>(launch, params, plan);                       \
  }                                                                                                \
  }                                                                                                \
  template <>                                                                                      \
  int launchTile<format>(const Launch &launch, const LinearParams &op, const LinearWork &work,     \
                         const TilePlan &plan) {                                                   \
    const TileLinearParams params = {op, work};                                                    \
    return op.src.type == DType::F16 ? launchType<F16>(launch, params, plan)                       \
                                     : launchType<BF16>(launch, params, plan);                     \
  }

/// Defines launchInt8 of one format; in a .cu file that includes Int8Linear.h and Launch.h.
#define QRT_DEFINE_INT8(format)                                                                    \
  namespace {                                                                                      \
  template <int tokens>                                                                            \
  int launchTokens(const Launch &launch, const Int8LinearParams &params, const TilePlan &plan) {   \
    using Kernel = Int8Linear<format, tokens>;                                                     \
    return launchKernel<Kernel>(                                                                   \
        launch, {int32_t(plan.tokenBlocks), int32_t(plan.panelBlocks), plan.splits},               \
        Kernel::sharedBytes, params);                                                              \
  }                                                                                                \
  }                                                                                                \
  template <>                                                                                      \
  int launchInt8<format>(const Launch &launch, const LinearParams &op, const LinearWork &work,     \
                         const TilePlan &plan) {                                                   \
    const int block = int8Block(op.weight.desc);                                                   \
    const Int8LinearParams params = {op, work, int8Geometry(op.rows, op.weight.desc.k, block),     \
                                     block == 32   ? 5                                             \
                                     : block == 64 ? 6                                             \
                                                   : 7};                                           \
    return plan.tokens == 16   ? launchTokens<16>(launch, params, plan)                            \
           : plan.tokens == 64 ? launchTokens<64>(launch, params, plan)                            \
                               : launchTokens<128>(launch, params, plan);                          \
  }

#endif // QRT_KERNELS_CUDA_LINEAR_FORMATLAUNCH_H
