//===- decodeI4.cu - decode attention over caches of i4 ---------------------------------------===//

#include "kernels/cuda/attention/DecodeLaunch.h"

namespace qrt::cuda {

int launchDecodeI4(const Launch &launch, const FlashParams &params) {
  return launchDecode<DType::I4>(launch, params);
}

} // namespace qrt::cuda
