//===- FlashLaunch.h - plan of the tensor-core attention --------------------------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_FLASHLAUNCH_H
#define QRT_KERNELS_CUDA_ATTENTION_FLASHLAUNCH_H

#include "kernels/cuda/attention/DecodeCombine.h"

#include <algorithm>

namespace qrt::cuda {

/// What the tensor-core kernels take; GenericAttention takes the rest.
inline bool flashTakes(const AttentionParams &p) {
  return p.kv.keyType != DType::F32 && p.kv.valueType != DType::F32 && p.headDim % 8 == 0 &&
         p.valueDim % 8 == 0 && p.headDim <= 256 && p.valueDim <= 256;
}

/// What the decode kernels have an instance for; others decode with the kernel of many rows.
inline bool decodeTakes(const AttentionParams &p) {
  const DType keys = p.kv.keyType, values = p.kv.valueType;
  const bool narrows =
      (keys == DType::I8 && values == DType::I4) ||
      (keys == DType::F16 && (values == DType::I8 || values == DType::I4) && !p.kv.preciseBase);
  return flashTakes(p) && (keys == values || narrows);
}

/// Blocks of a row in y: kv heads, each with tiles of decodeHeads query heads.
inline int64_t decodeItems(const AttentionParams &p) {
  return p.kvHeads * ((p.heads / p.kvHeads + decodeHeads - 1) / decodeHeads);
}

/// Splits of the keys of each of `rows` rows: as many blocks as fill the device twice, each with at
/// least 256 keys of the longest context.
inline int decodeSplits(const Launch &launch, const AttentionParams &p, int64_t rows) {
  const int64_t items = rows * decodeItems(p);
  if (items <= 0 || items > ticketCounters)
    return 1;
  const int64_t context = p.window > 0 ? std::min(p.window, p.maxContext) : p.maxContext;
  const int64_t blocks = 2 * int64_t(std::max(launch.multiprocessors, 1));
  return int(
      std::clamp<int64_t>(std::min(blocks / items, (context + 255) / 256), 1, maxDecodeSplits));
}

int launchPrefillAttention(const Launch &launch, const FlashParams &params);
/// With precise blocks.
int launchPrecisePrefill(const Launch &launch, const FlashParams &params);
/// By the type of the cache.
int launchDecodeF16(const Launch &launch, const FlashParams &params);
int launchDecodeBF16(const Launch &launch, const FlashParams &params);
int launchDecodeI8(const Launch &launch, const FlashParams &params);
int launchDecodeI4(const Launch &launch, const FlashParams &params);
/// Keys of more bits than the values.
int launchDecodeMixed(const Launch &launch, const FlashParams &params);
/// Codes with precise blocks.
int launchDecodePrecise(const Launch &launch, const FlashParams &params);

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_FLASHLAUNCH_H
