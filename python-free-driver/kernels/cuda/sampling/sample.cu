//===- sample.cu - the sampler -------------------------------------------------===//
//
// One block per row. Top-k and top-p are one radix selection each over 64-bit keys (logit and
// token, all different): eight rounds of 256 buckets that hold counts or masses, from the most
// significant byte on, without sorting. The draw walks the kept candidates in the order of their
// tokens. Every quantity that decides is an integer or a rounded f32/f64 operation of
// Support/DrawMath.h (the file is compiled without contraction), so the token is the CPU sampler's.
//
//===----------------------------------------------------------------------===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/sampling/RowReduce.h"

#include "Support/DrawMath.h"

#include <cmath>

namespace qrt::cuda {

namespace {

struct SampleKernelParams {
  SampleParams sample;
  uint32_t *faults;
};

struct SampleKernel {
  using Params = SampleKernelParams;
  static constexpr int threads = 512, minBlocks = 1;
  static constexpr int warps = threads / 32, buckets = 256;
  /// Two alternating scratch rows for reductions, the histogram, and what one thread tells all.
  static constexpr int sharedBytes = (2 * warps + buckets + 2) * 8;

  /// State of a row that all threads have.
  struct Row {
    float *logits;
    uint64_t *weights;
    int vocab;
    uint64_t *scratch; ///< 2 * warps
    int turn = 0;

    /// Scratch that no thread can still be reading.
    QRT_DEVICE uint64_t *nextScratch() { return scratch + warps * (turn ^= 1); }
    QRT_DEVICE uint64_t *histogram() { return scratch + 2 * warps; }
    QRT_DEVICE uint64_t *told() { return scratch + 2 * warps + buckets; }
  };

  static QRT_DEVICE bool isCandidate(float logit) { return logit > -INFINITY; } // no NaN either

  /// The key of the best candidate; 0: there is none.
  static QRT_DEVICE uint64_t bestKey(Row &row) {
    uint64_t best = 0;
    for (int v = threadIndex(); v < row.vocab; v += threads) {
      const float logit = loadGlobal(row.logits + v);
      const uint64_t key = isCandidate(logit) ? draw::rankKey(logit, v) : 0;
      best = key > best ? key : best;
    }
    return blockMax64<threads>(best, row.nextScratch());
  }

  /// Of softmax(logits), in nats.
  static QRT_DEVICE double entropy(Row &row, float max) {
    double sum = 0, weighted = 0;
    for (int v = threadIndex(); v < row.vocab; v += threads) {
      const float logit = loadGlobal(row.logits + v);
      if (isCandidate(logit)) {
        const double d = double(logit) - double(max), w = draw::expOfNegative(d);
        sum += w;
        weighted += w > 0 ? d * w : 0;
      }
    }
    sum = blockSum64<threads>(sum, reinterpret_cast<double *>(row.nextScratch()));
    weighted = blockSum64<threads>(weighted, reinterpret_cast<double *>(row.nextScratch()));
    const double h = log(sum) - weighted / sum;
    return h > 0 ? h : 0;
  }

  /// Calls change(logit, value) for each entry of a list whose tokens differ.
  template <class Change>
  static QRT_DEVICE void forEach(Row &row, const SampleEntry *entries, const SampleList &list,
                                 Change change) {
    for (int i = threadIndex(); i < list.count; i += threads) {
      const SampleEntry *e = entries + list.first + i;
      float *logit = row.logits + loadGlobal(&e->token);
      storeGlobal(logit, change(loadGlobal(logit), loadGlobal(&e->value)));
    }
    syncThreads(); // lists act one after the other
  }

  static QRT_DEVICE void addBias(Row &row, const SampleEntry *entries, const SampleList &list) {
    for (int i = threadIndex(); i < list.count; i += threads) {
      const SampleEntry *e = entries + list.first + i;
      const int32_t token = loadGlobal(&e->token);
      if (i > 0 && loadGlobal(&(e - 1)->token) == token)
        continue; // the thread of the run's first entry adds them all, in order
      float logit = loadGlobal(row.logits + token);
      for (int j = i; j < list.count && loadGlobal(&e->token) == token; ++j, ++e)
        logit += loadGlobal(&e->value);
      storeGlobal(row.logits + token, logit);
    }
    syncThreads();
  }

