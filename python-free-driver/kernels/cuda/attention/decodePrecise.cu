//===- decodePrecise.cu - decode attention over codes with precise tokens beside them ---------===//

#include "kernels/cuda/attention/DecodeLaunch.h"

namespace qrt::cuda {

int launchDecodePrecise(const Launch &launch, const FlashParams &params) {
  const KvPool &kv = params.op.kv;
  return kv.keyType == DType::I4     ? launchDecode<DType::I4, DType::I4, true>(launch, params)
         : kv.valueType == DType::I4 ? launchDecode<DType::I8, DType::I4, true>(launch, params)
                                     : launchDecode<DType::I8, DType::I8, true>(launch, params);
}

} // namespace qrt::cuda
