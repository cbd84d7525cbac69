//===- Activations.h - operand B of a product, straight from global memory ----------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_ACTIVATIONS_H
#define QRT_KERNELS_CUDA_LINEAR_ACTIVATIONS_H

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/layout/WeightOrder.h"

namespace qrt::cuda {

/// Eight elements of a row from element k on, those from k = `end` on as zeros. Rows are readable
/// up to the next multiple of eight elements (their stride is one).
QRT_DEVICE Words4 loadEight(const uint16_t *row, int64_t k, int64_t end) {
  Words4 words = {};
  if (k < end)
    words = loadGlobal(reinterpret_cast<const Words4 *>(row + k));
  if (k + 8 > end) {
    const auto left = static_cast<int>(end - k);
    QRT_UNROLL
    for (int i = 0; i < 4; ++i)
      words.w[i] &= 2 * i + 1 < left ? 0xffffffffu : 2 * i < left ? 0x0000ffffu : 0u;
  }
  return words;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_ACTIVATIONS_H
