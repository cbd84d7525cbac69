//===- Activations.h - operand B of a product, straight from global memory ----------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_ACTIVATIONS_H
#define QRT_KERNELS_CUDA_LINEAR_ACTIVATIONS_H

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/layout/WeightOrder.h"

namespace qrt::cuda {

/// Eight elements of a row from element k on, those from k = `end` on as zeros.
QRT_DEVICE Words4 loadEight(const uint16_t *row, int64_t k, int64_t end) {
  if (k + 8 <= end)
    return loadGlobal(reinterpret_cast<const Words4 *>(row + k));
  Words4 words = {};
  QRT_UNROLL
  for (int i = 0; i < 8; ++i)
    if (k + i < end)
      words.w[i / 2] |= uint32_t(loadGlobal(row + k + i)) << (i % 2 * 16);
  return words;
}

/// The B fragments of up to 8 * tiles tokens, 64 of k at a time: lane (p, t) has tokens 8 tile + p
/// and of each 32 of k the eight from 8 t on, one 16-byte load (WeightOrder.h). With few tiles a
/// unit is fetched while the one before is multiplied.
template <class T, int tiles>
class TokenFragments {
public:
  static constexpr bool early = tiles <= 2;

  explicit QRT_DEVICE TokenFragments(const LinearParams &op) : op(op) {}

  /// The units first .. end - 1 will be loaded in order.
  QRT_DEVICE void begin(int first, int endUnit) {
    end = endUnit;
    if constexpr (early) {
      if (first < end) {
        fetch(first, 0);
        fetch(first, 1);
      }
    }
  }

  /// Makes steps 2 half and 2 half + 1 of a unit available.
  QRT_DEVICE void load(int unit, int half) {
    if constexpr (early) {
      QRT_UNROLL
      for (int tile = 0; tile < tiles; ++tile)
        now[tile] = next[tile][half];
      if (unit + 1 < end)
        fetch(unit + 1, half);
    } else {
      QRT_UNROLL
      for (int tile = 0; tile < tiles; ++tile)
        now[tile] = piece(tile, unit, half);
    }
  }
  QRT_DEVICE void fragment(int tile, int step, uint32_t (&b)[2]) const {
    b[0] = now[tile].w[step % 2 * 2];
    b[1] = now[tile].w[step % 2 * 2 + 1];
  }

private:
  QRT_DEVICE Words4 piece(int tile, int unit, int half) const {
    const int64_t token = tile * 8 + laneIndex() / 4;
    if (token >= op.rows)
      return {};
    const auto *row = static_cast<const uint16_t *>(op.src.data) + token * op.src.stride;
    return loadEight(row, int64_t(unit) * unitK + half * 32 + laneIndex() % 4 * 8,
                     op.weight.desc.k);
  }
  QRT_DEVICE void fetch(int unit, int half) {
    QRT_UNROLL
    for (int tile = 0; tile < tiles; ++tile)
      next[tile][half] = piece(tile, unit, half);
  }

  const LinearParams &op;
  int end = 0;
  Words4 now[tiles], next[early ? tiles : 1][2];
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_ACTIVATIONS_H
