//===- decodeI8I4.cu - decode attention over keys of i8 and values of i4 ----------------------===//

#include "kernels/cuda/attention/DecodeLaunch.h"

namespace qrt::cuda {

int launchDecodeI8I4(const Launch &launch, const FlashParams &params) {
  return launchDecode<DType::I8, DType::I4>(launch, params);
}

} // namespace qrt::cuda
