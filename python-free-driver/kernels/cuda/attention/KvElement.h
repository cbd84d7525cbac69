//===- KvElement.h - rows of the cache
//----------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_KVELEMENT_H
#define QRT_KERNELS_CUDA_ATTENTION_KVELEMENT_H

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/layout/KvLayout.h"

namespace qrt::cuda {

/// Where a batch row stands in its sequence.
struct RowPlace {
  int32_t part;     ///< -1: not in use
  int32_t position; ///< in its sequence
};
QRT_DEVICE RowPlace rowPlace(const StepState &step, int64_t row) {
  const int32_t part = loadGlobal(step.partOfRow + row);
  if (part < 0)
    return {-1, 0};
  const Part *p = step.parts + part;
  return {part, loadGlobal(&p->position) + static_cast<int32_t>(row) - loadGlobal(&p->firstRow)};
}

/// The page of one layer's keys (or values) that holds `token` of a part's sequence.
QRT_DEVICE uint8_t *kvPage(const StepState &step, const KvPool &kv, int32_t part, int64_t token,
                           int64_t offset) {
  const int32_t block =
      loadGlobal(step.blocks + int64_t(part) * step.blockStride + token / kvBlockTokens);
  return static_cast<uint8_t *>(kv.base) + block * kv.blockBytes + offset;
}

/// One element of a cached row.
QRT_DEVICE float kvElement(DType type, const uint8_t *page, int64_t kvHeads, int64_t head,
                           int64_t token, int64_t dim, int64_t i) {
  const uint8_t *row = page + kvRowOffset(head, token, dim, type);
  if (type == DType::F32)
    return loadGlobal(reinterpret_cast<const float *>(row) + i);
  if (type == DType::F16)
    return floatOfF16(loadGlobal(reinterpret_cast<const uint16_t *>(row) + i));
  const auto *scales =
      reinterpret_cast<const uint16_t *>(page + kvScaleOffset(kvHeads, head, token, dim, type));
  if (type == DType::I8)
    return static_cast<float>(loadGlobal(row + i) - 128) * floatOfF16(loadGlobal(scales));
  const int code = loadGlobal(row + i / 2) >> (i % 2 * 4) & 15;
  return static_cast<float>(code - 8) * floatOfF16(loadGlobal(scales + i / kvGroup4));
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_KVELEMENT_H
