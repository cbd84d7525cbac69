//===- SampleRow.h - What the sampler of a device is told about one row ----------------------===//
// The chain of Sampling/Sampler.h with everything that depends on the history already looked up:
// lists of tokens, most of them short. Plain data, shared by the code that fills it
// (Sampling/SampleLists.h) and by the kernel (kernels/cuda/sampling).
#ifndef QRT_SUPPORT_SAMPLEROW_H
#define QRT_SUPPORT_SAMPLEROW_H

#include <cstdint>

namespace qrt {

struct SampleEntry {
  int32_t token;
  float value;
};

/// Consecutive entries of the step's array. Tokens of a list are inside the vocabulary; only `bias`
/// may have one more than once, then side by side.
struct SampleList {
  int32_t first = 0, count = 0;
};

struct SampleRow {
  uint64_t seed = 0, stream = 0, position = 0; ///< of the draw
  float temperature = 1;                       ///< 0: the largest
  float topP = 1, minP = 0;
  int32_t topK = 0;
  float repetition = 1, presence = 0, frequency = 0;
  float entropyMin = 0; ///< > 0: `penalties` act where the entropy of the raw logits reaches it
  int32_t forced = -1;  ///< >= 0: this token, whatever the logits
  SampleList bias;      ///< added
  SampleList penalties; ///< subtracted
  SampleList seen;      ///< divided (positive) or multiplied (negative) by `repetition`
  SampleList generated; ///< value = how often: presence + frequency * value is subtracted
  SampleList dry;       ///< subtracted
  SampleList banned;    ///< -inf
  /// The lists end before the token that this step reads, which the step before chose: `seen` and
  /// `generated` have it once more.
  int32_t carries = 0;
  uint64_t stamp = 0; ///< comes back with the result
};

/// What came out. Of the logits before the chain: the largest and its token.
struct SampleResult {
  int32_t token = -1; ///< -1: nothing can be chosen
  int32_t rawBest = -1;
  double entropy = 0;      ///< nats, of the raw logits, where entropyMin asked for it
  uint32_t penalised = 0;  ///< `penalties` acted
  uint32_t bannedBest = 0; ///< bit i: no raw logit is larger than that of banned entry i < 32
  uint32_t faults = 0;     ///< of the kernels of the step (kernels/cuda/Ops.h)
  uint64_t stamp = 0;      ///< written last: the row's stamp says that the result is there
};

} // namespace qrt

#endif // QRT_SUPPORT_SAMPLEROW_H
