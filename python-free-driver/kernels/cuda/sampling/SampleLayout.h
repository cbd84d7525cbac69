//===- SampleLayout.h - scratch memory of the sampler, one row's ------------------------------===//

#ifndef QRT_KERNELS_CUDA_SAMPLING_SAMPLELAYOUT_H
#define QRT_KERNELS_CUDA_SAMPLING_SAMPLELAYOUT_H

#include "kernels/cuda/Ops.h"

namespace qrt::cuda {

inline constexpr int sampleThreads = 512;
inline constexpr int maxSampleSlices = 128;               ///< of a row; a thread each
inline constexpr int64_t sampleRound = 4 * sampleThreads; ///< logits that a block takes at once

/// A candidate's level: how many nats (of logits / temperature) it lies below the best, whole ones.
/// Weights of 29 nats and more are zero.
inline constexpr int sampleLevels = 29;

/// What a block knows of its slice of a row.
struct SliceSummary {
  uint32_t counts[sampleLevels]; ///< candidates per level
  int32_t listed;                ///< the slice's list has all candidates of levels below this one
  uint64_t mass, minPMass;       ///< of all candidates; of those that min-p keeps
};
static_assert(sizeof(SliceSummary) % 8 == 0);

/// A candidate as it is listed.
struct Candidate {
  uint64_t key, weight;
};

/// What the first kernel leaves to the second.
struct DrawState {
  uint64_t best; ///< key of the best logit after penalties; 0: nothing to draw
  SampleResult result;
};

/// Words of a row's scratch, in this order.
struct SampleScratch {
  static constexpr int64_t counters = 0, state = 2;
  static constexpr int64_t bests = state + int64_t(sizeof(DrawState)) / 8;
  static constexpr int64_t summaries = bests + maxSampleSlices;
  static constexpr int64_t lists = summaries + maxSampleSlices * int64_t(sizeof(SliceSummary)) / 8;
  static constexpr int64_t weights = lists + sampleListWords;
};
static_assert(SampleScratch::weights <= sampleScratchWords(0));
static_assert(SampleScratch::lists % 2 == 0 && sampleScratchWords(1) % 2 == 0); // 16-byte stores

/// Candidates that the last block takes into shared memory.
inline constexpr int sampleListed = 2048;

/// Entries of a slice's list.
constexpr int listEntries(int slices) {
  const int entries = int(sampleListWords / 2) / slices;
  return entries > 1024 ? 1024 : entries;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_SAMPLING_SAMPLELAYOUT_H
