//===- decodeMixed.cu - decode attention over keys of more bits than the values ---------------===//

#include "kernels/cuda/attention/DecodeLaunch.h"

namespace qrt::cuda {

int launchDecodeMixed(const Launch &launch, const FlashParams &params) {
  if (params.op.kv.keyType == DType::I8)
    return launchDecode<DType::I8, DType::I4>(launch, params);
  return params.op.kv.valueType == DType::I8 ? launchDecode<DType::F16, DType::I8>(launch, params)
                                             : launchDecode<DType::F16, DType::I4>(launch, params);
}

} // namespace qrt::cuda
