//===- attention.cu - chooses the kernel of an attention
//----------------------------------------===//

#include "kernels/cuda/attention/FlashLaunch.h"
#include "kernels/cuda/attention/GenericAttention.h"
#include "kernels/cuda/device/Launch.h"

namespace qrt::cuda {

int64_t attentionWorkspaceBytes(const Launch &launch, const AttentionParams &params) {
  if (!flashTakes(params) || !params.decode || params.kvHeads <= 0)
    return 0;
  // The most of any number of rows up to params.rows, and of any shorter context.
  int64_t partials = 0;
  const int64_t y = decodeItems(params);
  for (int64_t rows = 1; rows <= params.rows && rows * y <= ticketCounters; ++rows)
    if (const int splits = decodeSplits(launch, params, rows); splits > 1)
      partials = std::max(partials, rows * y * splits);
  return ticketCounters * 4 + partials * decodePartialFloats(params.valueDim) * 4;
}

int launchAttention(const Launch &launch, const AttentionParams &params) {
  if (!isKvType(params.kv.type) || params.heads <= 0 || params.kvHeads <= 0 ||
      params.heads % params.kvHeads || params.headDim <= 0 || params.valueDim <= 0 ||
      params.valueDim > GenericAttention::maxValueDim || params.rows > INT32_MAX ||
      params.heads > 65535)
    return invalidLaunch;
  if (flashTakes(params)) {
    FlashParams flash;
    flash.op = params;
    flash.group = int32_t(params.heads / params.kvHeads);
    flash.headTiles = (flash.group + decodeHeads - 1) / decodeHeads;
    flash.faults = launch.faults;
    if (!params.decode)
      return launchPrefillAttention(launch, flash);
    if (params.workspace) {
      flash.splits = decodeSplits(launch, params, params.rows);
      flash.counters = static_cast<uint32_t *>(params.workspace);
      flash.partials = reinterpret_cast<float *>(flash.counters + ticketCounters);
    }
    return params.kv.type == DType::F16    ? launchDecodeF16(launch, flash)
           : params.kv.type == DType::BF16 ? launchDecodeBF16(launch, flash)
           : params.kv.type == DType::I8   ? launchDecodeI8(launch, flash)
                                           : launchDecodeI4(launch, flash);
  }
  return launchKernel<GenericAttention>(launch, {int32_t(params.rows), int32_t(params.heads), 1},
                                        GenericAttention::sharedBytes(params.headDim),
                                        {params, launch.faults});
}

} // namespace qrt::cuda
