//===- decodeI8.cu - decode attention over caches of i8 ---------------------------------------===//

#include "kernels/cuda/attention/DecodeLaunch.h"

namespace qrt::cuda {

int launchDecodeI8(const Launch &launch, const FlashParams &params) {
  return launchDecode<DType::I8>(launch, params);
}

} // namespace qrt::cuda
