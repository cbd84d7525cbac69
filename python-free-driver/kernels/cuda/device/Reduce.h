//===- Reduce.h - sums and maxima over a warp and a block -----------------------===//
//
// In a fixed order: butterflies within a warp, then the warps by number. Every thread gets the
// result.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_DEVICE_REDUCE_H
#define QRT_KERNELS_CUDA_DEVICE_REDUCE_H

#include "kernels/cuda/device/Simt.h"

namespace qrt::cuda {

QRT_DEVICE float warpSum(float value) {
  QRT_UNROLL
  for (int mask = 16; mask > 0; mask /= 2)
    value += shuffleXor(value, mask);
  return value;
}
QRT_DEVICE float warpMax(float value) {
  QRT_UNROLL
  for (int mask = 16; mask > 0; mask /= 2) {
    float other = shuffleXor(value, mask);
    value = other > value ? other : value;
  }
  return value;
}

/// `scratch`: shared memory of one float per warp, free for use when all threads get here; it is
/// free again after the next barrier.
template <int threads>
QRT_DEVICE float blockSum(float value, float *scratch) {
  value = warpSum(value);
  if (laneIndex() == 0)
    storeShared(scratch + warpIndex(), value);
  syncThreads();
  float sum = 0;
  QRT_UNROLL
  for (int warp = 0; warp < threads / 32; ++warp)
    sum += loadShared(scratch + warp);
  return sum;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_DEVICE_REDUCE_H
