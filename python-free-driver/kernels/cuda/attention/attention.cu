//===- attention.cu - chooses the kernel of an attention --------------------------------------===//

#include "kernels/cuda/attention/FlashLaunch.h"
#include "kernels/cuda/attention/GenericAttention.h"
#include "kernels/cuda/device/Launch.h"

namespace qrt::cuda {

int64_t attentionWorkspaceBytes(const Launch &launch, const AttentionParams &params) {
  if (!decodeTakes(params) || !params.decode || params.kvHeads <= 0)
    return 0;
  // The most of any number of rows up to params.rows, and of any shorter context.
  int64_t partials = 0;
  const int64_t y = decodeItems(params);
  for (int64_t rows = 1; rows <= params.rows && rows * y <= ticketCounters; ++rows)
    if (const int splits = decodeSplits(launch, params, rows); splits > 1)
      partials = std::max(partials, rows * y * splits);
  return ticketCounters * 4 + partials * decodePartialFloats(params.valueDim) * 4;
}

/// The append that `params` ask for, as a launch of its own.
static int launchAppendOf(const Launch &launch, const AttentionParams &params) {
  KvAppendParams append;
  append.k = params.k;
  append.v = params.v;
  append.step = params.step;
  append.kv = params.kv;
  append.rows = params.rows;
  append.kvHeads = params.kvHeads;
  append.headDim = params.headDim;
  append.valueDim = params.valueDim;
  append.balance = params.balance;
  append.cos = params.cos;
  append.sin = params.sin;
  append.half = params.half;
  append.interleaved = params.interleaved;
  if (params.cos) {
    append.q = params.q;
    append.heads = params.heads;
  }
  return launchKvAppend(launch, append);
}

int launchAttention(const Launch &launch, const AttentionParams &params) {
  if (!isKvType(params.kv.keyType) || !isKvType(params.kv.valueType) || params.heads <= 0 ||
      params.kvHeads <= 0 || params.heads % params.kvHeads || params.headDim <= 0 ||
      params.valueDim <= 0 || params.valueDim > GenericAttention::maxValueDim ||
      params.rows > INT32_MAX || params.heads > 65535 ||
      (params.kv.preciseBase && (!params.step.preciseBlocks || !isCoded(params.kv))) ||
      (params.cos && (!params.k.data || 2 * params.half > params.headDim)))
    return invalidLaunch;
  // The decode kernels append themselves; they turn four features at a time.
  const bool decodes = params.decode && decodeTakes(params);
  if (params.k.data && !(decodes && params.half % 4 == 0)) {
    if (int error = launchAppendOf(launch, params))
      return error;
    AttentionParams appended = params;
    appended.k = appended.v = {};
    appended.cos = appended.sin = nullptr;
    return launchAttention(launch, appended);
  }
  if (flashTakes(params)) {
    FlashParams flash;
    flash.op = params;
    flash.group = int32_t(params.heads / params.kvHeads);
    flash.headTiles = (flash.group + decodeHeads - 1) / decodeHeads;
    flash.faults = launch.faults;
    const bool precise = params.kv.preciseBase != nullptr;
    if (!decodes)
      return precise ? launchPrecisePrefill(launch, flash) : launchPrefillAttention(launch, flash);
    if (params.workspace) {
      flash.splits = decodeSplits(launch, params, params.rows);
      flash.counters = static_cast<uint32_t *>(params.workspace);
      flash.partials = reinterpret_cast<float *>(flash.counters + ticketCounters);
    }
    const DType type = params.kv.keyType;
    return precise                       ? launchDecodePrecise(launch, flash)
           : type != params.kv.valueType ? launchDecodeMixed(launch, flash)
           : type == DType::F16          ? launchDecodeF16(launch, flash)
           : type == DType::BF16         ? launchDecodeBF16(launch, flash)
           : type == DType::I8           ? launchDecodeI8(launch, flash)
                                         : launchDecodeI4(launch, flash);
  }
  return launchKernel<GenericAttention>(launch, {int32_t(params.rows), int32_t(params.heads), 1},
                                        GenericAttention::sharedBytes(params.headDim),
                                        {params, launch.faults});
}

} // namespace qrt::cuda