  /// forEach() of tokens that were written before, with how often; `carried` >= 0 is one more.
  template <class Change>
  static QRT_DEVICE void forEachWritten(Row &row, const SampleEntry *entries,
                                        const SampleList &list, int32_t carried, Change change) {
    if (threadIndex() == 0)
      storeShared(row.told(), uint64_t(0));
    syncThreads();
    for (int i = threadIndex(); i < list.count; i += threads) {
      const SampleEntry *e = entries + list.first + i;
      const int32_t token = loadGlobal(&e->token);
      if (token == carried) // in one entry at most
        storeShared(row.told(), uint64_t(1));
      float *logit = row.logits + token;
      storeGlobal(logit, change(loadGlobal(logit),
                                loadGlobal(&e->value) + (token == carried ? 1.0f : 0.0f)));
    }
    syncThreads();
    if (threadIndex() == 0 && carried >= 0 && loadShared(row.told()) == 0)
      storeGlobal(row.logits + carried, change(loadGlobal(row.logits + carried), 1.0f));
    syncThreads();
  }

  static QRT_DEVICE void penalise(Row &row, const SampleEntry *entries, const SampleRow &s,
                                  bool markers, int32_t carried) {
    addBias(row, entries, s.bias);
    if (markers)
      forEach(row, entries, s.penalties, [](float l, float amount) { return l - amount; });
    const float r = s.repetition, a = s.presence, b = s.frequency;
    if (r != 1)
      forEachWritten(row, entries, s.seen, carried,
                     [=](float l, float) { return l > 0 ? l / r : l * r; });
    if (a != 0 || b != 0)
      forEachWritten(row, entries, s.generated, carried,
                     [=](float l, float count) { return l - (a + b * count); });
    forEach(row, entries, s.dry, [](float l, float amount) { return l - amount; });
    forEach(row, entries, s.banned, [](float, float) { return -INFINITY; });
  }

  /// The key of the last candidate that stays if candidates stay, in their order, as long as
  /// more(what stayed before) is true; what a candidate adds is 1 or its weight. Candidates are
  /// those of weight > 0 with a key of at least `from`.
  template <bool byMass, class More>
  static QRT_DEVICE uint64_t lastKept(Row &row, uint64_t from, More more) {
    uint64_t prefix = 0, before = 0; // of keys whose higher bytes are larger than the prefix
    for (int shift = 56; shift >= 0; shift -= 8) {
      for (int i = threadIndex(); i < buckets; i += threads)
        storeShared(row.histogram() + i, uint64_t(0));
      syncThreads();
      for (int v = threadIndex(); v < row.vocab; v += threads) {
        const uint64_t w = loadGlobal(row.weights + v);
        if (w == 0)
          continue;
        const uint64_t key = draw::rankKey(loadGlobal(row.logits + v), v);
        const bool inPrefix = shift == 56 || key >> (shift + 8) == prefix >> (shift + 8);
        if (key >= from && inPrefix)
          addShared(row.histogram() + (key >> shift & 255), byMass ? w : 1);
      }
      syncThreads();
      if (threadIndex() == 0) {
        // The bucket in which the condition ends; without an end, the last one that has any.
        int chosen = 0;
        uint64_t beforeChosen = before, sum = before;
        for (int bucket = buckets - 1; bucket >= 0; --bucket) {
          const uint64_t mass = loadShared(row.histogram() + bucket);
          if (mass == 0)
            continue;
          chosen = bucket;
          beforeChosen = sum;
          sum += mass;
          if (!more(sum))
            break;
        }
        storeShared(row.told(), prefix | uint64_t(chosen) << shift);
        storeShared(row.told() + 1, beforeChosen);
      }
      syncThreads();
      prefix = loadShared(row.told());
      before = loadShared(row.told() + 1);
      syncThreads();
    }
    return prefix;
  }

