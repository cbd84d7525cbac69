//===- DrawKernel.h - the draw of rows with a temperature -------------------------------------===//
//
// Every block weighs the candidates of its slice and lists the best of them, as many levels
// (SampleLayout.h) as fit. The last block of a row knows from the counts of all slices whether the
// lists hold every candidate that top-k and top-p can keep, which is the rule; then it selects and
// draws among those alone, in shared memory. Without either cut it takes the slice in which the
// draw falls. Otherwise (a flat distribution, hundreds of ties) it goes through the whole
// vocabulary.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_SAMPLING_DRAWKERNEL_H
#define QRT_KERNELS_CUDA_SAMPLING_DRAWKERNEL_H

#include "kernels/cuda/device/Tickets.h"
#include "kernels/cuda/sampling/Selection.h"

namespace qrt::cuda {

struct SampleKernelParams {
  SampleParams sample;
  int32_t sliceTokens; ///< a multiple of sampleRound
  uint32_t *faults;
};

/// By one thread: the row's token is known, or there is none.
QRT_DEVICE void finishRow(const SampleKernelParams &params, int index, const SampleRow &s,
                          SampleResult result) {
  const SampleParams &p = params.sample;
  if (result.token < 0 && params.faults)
    atomicOr(params.faults, NoToken);
  result.faults = params.faults ? loadCoherent(params.faults) : 0;
  if (p.next)
    storeGlobal(p.next + index, result.token < 0 ? 0 : result.token);
  p.results[index] = result;
  publish(&p.results[index].stamp, s.stamp);
}

struct DrawKernel {
  using Params = SampleKernelParams;
  static constexpr bool waitsItself = true;
  static constexpr int threads = sampleThreads, minBlocks = 1;
  /// Rows, counts per level (of the slice, then of all), the slices' places in the list, the list.
  static constexpr int levelsAt = Row::sharedBytes, placesAt = levelsAt + 32 * 4;
  static constexpr int listAt = placesAt + 2 * maxSampleSlices * 4;
  static constexpr int sharedBytes = listAt + sampleListed * 16 + 16;
  static_assert(sharedBytes <= 48 * 1024 && maxSampleSlices <= threads);

  /// Of the candidates below the best logit.
  struct Scale {
    float max, temperature, inverse;
    /// 0 where it is sure to be: draw::weight is expensive.
    QRT_DEVICE uint64_t weight(float logit) const {
      if (!isCandidate(logit) || max - logit > 28.6f * temperature)
        return 0;
      return draw::weight(logit, max, temperature);
    }
    QRT_DEVICE int level(float logit) const {
      const float x = (max - logit) * inverse;
      return x < float(sampleLevels - 1) ? int(x) : sampleLevels - 1;
    }
  };

  struct Slice {
    int first, end, entries;
    SliceSummary *summary;
    Candidate *list;
  };

  static QRT_DEVICE void run(const Params &params) {
    const SampleParams &p = params.sample;
    const int index = blockIndex().y, slices = gridSize().x;
    const SampleRow &s = p.rows[index];
    waitForKernelBefore();
    if (s.forced >= 0 || s.temperature == 0)
      return; // chosen by the kernel before
    uint64_t *scratch = p.scratch + index * sampleScratchWords(p.vocab);
    const auto *state = reinterpret_cast<const DrawState *>(scratch + SampleScratch::state);
    const uint64_t best = loadGlobal(&state->best);
    if (best == 0)
      return;
    Row row = {p.logits + index * p.stride, int(p.vocab),
               reinterpret_cast<uint64_t *>(sharedMemory())};
    auto *flag = reinterpret_cast<uint32_t *>(sharedMemory() + listAt + sampleListed * 16);
    const Scale scale = {logitOfKey(best), s.temperature, 1.0f / s.temperature};
    auto *summaries = reinterpret_cast<SliceSummary *>(scratch + SampleScratch::summaries);
    auto *lists = reinterpret_cast<Candidate *>(scratch + SampleScratch::lists);
    const int first = int(blockIndex().x) * params.sliceTokens, entries = listEntries(slices);
    const int end = first + params.sliceTokens < row.vocab ? first + params.sliceTokens : row.vocab;
    summarise(
        row, scale, s,
        {first, end, entries, summaries + blockIndex().x, lists + int(blockIndex().x) * entries});
    if (!arriveLast(reinterpret_cast<uint32_t *>(scratch + SampleScratch::counters) + 1,
                    uint32_t(slices), flag))
      return;
    const int32_t token = drawRow(params, row, scale, s, summaries, lists, scratch);
    if (threadIndex() == 0) {
      SampleResult result = state->result;
      result.token = token;
      finishRow(params, index, s, result);
    }
  }

