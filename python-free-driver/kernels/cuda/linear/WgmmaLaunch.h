//===- WgmmaLaunch.h - one file of wgmma kernels per weight format -------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_WGMMALAUNCH_H
#define QRT_KERNELS_CUDA_LINEAR_WGMMALAUNCH_H

#include "kernels/cuda/linear/WgmmaPlan.h"

namespace qrt::cuda {

/// WgmmaLinear with the plan's instance; what wgmmaTakes. `tiles`: what launchWgmmaTokens wrote.
/// Only a library for GPUs has it.
template <WeightFormat format>
int launchWgmma(const Launch &launch, const LinearParams &op, const LinearWork &work,
                const WgmmaPlan &plan, const void *tiles);

/// Writes the plan's tiles of op.src: WgmmaPlan::tokenBytes() at a multiple of 16 bytes.
int launchWgmmaTokens(const Launch &launch, const LinearParams &op, const WgmmaPlan &plan,
                      void *tiles);

} // namespace qrt::cuda

/// Defines launchWgmma of one format and type of activations; in a .cu file for sm_90a that
/// includes WgmmaLinear.h and Launch.h.
#define QRT_DEFINE_WGMMA(format, T)                                                                \
  namespace {                                                                                      \
  template <int tokens>                                                                            \
  int launchTokens(const Launch &launch, const WgmmaLinearParams &params) {                        \
    using Kernel = WgmmaLinear<format, T, tokens>;                                                 \
    const int blocks = std::min(params.plan.items, launch.multiprocessors);                        \
    return launchKernel<Kernel>(launch, {blocks, 1, 1}, Kernel::sharedBytes, params);              \
  }                                                                                                \
  }                                                                                                \
  template <>                                                                                      \
  int launchWgmma<format>(const Launch &launch, const LinearParams &op, const LinearWork &work,    \
                          const WgmmaPlan &plan, const void *tiles) {                              \
    const WgmmaLinearParams params = {op, work, plan, static_cast<const uint8_t *>(tiles)};        \
    return plan.tokens == 32   ? launchTokens<32>(launch, params)                                  \
           : plan.tokens == 64 ? launchTokens<64>(launch, params)                                  \
                               : launchTokens<128>(launch, params);                                \
  }

#endif // QRT_KERNELS_CUDA_LINEAR_WGMMALAUNCH_H
