//===- SampleRowState.h - a row of logits and what is done to it ------------------------------===//
//
// By one block: the best candidate, the entropy, and penalties in the order of the chain
// (Sampling/Sampler.h).
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_SAMPLING_SAMPLEROWSTATE_H
#define QRT_KERNELS_CUDA_SAMPLING_SAMPLEROWSTATE_H

#include "kernels/cuda/device/Vectors.h"
#include "kernels/cuda/sampling/RowReduce.h"
#include "kernels/cuda/sampling/SampleLayout.h"

#include "Support/DrawMath.h"

#include <cmath>

namespace qrt::cuda {

QRT_DEVICE bool isCandidate(float logit) { return logit > -INFINITY; } // no NaN either

/// The logit of a candidate's key; -0 comes back as 0.
QRT_DEVICE float logitOfKey(uint64_t key) {
  const auto ordered = uint32_t(key >> 32);
  return floatOfBits(ordered & 0x80000000u ? ordered & 0x7fffffffu : ~ordered);
}

struct Row {
  static constexpr int threads = sampleThreads, warps = threads / 32, buckets = 256;
  /// Two alternating scratch rows for reductions, two histograms, and what one thread tells all.
  static constexpr int sharedBytes = (2 * warps + 2 * buckets + 4) * 8;

  float *logits;
  int vocab;
  uint64_t *scratch; ///< shared memory, sharedBytes
  int turn = 0;

  /// Scratch that no thread can still be reading.
  QRT_DEVICE uint64_t *nextScratch() { return scratch + warps * (turn ^= 1); }
  QRT_DEVICE uint64_t *histogram() { return scratch + 2 * warps; }
  QRT_DEVICE uint64_t *counts() { return scratch + 2 * warps + buckets; }
  QRT_DEVICE uint64_t *told() { return scratch + 2 * warps + 2 * buckets; }

  /// The key of the best candidate of tokens `begin` .. `end` - 1, begin a multiple of 4; 0: there
  /// is none.
  QRT_DEVICE uint64_t bestKey(int begin, int end) {
    uint64_t best = 0;
    constexpr int together = 8; // loads under way
    QRT_NO_UNROLL
    for (int first = begin + 4 * threadIndex(); first < end; first += 4 * threads * together) {
      Float4 x[together];
      QRT_UNROLL
      for (int i = 0; i < together; ++i)
        if (first + i * 4 * threads < end)
          x[i] = loadFour(logits + first + i * 4 * threads);
      QRT_UNROLL
      for (int i = 0; i < together; ++i) {
        QRT_UNROLL
        for (int j = 0; j < 4; ++j) {
          const int v = first + i * 4 * threads + j;
          const uint64_t key = v < end && isCandidate(x[i].v[j]) ? draw::rankKey(x[i].v[j], v) : 0;
          best = key > best ? key : best;
        }
      }
    }
    return blockMax64<threads>(best, nextScratch());
  }

  /// Of softmax(logits), in nats.
  QRT_DEVICE double entropy(float max) {
    double sum = 0, weighted = 0;
    for (int v = threadIndex(); v < vocab; v += threads) {
      const float logit = loadGlobal(logits + v);
      if (isCandidate(logit)) {
        const double d = double(logit) - double(max), w = draw::expOfNegative(d);
        sum += w;
        weighted += w > 0 ? d * w : 0;
      }
    }
    sum = blockSum64<threads>(sum, reinterpret_cast<double *>(nextScratch()));
    weighted = blockSum64<threads>(weighted, reinterpret_cast<double *>(nextScratch()));
    const double h = log(sum) - weighted / sum;
    return h > 0 ? h : 0;
  }

  /// Calls change(logit, value) for each entry of a list whose tokens differ.
  template <class Change>
  QRT_DEVICE void forEach(const SampleEntry *entries, const SampleList &list, Change change) {
    for (int i = threadIndex(); i < list.count; i += threads) {
      const SampleEntry *e = entries + list.first + i;
      float *logit = logits + loadGlobal(&e->token);
      storeGlobal(logit, change(loadGlobal(logit), loadGlobal(&e->value)));
    }
    syncThreads(); // lists act one after the other
  }

  QRT_DEVICE void addBias(const SampleEntry *entries, const SampleList &list) {
    for (int i = threadIndex(); i < list.count; i += threads) {
      const SampleEntry *e = entries + list.first + i;
      const int32_t token = loadGlobal(&e->token);
      if (i > 0 && loadGlobal(&(e - 1)->token) == token)
        continue; // the thread of the run's first entry adds them all, in order
      float logit = loadGlobal(logits + token);
      for (int j = i; j < list.count && loadGlobal(&e->token) == token; ++j, ++e)
        logit += loadGlobal(&e->value);
      storeGlobal(logits + token, logit);
    }
    syncThreads();
  }

  /// forEach() of tokens that were written before, with how often; `carried` >= 0 is one more.
  template <class Change>
  QRT_DEVICE void forEachWritten(const SampleEntry *entries, const SampleList &list,
                                 int32_t carried, Change change) {
    if (threadIndex() == 0)
      storeShared(told(), uint64_t(0));
    syncThreads();
    for (int i = threadIndex(); i < list.count; i += threads) {
      const SampleEntry *e = entries + list.first + i;
      const int32_t token = loadGlobal(&e->token);
      if (token == carried) // in one entry at most
        storeShared(told(), uint64_t(1));
      float *logit = logits + token;
      storeGlobal(logit, change(loadGlobal(logit),
                                loadGlobal(&e->value) + (token == carried ? 1.0f : 0.0f)));
    }
    syncThreads();
    if (threadIndex() == 0 && carried >= 0 && loadShared(told()) == 0)
      storeGlobal(logits + carried, change(loadGlobal(logits + carried), 1.0f));
    syncThreads();
  }

  QRT_DEVICE void penalise(const SampleEntry *entries, const SampleRow &s, bool markers,
                           int32_t carried) {
    addBias(entries, s.bias);
    if (markers)
      forEach(entries, s.penalties, [](float l, float amount) { return l - amount; });
    const float r = s.repetition, a = s.presence, b = s.frequency;
    if (r != 1)
      forEachWritten(entries, s.seen, carried,
                     [=](float l, float) { return l > 0 ? l / r : l * r; });
    if (a != 0 || b != 0)
      forEachWritten(entries, s.generated, carried,
                     [=](float l, float count) { return l - (a + b * count); });
    forEach(entries, s.dry, [](float l, float amount) { return l - amount; });
    forEach(entries, s.banned, [](float, float) { return -INFINITY; });
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_SAMPLING_SAMPLEROWSTATE_H
