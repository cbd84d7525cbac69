//===- Options.h - What a caller can ask of the sampler ---------------------------------------===//
// One struct per request; the defaults switch everything off but temperature 1. The order in which
// the settings act is fixed, see Sampler.h.
#ifndef QRT_SAMPLING_OPTIONS_H
#define QRT_SAMPLING_OPTIONS_H

#include "qrt/Status.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace qrt {

/// DRY ("don't repeat yourself", p-e-w, text-generation-webui pull request 5677).
struct DryOptions {
  float multiplier = 0;          ///< 0: off; 0.8 is usual
  float base = 1.75f;            ///< growth per token of the match
  int32_t allowedLength = 2;     ///< matches shorter than this cost nothing
  int32_t window = 0;            ///< tokens looked at, 0: all
  std::vector<int32_t> breakers; ///< ids over which no match reaches; never penalised
};

struct SamplingOptions {
  float temperature = 1; ///< 0: greedy, the lowest id among equals
  int32_t topK = 0;      ///< 0: off
  float topP = 1;        ///< 1: off
  float minP = 0;        ///< 0: off; relative to the likeliest token
  uint64_t seed = 0;
  float repetitionPenalty = 1; ///< CTRL (1909.05858): divides positive, multiplies negative logits
  float presencePenalty = 0;   ///< subtracted once from tokens generated before
  float frequencyPenalty = 0;  ///< subtracted per occurrence among generated tokens
  int32_t repetitionWindow =
      0; ///< last tokens (prompt included) that repetitionPenalty sees, 0: all
  DryOptions dry;
  std::vector<std::pair<int32_t, float>> logitBias; ///< added to the logit; -inf bans
  int32_t logprobs =
      -1; ///< >= 0: report the chosen token's log-probability and that many best ones

  /// InvalidArgument naming the field: out of range, not finite, or an id outside [0, vocabSize).
  Status verify(int32_t vocabSize) const;
};

} // namespace qrt

#endif // QRT_SAMPLING_OPTIONS_H
