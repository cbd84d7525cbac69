//===- UnitWords.h - operand A of a product, from a stage in shared memory ------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_UNITWORDS_H
#define QRT_KERNELS_CUDA_LINEAR_UNITWORDS_H

#include "kernels/cuda/device/Simt.h"
#include "kernels/cuda/layout/WeightOrder.h"

namespace qrt::cuda {

/// A lane's words of the unit that lies at `from`.
template <WeightFormat format>
QRT_DEVICE void loadUnitWords(const uint8_t *from, uint32_t (&words)[laneWords(format)]) {
  constexpr int v = vectorWords(format);
  QRT_UNROLL
  for (int word = 0; word < laneWords(format); word += v) {
    const auto *at =
        reinterpret_cast<const uint32_t *>(from) + wordOffset(format, laneIndex(), word);
    if constexpr (v == 4) {
      const Words4 got = loadShared(reinterpret_cast<const Words4 *>(at));
      QRT_UNROLL
      for (int i = 0; i < 4; ++i)
        words[word + i] = got.w[i];
    } else if constexpr (v == 2) {
      const Words2 got = loadShared(reinterpret_cast<const Words2 *>(at));
      words[word] = got.w[0];
      words[word + 1] = got.w[1];
    } else {
      words[word] = loadShared(at);
    }
  }
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_UNITWORDS_H
