//===- KvElement.h - rows of the cache --------------------------------------------------------===//

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

/// The tokens that a query reads from precise blocks: below `sink`, and from `recent` on.
struct PreciseTokens {
  int sink, recent;
  QRT_DEVICE bool has(int token) const { return token < sink || token >= recent; }
};
QRT_DEVICE PreciseTokens preciseTokens(const KvPool &kv, int position, int preciseFrom) {
  const int end = position + 1, sink = kv.sink < end ? kv.sink : end;
  int recent = end - kv.recent;
  recent = recent > sink ? recent : sink;
  recent = recent > preciseFrom ? recent : preciseFrom;
  return {sink, recent < end ? recent : end};
}
QRT_DEVICE PreciseTokens preciseTokens(const AttentionParams &p, const RowPlace &place) {
  return preciseTokens(p.kv, place.position, loadGlobal(&p.step.parts[place.part].preciseFrom));
}

/// The f16 keys (or values) of one layer in the precise block of `token`; null: there is none.
QRT_DEVICE uint8_t *precisePage(const StepState &step, const KvPool &kv, int32_t part,
                                int64_t token, bool isKey) {
  const int32_t block =
      loadGlobal(step.preciseBlocks + int64_t(part) * step.blockStride + token / kvBlockTokens);
  return block < 0 ? nullptr
                   : static_cast<uint8_t *>(kv.preciseBase) + block * kv.preciseBytes +
                         (isKey ? kv.preciseKeyOffset : kv.preciseValueOffset);
}

/// Of the group of dim i in a row of I8 or I4.
struct KvScale {
  float scale;
  int zeroPoint;
};
QRT_DEVICE KvScale kvScale(DType type, const uint8_t *page, int64_t kvHeads, int64_t head,
                           int64_t token, int dim, int i) {
  const int group = i / kvGroup(dim, type);
  const auto *scales =
      reinterpret_cast<const uint16_t *>(page + kvScaleOffset(kvHeads, head, token, dim, type));
  return {floatOfF16(loadGlobal(scales + group)),
          type == DType::I8
              ? 128
              : loadGlobal(page + kvZeroOffset(kvHeads, head, token, dim, type) + group)};
}

/// One element of a cached row.
QRT_DEVICE float kvElement(DType type, const uint8_t *page, int64_t kvHeads, int64_t head,
                           int64_t token, int64_t dim, int64_t i) {
  const uint8_t *row = page + kvRowOffset(head, token, dim, type);
  if (type == DType::F32)
    return loadGlobal(reinterpret_cast<const float *>(row) + i);
  if (type == DType::F16)
    return floatOfF16(loadGlobal(reinterpret_cast<const uint16_t *>(row) + i));
  if (type == DType::BF16)
    return floatOfBf16(loadGlobal(reinterpret_cast<const uint16_t *>(row) + i));
  const KvScale s = kvScale(type, page, kvHeads, head, token, int(dim), int(i));
  const int code =
      type == DType::I8 ? loadGlobal(row + i) : loadGlobal(row + i / 2) >> (i % 2 * 4) & 15;
  return static_cast<float>(code - s.zeroPoint) * s.scale;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_KVELEMENT_H
