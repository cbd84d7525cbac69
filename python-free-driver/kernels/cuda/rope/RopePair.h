//===- RopePair.h - which features of a head turn together -------------------------------===//

#ifndef QRT_KERNELS_CUDA_ROPE_ROPEPAIR_H
#define QRT_KERNELS_CUDA_ROPE_ROPEPAIR_H

#include "kernels/cuda/device/Simt.h"

namespace qrt::cuda {

/// Of feature i < 2 * half.
struct RopePair {
  int index, other; ///< number of the pair; the feature that turns with i
  bool isSecond;
};
QRT_DEVICE RopePair ropePair(int i, int half, bool interleaved) {
  if (interleaved)
    return {i / 2, i ^ 1, (i & 1) != 0};
  return i < half ? RopePair{i, i + half, false} : RopePair{i - half, i - half, true};
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ROPE_ROPEPAIR_H
