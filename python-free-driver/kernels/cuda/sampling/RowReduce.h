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

QRT_DEVICE void addShared(uint32_t *p, uint32_t value) {
#ifdef __CUDACC__
  ::atomicAdd(p, value);
#else
  *p += value;
#endif
}

/// Written by other blocks of the same launch.
QRT_DEVICE uint64_t loadCoherent(const uint64_t *p) {
  const Words2 words = loadCoherent(reinterpret_cast<const Words2 *>(p));
  return words.w[0] | uint64_t(words.w[1]) << 32;
}

/// The sum over the lanes before this one.
template <class T>
QRT_DEVICE T warpScan(T value) {
  T sum = value;
  QRT_UNROLL
  for (int distance = 1; distance < 32; distance *= 2) {
    const int from = laneIndex() - distance;
    const T other = shuffle(sum, from >= 0 ? from : laneIndex());
    sum += from >= 0 ? other : 0;
  }
  return sum - value;
}
QRT_DEVICE int warpMinInt(int value) {
  QRT_UNROLL
  for (int mask = 16; mask > 0; mask /= 2) {
    const int other = shuffleXor(value, mask);
    value = other < value ? other : value;
  }
  return value;
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
  const uint64_t earlier = warpScan(value), sum = earlier + value;
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
  return before + earlier;
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
