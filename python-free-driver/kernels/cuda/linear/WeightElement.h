//===- WeightElement.h - one weight at a time ---------------------------------------===//
//
// Reads a weight's copy (WeightOrder.h; f32: the file's rows) element by element: embedding lookup
// and the f32 product, where speed is no matter.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_WEIGHTELEMENT_H
#define QRT_KERNELS_CUDA_LINEAR_WEIGHTELEMENT_H

#include "kernels/cpu/linear/Layout.h"
#include "kernels/cuda/device/Simt.h"
#include "kernels/cuda/layout/WeightOrder.h"

namespace qrt::cuda {

/// Where (row, group)'s scale and zero point lie in their streams.
constexpr int64_t scaleIndex(int64_t groups, int64_t row, int64_t group) {
  return (row / kernels::panelRows * groups + group) * kernels::panelRows +
         row % kernels::panelRows;
}

QRT_DEVICE float weightScale(const kernels::WeightView &w, int64_t index) {
  return w.desc.scaleType == kernels::ScaleType::F32
             ? loadConstant(static_cast<const float *>(w.scales) + index)
             : floatOfF16(loadConstant(static_cast<const uint16_t *>(w.scales) + index));
}

QRT_DEVICE float weightElement(const kernels::WeightView &w, int64_t row, int64_t k) {
  const WeightDesc &desc = w.desc;
  if (desc.format == WeightFormat::F32)
    return loadConstant(reinterpret_cast<const float *>(static_cast<const uint8_t *>(w.data) +
                                                        row * kernels::denseRowBytes(desc)) +
                        k);
  const uint32_t bits = loadUnitCode(desc, static_cast<const uint32_t *>(w.data), row, k);
  if (desc.format == WeightFormat::F16)
    return floatOfF16(static_cast<uint16_t>(bits));
  if (desc.format == WeightFormat::BF16)
    return floatOfBf16(static_cast<uint16_t>(bits));
  const int64_t groups = unitGeometry(desc).groups;
  const int64_t index = scaleIndex(groups, row, desc.groupSize ? k / desc.groupSize : 0);
  const int zeroPoint = desc.symmetric ? kernels::symmetricZeroPoint(desc.format)
                                       : loadConstant(w.zeroPoints + index);
  return static_cast<float>(static_cast<int>(bits) - zeroPoint) * weightScale(w, index);
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_WEIGHTELEMENT_H
