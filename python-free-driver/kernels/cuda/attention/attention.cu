//===- attention.cu - chooses the kernel of an attention
//----------------------------------------===//

#include "kernels/cuda/attention/GenericAttention.h"
#include "kernels/cuda/device/Launch.h"

namespace qrt::cuda {

int64_t attentionWorkspaceBytes(const Launch &, const AttentionParams &) { return 0; }

int launchAttention(const Launch &launch, const AttentionParams &params) {
  if (!isKvType(params.kv.type) || params.heads <= 0 || params.kvHeads <= 0 ||
      params.heads % params.kvHeads || params.headDim <= 0 || params.valueDim <= 0 ||
      params.valueDim > GenericAttention::maxValueDim || params.rows > INT32_MAX ||
      params.heads > 65535)
    return invalidLaunch;
  return launchKernel<GenericAttention>(launch, {int32_t(params.rows), int32_t(params.heads), 1},
                                        GenericAttention::sharedBytes(params.headDim),
                                        {params, launch.faults});
}

} // namespace qrt::cuda
