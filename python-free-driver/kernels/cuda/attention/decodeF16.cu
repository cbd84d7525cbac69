//===- decodeF16.cu - decode attention over caches of f16 -------------------------------------===//

#include "kernels/cuda/attention/DecodeLaunch.h"

namespace qrt::cuda {

int launchDecodeF16(const Launch &launch, const FlashParams &params) {
  return launchDecode<DType::F16>(launch, params);
}

} // namespace qrt::cuda
