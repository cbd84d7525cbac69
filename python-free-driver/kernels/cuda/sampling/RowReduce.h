//===- RowReduce.h - 64-bit maxima, sums and histograms of a block ---------------===//

#ifndef QRT_KERNELS_CUDA_SAMPLING_ROWREDUCE_H
#define QRT_KERNELS_CUDA_SAMPLING_ROWREDUCE_H

#include "kernels/cuda/device/Simt.h"

namespace qrt::cuda {

/// Adds to a word of shared memory that a barrier separates from plain accesses.
QRT_DEVICE void addShared(uint64_t *p, uint64_t value) {
#ifdef __CUDACC__
  ::atomicAdd(reinterpret_cast<unsigned long long *>(p), static_cast<unsigned long long>(value));
#else
  *p += value;
#endif
}

QRT_DEVICE uint64_t warpMax64(uint64_t value) {
  QRT_UNROLL
  for (int mask = 16; mask > 0; mask /= 2) {
    const uint64_t other = shuffleXor(value, mask);
    value = other > value ? other : value;
  }
  return value;
}

/// The largest of all threads, for every thread. `scratch`: one word per warp, free before; free
/// again behind the next barrier.
template <int threads>
QRT_DEVICE uint64_t blockMax64(uint64_t value, uint64_t *scratch) {
  value = warpMax64(value);
  if (laneIndex() == 0)
    storeShared(scratch + warpIndex(), value);
  syncThreads();
  uint64_t most = 0;
  for (int warp = 0; warp < threads / 32; ++warp) {
    const uint64_t other = loadShared(scratch + warp);
    most = other > most ? other : most;
  }
  return most;
}

/// The sum over the threads before this one, and over all in `total`; scratch as above.
template <int threads>
QRT_DEVICE uint64_t blockScan64(uint64_t value, uint64_t *scratch, uint64_t &total) {
  uint64_t sum = value;
  QRT_UNROLL
  for (int distance = 1; distance < 32; distance *= 2) {
    const int from = laneIndex() - distance;
    const uint64_t other = shuffle(sum, from >= 0 ? from : laneIndex());
    sum += from >= 0 ? other : 0;
  }
  if (laneIndex() == 31)
    storeShared(scratch + warpIndex(), sum);
  syncThreads();
  uint64_t before = 0;
  total = 0;
  for (int warp = 0; warp < threads / 32; ++warp) {
    const uint64_t mass = loadShared(scratch + warp);
    before += warp < warpIndex() ? mass : 0;
    total += mass;
  }
  return before + sum - value;
}

/// f64 sum in a fixed order.
template <int threads>
QRT_DEVICE double blockSum64(double value, double *scratch) {
  QRT_UNROLL
  for (int mask = 16; mask > 0; mask /= 2)
    value += shuffleXor(value, mask);
  if (laneIndex() == 0)
    storeShared(scratch + warpIndex(), value);
  syncThreads();
  double sum = 0;
  for (int warp = 0; warp < threads / 32; ++warp)
    sum += loadShared(scratch + warp);
  return sum;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_SAMPLING_ROWREDUCE_H