  /// Calls body(tokens, their logits) for the four tokens of this thread in every round of a slice;
  /// all threads make the same number of calls.
  template <class Body>
  static QRT_DEVICE void forRounds(const Row &row, int first, int end, const Body &body) {
    QRT_NO_UNROLL
    for (int round = first; round < end; round += sampleRound) {
      const int v = round + 4 * threadIndex();
      Float4 x = {{-INFINITY, -INFINITY, -INFINITY, -INFINITY}};
      if (v < end) {
        x = loadFour(row.logits + v);
        QRT_UNROLL
        for (int j = 1; j < 4; ++j)
          x.v[j] = v + j < end ? x.v[j] : -INFINITY;
      }
      body(v, x);
    }
  }

  static QRT_DEVICE void summarise(Row &row, const Scale &scale, const SampleRow &s,
                                   const Slice &slice) {
    auto *levels = reinterpret_cast<uint32_t *>(sharedMemory() + levelsAt);
    if (threadIndex() < 32)
      storeShared(levels + threadIndex(), 0u);
    syncThreads();
    uint64_t mass = 0, minPMass = 0;
    forRounds(row, slice.first, slice.end, [&](int, const Float4 &x) {
      QRT_NO_UNROLL
      for (int j = 0; j < 4; ++j) {
        const float logit = at(x, j);
        const uint64_t w = scale.weight(logit);
        if (w == 0)
          continue;
        mass += w;
        minPMass += draw::reachesMinP(w, s.minP) ? w : 0;
        addShared(levels + scale.level(logit), 1u);
      }
    });
    uint64_t total, minPTotal;
    blockScan64<threads>(mass, row.nextScratch(), total);
    blockScan64<threads>(minPMass, row.nextScratch(), minPTotal);
    int listed = 0; // the last level has candidates of weight 0 too, and is never listed
    uint32_t count = 0;
    QRT_UNROLL
    for (int level = 0; level < sampleLevels - 1; ++level) {
      count += loadShared(levels + level);
      listed = listed == level && count <= uint32_t(slice.entries) ? level + 1 : listed;
    }
    if (threadIndex() < sampleLevels)
      storeGlobal(slice.summary->counts + threadIndex(), loadShared(levels + threadIndex()));
    if (threadIndex() == 0) {
      storeGlobal(&slice.summary->listed, listed);
      storeGlobal(&slice.summary->mass, total);
      storeGlobal(&slice.summary->minPMass, minPTotal);
    }
    if (count == 0 || (s.topK <= 0 && s.topP >= 1))
      return; // no list is asked for
    uint64_t base = 0;
    forRounds(row, slice.first, slice.end, [&](int v, const Float4 &x) {
      auto isListed = [&](int j) {
        return isCandidate(at(x, j)) && scale.level(at(x, j)) < listed;
      };
      int mine = 0;
      QRT_UNROLL
      for (int j = 0; j < 4; ++j)
        mine += isListed(j);
      uint64_t taken;
      uint64_t place = base + blockScan64<threads>(uint64_t(mine), row.nextScratch(), taken);
      QRT_NO_UNROLL
      for (int j = 0; j < 4; ++j)
        if (isListed(j)) {
          const Candidate candidate = {draw::rankKey(at(x, j), v + j), scale.weight(at(x, j))};
          storeGlobal(slice.list + place, candidate);
          ++place;
        }
      base += taken;
    });
  }

