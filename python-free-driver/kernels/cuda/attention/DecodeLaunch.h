//===- DecodeLaunch.h - launching the decode attention of one type of cache -------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_DECODELAUNCH_H
#define QRT_KERNELS_CUDA_ATTENTION_DECODELAUNCH_H

#include "kernels/cuda/attention/DecodeAttention.h"
#include "kernels/cuda/attention/FlashLaunch.h"
#include "kernels/cuda/device/Launch.h"

namespace qrt::cuda {

template <DType keys, DType values, int dim, bool hasPrecise>
int launchDecodeOf(const Launch &launch, const FlashParams &params) {
  using Kernel = DecodeAttention<dim, keys, values, hasPrecise>;
  const int64_t y = decodeItems(params.op), z = params.op.rows;
  if (y > 65535 || z > 65535 || params.op.kv.blockBytes > INT32_MAX)
    return invalidLaunch; // offsets within a block of the cache are ints
  return launchKernel<Kernel>(launch, {params.splits, int32_t(y), int32_t(z)}, Kernel::sharedBytes,
                              params);
}

template <DType keys, DType values = keys, bool hasPrecise = false>
int launchDecode(const Launch &launch, const FlashParams &params) {
  const int64_t dim = std::max(params.op.headDim, params.op.valueDim);
  return dim <= 64    ? launchDecodeOf<keys, values, 64, hasPrecise>(launch, params)
         : dim <= 128 ? launchDecodeOf<keys, values, 128, hasPrecise>(launch, params)
                      : launchDecodeOf<keys, values, 256, hasPrecise>(launch, params);
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_DECODELAUNCH_H