  static QRT_DEVICE int32_t drawToken(Row &row, const SampleRow &s, float max) {
    for (int v = threadIndex(); v < row.vocab; v += threads) {
      const float logit = loadGlobal(row.logits + v);
      storeGlobal(row.weights + v,
                  isCandidate(logit) ? draw::weight(logit, max, s.temperature) : uint64_t(0));
    }
    syncThreads();
    uint64_t from = 0;
    if (s.topK > 0 && s.topK < row.vocab)
      from = lastKept<false>(row, from, [&](uint64_t n) { return n < uint64_t(s.topK); });
    if (s.topP < 1) {
      uint64_t mass = 0, total;
      for (int v = threadIndex(); v < row.vocab; v += threads) {
        const uint64_t w = loadGlobal(row.weights + v);
        mass += w > 0 && draw::rankKey(loadGlobal(row.logits + v), v) >= from ? w : 0;
      }
      blockScan64<threads>(mass, row.nextScratch(), total);
      from =
          lastKept<true>(row, from, [&](uint64_t m) { return draw::belowTopP(m, total, s.topP); });
    }
    // Every thread owns consecutive tokens from here on.
    auto kept = [&](int v) -> uint64_t {
      const uint64_t w = loadGlobal(row.weights + v);
      return draw::reachesMinP(w, s.minP) && draw::rankKey(loadGlobal(row.logits + v), v) >= from
                 ? w
                 : 0;
    };
    const int share = (row.vocab + threads - 1) / threads;
    const int begin = threadIndex() * share;
    const int end = begin + share < row.vocab ? begin + share : row.vocab;
    uint64_t mine = 0, total;
    for (int v = begin; v < end; ++v)
      mine += kept(v);
    const uint64_t before = blockScan64<threads>(mine, row.nextScratch(), total);
    const uint64_t target = draw::scaled(draw::uniformBits(s.seed, s.position, s.stream), total);
    if (before <= target && target < before + mine) {
      uint64_t sum = before;
      for (int v = begin; v < end; ++v) {
        sum += kept(v);
        if (target < sum) {
          storeShared(row.told(), uint64_t(v));
          break;
        }
      }
    }
    syncThreads();
    return int32_t(loadShared(row.told()));
  }

  static QRT_DEVICE void run(const Params &params) {
    const SampleParams &p = params.sample;
    const int index = blockIndex().x;
    auto *shared = reinterpret_cast<uint64_t *>(sharedMemory());
    Row row = {p.logits + index * p.stride, p.weights + index * p.vocab, int(p.vocab), shared};
    const SampleRow s = p.rows[index];
    SampleResult result;

    const uint64_t raw = bestKey(row);
    result.rawBest = raw ? draw::tokenOfKey(raw) : -1;
    const float rawMax = raw ? loadGlobal(row.logits + result.rawBest) : 0;
    // What the controls count: would the model have taken a banned token?
    const int counted = s.banned.count < 32 ? s.banned.count : 32;
    for (int i = 0; i < counted; ++i) {
      const float logit = loadGlobal(row.logits + loadGlobal(&p.entries[s.banned.first + i].token));
      result.bannedBest |= !raw || !(rawMax > logit) ? 1u << i : 0;
    }
    bool markers = s.penalties.count > 0;
    if (markers && s.entropyMin > 0) {
      result.entropy = raw && rawMax < INFINITY ? entropy(row, rawMax) : 0;
      markers = !(result.entropy < double(s.entropyMin));
    }
    result.penalised = markers;
    syncThreads(); // everyone has read the raw logits

    if (s.forced >= 0) {
      result.token = s.forced;
    } else {
      penalise(row, p.entries, s, markers, s.carries ? loadGlobal(p.fed + index) : -1);
      const uint64_t best = bestKey(row);
      const float max = best ? loadGlobal(row.logits + draw::tokenOfKey(best)) : 0;
      if (best && max < INFINITY)
        result.token = s.temperature == 0 ? draw::tokenOfKey(best) : drawToken(row, s, max);
    }
    if (threadIndex() == 0) {
      if (result.token < 0 && params.faults)
        atomicOr(params.faults, NoToken);
      result.faults = params.faults ? loadCoherent(params.faults) : 0;
      if (p.next)
        storeGlobal(p.next + index, result.token < 0 ? 0 : result.token);
      p.results[index] = result;
      publish(&p.results[index].stamp, s.stamp);
    }
  }
};

} // namespace

int launchSample(const Launch &launch, const SampleParams &params) {
  if (params.vocab <= 0 || params.vocab > (1 << 23) || params.count > INT32_MAX)
    return invalidLaunch;
  return launchKernel<SampleKernel>(launch, {int32_t(params.count), 1, 1},
                                    SampleKernel::sharedBytes, {params, launch.faults});
}

} // namespace qrt::cuda