  /// One of four, without an array in memory.
  static QRT_DEVICE float at(const Float4 &x, int j) {
    return j == 0 ? x.v[0] : j == 1 ? x.v[1] : j == 2 ? x.v[2] : x.v[3];
  }

  static QRT_DEVICE int32_t drawRow(const Params &params, Row &row, const Scale &scale,
                                    const SampleRow &s, const SliceSummary *summaries,
                                    const Candidate *lists, uint64_t *scratch) {
    const int slices = gridSize().x;
    auto *levels = reinterpret_cast<uint32_t *>(sharedMemory() + levelsAt);
    if (threadIndex() < 32)
      storeShared(levels + threadIndex(), 0u);
    syncThreads();
    for (int i = threadIndex(); i < slices * sampleLevels; i += threads) {
      const int level = i % sampleLevels;
      if (const uint32_t count = loadCoherent(summaries[i / sampleLevels].counts + level))
        addShared(levels + level, count);
    }
    // A thread per slice.
    const SliceSummary *own = summaries + threadIndex();
    uint64_t mass = 0, minPMass = 0, total, minPTotal;
    int listed = sampleLevels;
    if (threadIndex() < slices) {
      mass = loadCoherent(&own->mass);
      minPMass = loadCoherent(&own->minPMass);
      listed = int(loadCoherent(reinterpret_cast<const uint32_t *>(&own->listed)));
    }
    blockScan64<threads>(mass, row.nextScratch(), total);
    const uint64_t before = blockScan64<threads>(minPMass, row.nextScratch(), minPTotal);
    const int complete =
        sampleLevels - int(blockMax64<threads>(uint64_t(sampleLevels - listed), row.nextScratch()));
    uint32_t all = 0;
    QRT_UNROLL
    for (int level = 0; level < sampleLevels; ++level)
      all += loadShared(levels + level);
    const bool byK = s.topK > 0 && s.topK < row.vocab && all > uint32_t(s.topK);
    if (!byK && s.topP >= 1)
      return drawOfSlices(params, row, scale, s, before, minPMass, minPTotal);

    // The levels that are enough, or as many as are listed.
    int limit = 0;
    uint32_t count = 0, next = 0;
    QRT_UNROLL
    for (int level = 0; level < sampleLevels - 1; ++level) {
      next += loadShared(levels + level);
      if (level < complete && next <= uint32_t(sampleListed) &&
          !(byK && count >= uint32_t(s.topK))) {
        limit = level + 1;
        count = next;
      }
    }
    if (byK ? count >= uint32_t(s.topK) : count > 0) {
      auto *keys = reinterpret_cast<uint64_t *>(sharedMemory() + listAt);
      gather(row, scale, summaries, lists, limit, listed, keys);
      const ListedCandidates candidates = {keys, keys + sampleListed, int(count)};
      bool enough = true;
      if (!byK) { // top-p alone: does it end within the list?
        uint64_t mine = 0, inList;
        for (int i = threadIndex(); i < int(count); i += threads)
          mine += candidates.weight(i);
        blockScan64<threads>(mine, row.nextScratch(), inList);
        enough = !draw::belowTopP(inList, total, s.topP);
      }
      if (enough)
        return drawFrom(row, candidates, s, byK, total);
    }
    uint64_t *weights = scratch + SampleScratch::weights;
    QRT_NO_UNROLL
    for (int v = threadIndex(); v < row.vocab; v += threads)
      storeGlobal(weights + v, scale.weight(loadGlobal(row.logits + v)));
    syncThreads();
    return drawFrom(row, AllCandidates{row.logits, weights, row.vocab}, s, byK, total);
  }

