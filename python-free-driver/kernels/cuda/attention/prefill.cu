//===- prefill.cu - attention of many rows ----------------------------------------------------===//

#include "kernels/cuda/attention/FlashLaunch.h"
#include "kernels/cuda/attention/PrecisePrefill.h"
#include "kernels/cuda/device/Launch.h"

namespace qrt::cuda {

namespace {

template <class Kernel>
int launchPrefillOf(const Launch &launch, const FlashParams &params) {
  const AttentionParams &p = params.op;
  // At most: full tiles of all rows, and one that is not full per part.
  const int64_t tiles = p.rows * (p.heads / p.kvHeads) / Kernel::rows + p.step.partCount;
  if (tiles > INT32_MAX || p.kvHeads > 65535)
    return invalidLaunch;
  return launchKernel<Kernel>(launch, {int32_t(tiles), int32_t(p.kvHeads), 1}, Kernel::sharedBytes,
                              params);
}

template <template <int> class Kernel>
int launchDim(const Launch &launch, const FlashParams &params) {
  const int64_t dim = std::max(params.op.headDim, params.op.valueDim);
  return dim <= 64    ? launchPrefillOf<Kernel<64>>(launch, params)
         : dim <= 128 ? launchPrefillOf<Kernel<128>>(launch, params)
                      : launchPrefillOf<Kernel<256>>(launch, params);
}

} // namespace

int launchPrefillAttention(const Launch &launch, const FlashParams &params) {
  return launchDim<PrefillAttention>(launch, params);
}

int launchPrecisePrefill(const Launch &launch, const FlashParams &params) {
  return launchDim<PrecisePrefill>(launch, params);
}

} // namespace qrt::cuda
