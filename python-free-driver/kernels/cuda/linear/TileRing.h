//===- TileRing.h - units of k through a ring of stages that a block shares ------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_TILERING_H
#define QRT_KERNELS_CUDA_LINEAR_TILERING_H

#include "kernels/cuda/device/Simt.h"

namespace qrt::cuda {

/// Calls multiply(stage, unit) for units first .. end - 1 in turn, each after fetch(stage, unit),
/// with which the threads of the block start their copies of it, `stages` - 1 units ahead.
template <int stages, int stageBytes, class Fetch, class Multiply>
QRT_DEVICE void forUnitsOfRing(uint8_t *ring, int first, int end, const Fetch &fetch,
                               const Multiply &multiply) {
  QRT_NO_UNROLL
  for (int i = 0; i < stages - 1; ++i) {
    if (first + i < end)
      fetch(ring + i * stageBytes, first + i);
    commitAsync();
  }
  int slot = 0;
  QRT_NO_UNROLL
  for (int unit = first; unit < end; ++unit) {
    waitAsync<stages - 2>();
    syncThreads();
    if (unit + stages - 1 < end) // into the slot that all threads have left
      fetch(ring + (slot == 0 ? stages - 1 : slot - 1) * stageBytes, unit + stages - 1);
    commitAsync();
    multiply(ring + slot * stageBytes, unit);
    slot = slot + 1 == stages ? 0 : slot + 1;
  }
  waitAsync<0>();
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_TILERING_H