  /// The listed candidates of levels below `limit` to shared memory, in the order of their tokens:
  /// keys, and sampleListed words behind them their weights. `listed`: of this thread's slice.
  static QRT_DEVICE void gather(Row &row, const Scale &scale, const SliceSummary *summaries,
                                const Candidate *lists, int limit, int listed, uint64_t *keys) {
    const int slices = gridSize().x, entries = listEntries(slices);
    auto *places = reinterpret_cast<uint32_t *>(sharedMemory() + placesAt);
    uint32_t wanted = 0, length = 0;
    if (threadIndex() < slices) {
      QRT_UNROLL
      for (int level = 0; level < sampleLevels - 1; ++level) {
        const uint32_t count = loadCoherent(summaries[threadIndex()].counts + level);
        wanted += level < limit ? count : 0;
        length += level < listed ? count : 0;
      }
    }
    uint64_t sum;
    const uint64_t place = blockScan64<threads>(wanted, row.nextScratch(), sum);
    if (threadIndex() < slices) {
      storeShared(places + 2 * threadIndex(), uint32_t(place));
      storeShared(places + 2 * threadIndex() + 1, wanted > 0 ? length : 0u);
    }
    syncThreads();
    QRT_NO_UNROLL
    for (int slice = warpIndex(); slice < slices; slice += threads / 32) {
      auto at = int(loadShared(places + 2 * slice));
      const auto size = int(loadShared(places + 2 * slice + 1));
      QRT_NO_UNROLL
      for (int first = 0; first < size; first += 32) {
        const int i = first + laneIndex();
        uint64_t key = 0, weight = 0;
        if (i < size) {
          const Candidate *from = lists + slice * entries + i;
          key = loadCoherent(&from->key);
          weight = loadCoherent(&from->weight);
        }
        const int take = i < size && scale.level(logitOfKey(key)) < limit;
        const int earlier = warpScan(take);
        if (take) {
          storeShared(keys + at + earlier, key);
          storeShared(keys + sampleListed + at + earlier, weight);
        }
        at += shuffle(earlier + take, 31);
      }
    }
    syncThreads();
  }

  /// Without top-k and top-p: the slice in which the draw falls, then the token. `before`, `mass`:
  /// of what min-p keeps in the slices before this thread's, and in its own.
  static QRT_DEVICE int32_t drawOfSlices(const Params &params, Row &row, const Scale &scale,
                                         const SampleRow &s, uint64_t before, uint64_t mass,
                                         uint64_t total) {
    uint64_t target = draw::scaled(draw::uniformBits(s.seed, s.position, s.stream), total);
    if (before <= target && target < before + mass) {
      storeShared(row.told(), uint64_t(threadIndex()));
      storeShared(row.told() + 1, target - before);
    }
    syncThreads();
    const int first = int(loadShared(row.told())) * params.sliceTokens;
    target = loadShared(row.told() + 1);
    const int end = first + params.sliceTokens < row.vocab ? first + params.sliceTokens : row.vocab;
    auto kept = [&](float logit) -> uint64_t {
      const uint64_t w = scale.weight(logit);
      return draw::reachesMinP(w, s.minP) ? w : 0;
    };
    uint64_t base = 0;
    forRounds(row, first, end, [&](int v, const Float4 &x) {
      uint64_t mine = 0, taken;
      QRT_NO_UNROLL
      for (int j = 0; j < 4; ++j)
        mine += kept(at(x, j));
      uint64_t sum = base + blockScan64<threads>(mine, row.nextScratch(), taken);
      if (sum <= target && target < sum + mine) {
        int j = -1;
        do
          sum += kept(at(x, ++j));
        while (target >= sum);
        storeShared(row.told() + 2, uint64_t(v + j));
      }
      base += taken;
    });
    syncThreads();
    return int32_t(loadShared(row.told() + 2));
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_SAMPLING_DRAWKERNEL_H
