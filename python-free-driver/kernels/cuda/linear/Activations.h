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

/// The B fragments of up to 8 * tiles tokens, 64 of k at a time: lane (p, t) has tokens 8 tile + p
/// and of each 32 of k the eight from 8 t on, one 16-byte load (WeightOrder.h). A unit is fetched
/// while the one before is multiplied. Tokens that do not exist are copies of the first: nobody
/// takes their sums.
template <class T, int tiles>
class TokenFragments {
public:
  explicit QRT_DEVICE TokenFragments(const LinearParams &op)
      : k(static_cast<int>(op.weight.desc.k)), partialUnit(k % unitK ? k / unitK : -1) {
    QRT_UNROLL
    for (int tile = 0; tile < tiles; ++tile) {
      const int64_t token = tile * 8 + laneIndex() / 4;
      rows[tile] = static_cast<const uint16_t *>(op.src.data) +
                   (token < op.rows ? token : 0) * op.src.stride + laneIndex() % 4 * 8;
    }
  }

  /// Begins with unit `first`; units first .. end - 1 follow in order.
  QRT_DEVICE void begin(int first, int endUnit) {
    end = endUnit;
    if (first < end)
      fetch(first);
  }

  /// Makes the next unit, `unit`, available.
  QRT_DEVICE void advance(int unit) {
    QRT_UNROLL
    for (int tile = 0; tile < tiles; ++tile) {
      now[tile][0] = next[tile][0];
      now[tile][1] = next[tile][1];
    }
    if (unit + 1 < end)
      fetch(unit + 1);
  }
  QRT_DEVICE void fragment(int tile, int step, uint32_t (&b)[2]) const {
    b[0] = now[tile][step / 2].w[step % 2 * 2];
    b[1] = now[tile][step / 2].w[step % 2 * 2 + 1];
  }

private:
  QRT_DEVICE void fetch(int unit) {
    if (unit != partialUnit)
      fetchWith(unit, [](const uint16_t *row, int at) {
        return loadGlobal(reinterpret_cast<const Words4 *>(row + at));
      });
    else
      fetchWith(unit, [end = k - laneIndex() % 4 * 8](const uint16_t *row, int at) {
        return loadEight(row, at, end);
      });
  }
  template <class Load>
  QRT_DEVICE void fetchWith(int unit, const Load &load) {
    QRT_UNROLL
    for (int tile = 0; tile < tiles; ++tile) {
      QRT_UNROLL
      for (int half = 0; half < 2; ++half)
        next[tile][half] = load(rows[tile], unit * unitK + half * 32);
    }
  }

  const uint16_t *rows[tiles];
  int k, partialUnit, end = 0;
  Words4 now[tiles][2], next[tiles][2];
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_ACTIVATIONS_H
