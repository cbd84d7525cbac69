//===- decodeBF16.cu - decode attention over caches of bf16 -----------------------------------===//

#include "kernels/cuda/attention/DecodeLaunch.h"

namespace qrt::cuda {

int launchDecodeBF16(const Launch &launch, const FlashParams &params) {
  return launchDecode<DType::BF16>(launch, params);
}

} // namespace qrt::cuda
