//===- flash.cu - the tensor-core attention kernels -------------------------------------------===//

#include "kernels/cuda/attention/DecodeAttention.h"
#include "kernels/cuda/attention/FlashLaunch.h"
#include "kernels/cuda/device/Launch.h"

namespace qrt::cuda {

namespace {

template <int dim>
int launchPrefillOf(const Launch &launch, const FlashParams &params) {
  using Kernel = PrefillAttention<dim>;
  const AttentionParams &p = params.op;
  // At most: full tiles of all rows, and one that is not full per part.
  const int64_t tiles = p.rows * (p.heads / p.kvHeads) / Kernel::rows + p.step.partCount;
  if (tiles > INT32_MAX || p.kvHeads > 65535)
    return invalidLaunch;
  return launchKernel<Kernel>(launch, {int32_t(tiles), int32_t(p.kvHeads), 1}, Kernel::sharedBytes,
                              params);
}

template <int dim>
int launchDecodeOf(const Launch &launch, const FlashParams &params) {
  using Kernel = DecodeAttention<dim>;
  const AttentionParams &p = params.op;
  const int64_t y = p.kvHeads * ((p.heads / p.kvHeads + decodeHeads - 1) / decodeHeads);
  if (y > 65535 || p.rows > 65535)
    return invalidLaunch;
  return launchKernel<Kernel>(launch, {params.splits, int32_t(y), int32_t(p.rows)},
                              Kernel::sharedBytes, params);
}

} // namespace

int launchFlash(const Launch &launch, const FlashParams &params) {
  const int64_t dim = std::max(params.op.headDim, params.op.valueDim);
  if (params.op.decode)
    return dim <= 64    ? launchDecodeOf<64>(launch, params)
           : dim <= 128 ? launchDecodeOf<128>(launch, params)
                        : launchDecodeOf<256>(launch, params);
  return dim <= 64    ? launchPrefillOf<64>(launch, params)
         : dim <= 128 ? launchPrefillOf<128>(launch, params)
                      : launchPrefillOf<256>(launch, params);
}

} // namespace qrt::cuda
