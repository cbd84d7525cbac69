//===- Selection.h - top-k, top-p and the draw among candidates -------------------------------===//
//
// By one block. Candidates are anything with size(), key(i) and weight(i), in the order of their
// tokens; those of weight 0 are none. Top-k and top-p are one radix selection each over 64-bit keys
// (logit and token, all different): rounds of 256 buckets that hold counts or masses, from the most
// significant byte on, without sorting. The draw walks the kept candidates in the order of their
// tokens.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_SAMPLING_SELECTION_H
#define QRT_KERNELS_CUDA_SAMPLING_SELECTION_H

#include "kernels/cuda/sampling/SampleRowState.h"

namespace qrt::cuda {

/// Lists in shared memory.
struct ListedCandidates {
  const uint64_t *keys, *weights;
  int count;
  QRT_DEVICE int size() const { return count; }
  QRT_DEVICE uint64_t key(int i) const { return loadShared(keys + i); }
  QRT_DEVICE uint64_t weight(int i) const { return loadShared(weights + i); }
};

/// The whole vocabulary, its weights in global memory.
struct AllCandidates {
  const float *logits;
  const uint64_t *weights;
  int vocab;
  QRT_DEVICE int size() const { return vocab; }
  QRT_DEVICE uint64_t key(int v) const { return draw::rankKey(loadGlobal(logits + v), v); }
  QRT_DEVICE uint64_t weight(int v) const { return loadGlobal(weights + v); }
};

/// Where a round of the selection goes on: by the first warp, told to all. `before`: what is ahead
/// of the histogram.
template <class More>
QRT_DEVICE void chooseBucket(Row &row, uint64_t before, const More &more) {
  constexpr int share = Row::buckets / 32, none = 1 << 20;
  const int lane = laneIndex();
  uint64_t masses[share], mine = 0;
  QRT_UNROLL
  for (int i = 0; i < share; ++i)
    mine += masses[i] = loadShared(row.histogram() + Row::buckets - 1 - lane * share - i);
  uint64_t sum = before + warpScan(mine), beforeLast = sum;
  int last = -1; // bucket of this lane in which the condition ends, or the last that has any
  bool ended = false;
  QRT_UNROLL
  for (int i = 0; i < share; ++i)
    if (!ended && masses[i] > 0) {
      last = i;
      beforeLast = sum;
      sum += masses[i];
      ended = !more(sum);
    }
  int chosen = warpMinInt(ended ? lane * share + last : none);
  if (chosen == none) // without an end, the last one
    chosen = -warpMinInt(last < 0 ? 0 : -(lane * share + last));
  if (chosen / share == lane) {
    const int bucket = Row::buckets - 1 - chosen;
    storeShared(row.told(), uint64_t(bucket));
    storeShared(row.told() + 1, beforeLast);
    storeShared(row.told() + 2, loadShared(row.counts() + bucket));
  }
}

/// A key that separates the candidates that stay, if they stay in their order as long as more(what
/// stayed before) is true, from the others: those of a lower key. What a candidate adds is 1 or its
/// weight. Candidates are those of weight > 0 with a key of at least `from`.
template <bool byMass, class Candidates, class More>
QRT_DEVICE uint64_t lastKept(Row &row, const Candidates &candidates, uint64_t from,
                             const More &more) {
  uint64_t prefix = 0, before = 0; // of keys whose higher bytes are larger than the prefix
  QRT_NO_UNROLL
  for (int shift = 56; shift >= 0; shift -= 8) {
    for (int i = threadIndex(); i < 2 * Row::buckets; i += Row::threads)
      storeShared(row.histogram() + i, uint64_t(0));
    syncThreads();
    QRT_NO_UNROLL
    for (int i = threadIndex(); i < candidates.size(); i += Row::threads) {
      const uint64_t w = candidates.weight(i);
      if (w == 0)
        continue;
      const uint64_t key = candidates.key(i);
      if (key < from || (shift < 56 && key >> (shift + 8) != prefix >> (shift + 8)))
        continue;
      const auto bucket = int(key >> shift & 255);
      addShared(row.histogram() + bucket, byMass ? w : uint64_t(1));
      addShared(row.counts() + bucket, uint64_t(1));
    }
    syncThreads();
    if (warpIndex() == 0)
      chooseBucket(row, before, more);
    syncThreads();
    prefix |= loadShared(row.told()) << shift;
    before = loadShared(row.told() + 1);
    if (loadShared(row.told() + 2) == 1)
      break; // one candidate has this prefix
    syncThreads();
  }
  syncThreads();
  return prefix;
}

/// Draws by s among candidates; `byK`: top-k cuts; `mass`: of all candidates, or 0 if it is that of
/// these.
template <class Candidates>
QRT_DEVICE int32_t drawFrom(Row &row, const Candidates &candidates, const SampleRow &s, bool byK,
                            uint64_t mass) {
  constexpr int threads = Row::threads;
  uint64_t from = 0;
  if (byK)
    from = lastKept<false>(row, candidates, from, [&](uint64_t n) { return n < uint64_t(s.topK); });
  if (s.topP < 1) {
    uint64_t total = mass;
    if (byK || mass == 0) {
      uint64_t mine = 0;
      for (int i = threadIndex(); i < candidates.size(); i += threads) {
        const uint64_t w = candidates.weight(i);
        mine += w > 0 && candidates.key(i) >= from ? w : 0;
      }
      blockScan64<threads>(mine, row.nextScratch(), total);
    }
    from = lastKept<true>(row, candidates, from,
                          [&](uint64_t m) { return draw::belowTopP(m, total, s.topP); });
  }
  // Every thread owns consecutive candidates from here on.
  auto kept = [&](int i) -> uint64_t {
    const uint64_t w = candidates.weight(i);
    return draw::reachesMinP(w, s.minP) && candidates.key(i) >= from ? w : 0;
  };
  const int share = (candidates.size() + threads - 1) / threads, begin = threadIndex() * share;
  const int end = begin + share < candidates.size() ? begin + share : candidates.size();
  uint64_t mine = 0, total;
  for (int i = begin; i < end; ++i)
    mine += kept(i);
  const uint64_t before = blockScan64<threads>(mine, row.nextScratch(), total);
  const uint64_t target = draw::scaled(draw::uniformBits(s.seed, s.position, s.stream), total);
  if (before <= target && target < before + mine) {
    uint64_t sum = before;
    for (int i = begin; i < end; ++i) {
      sum += kept(i);
      if (target < sum) {
        storeShared(row.told(), candidates.key(i));
        break;
      }
    }
  }
  syncThreads();
  return draw::tokenOfKey(loadShared(row.told()));
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_SAMPLING_SELECTION_H
