//===- FileCode.h - a weight's codes as they lie in a file for the CPU --------===//
//
// What brings weights into fragment order reads through this: the device's repack kernel, and the
// compiler that stores them in that order (StoredWeights.h).
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LAYOUT_FILECODE_H
#define QRT_KERNELS_CUDA_LAYOUT_FILECODE_H

#include "kernels/cpu/linear/Layout.h"
#include "kernels/cuda/layout/WeightOrder.h"

namespace qrt::cuda {

/// The bits of (row, k); 0 outside of a dense weight, and behind the last block of codes, where
/// activations are zero. Rows up to the end of the last panel.
constexpr uint32_t fileCode(const WeightDesc &desc, const uint8_t *data, int64_t row, int64_t k) {
  if (!kernels::isQuantized(desc.format)) {
    if (row >= desc.n || k >= desc.k)
      return 0;
    const uint8_t *at = data + row * kernels::denseRowBytes(desc) + 2 * k;
    return at[0] | uint32_t(at[1]) << 8;
  }
  const int32_t block = desc.groupSize ? desc.groupSize : kernels::channelBlock;
  const int64_t blocks = (desc.k + block - 1) / block;
  if (k >= blocks * block)
    return 0;
  const int64_t blockBytes = int64_t(block) * kernels::panelRows * laneWords(desc.format) / 8;
  const uint8_t *from = data + (row / kernels::panelRows * blocks + k / block) * blockBytes;
  return kernels::loadCode(desc.format, block, from, int(row % kernels::panelRows), int(k % block));
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LAYOUT_FILECODE_H
