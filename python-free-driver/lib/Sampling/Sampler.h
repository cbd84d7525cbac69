//===- Sampler.h - From logits to the next token ----------------------------------------------===//
// The chain, in this order and no other:
//   1  logit bias              logit += bias
//   2  marker penalty          logit -= amount                 (StepControls::penalties)
//   3  repetition, presence, frequency penalty, DRY
//   4  grammar mask            -inf where not allowed          (StepControls::allowed)
//   5  bans                    -inf                            (StepControls::banned)
//   6  temperature             logit / T; T = 0 takes the largest
//   7  top-k, then top-p, then min-p   each on what the former left, renormalised
//   8  draw                    Random.h, position and stream given by the caller; the candidates
//   that
//                              are left stand in the order of their tokens
//   9  forced token            (StepControls::forced) the last word: nothing changes it
// Weights and their sums are fixed point (Support/DrawMath.h), so that the sampler of a device,
// which adds in another order, chooses the same token (kernels/cuda/sampling). A step whose
// candidates are all -inf is an error (InvalidArgument), never token 0. The sampler keeps no state
// but its scratch memory: the history is the caller's, so rolling back tokens rolls back every
// penalty, and one sampler serves all sequences of a batch. Thread safety: one thread at a time per
// sampler.
#ifndef QRT_SAMPLING_SAMPLER_H
#define QRT_SAMPLING_SAMPLER_H

#include "Sampling/Options.h"
#include "qrt/Status.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace qrt {

struct TokenPenalty {
  int32_t token;
  float amount; ///< subtracted from the logit
};

/// What the controls of a step ask for; see the chain above.
struct StepControls {
  std::span<const TokenPenalty> penalties; ///< each token at most once
  std::span<const uint64_t> allowed;       ///< bit v of word v / 64: token v may come; empty: all
  std::span<const int32_t> banned;
  std::optional<int32_t> forced;
  std::optional<float> temperature; ///< instead of the request's, for this step
  /// > 0: the penalties act only where the entropy (nats) of the logits reaches it.
  float entropyMin = 0;
};

struct TokenLogprob {
  int32_t token;
  float logprob; ///< natural logarithm
};

struct SampledToken {
  int32_t token = -1;
  /// Log-probability after steps 1 to 5, at temperature 1, of this token; asked for by logprobs >=
  /// 0.
  float logprob = 0;
  std::vector<TokenLogprob> top; ///< the `logprobs` likeliest, descending, lower ids first
  bool penalised = false;        ///< StepControls::penalties acted
  /// Bit i: no logit was larger than that of StepControls::banned[i], i < 32.
  uint32_t bannedBest = 0;
};

/// What came before the step. `tokens` is prompt and generated ids together.
struct History {
  std::span<const int32_t> tokens;
  int64_t promptLength = 0;
};

class Sampler {
public:
  explicit Sampler(int32_t vocabSize);

  /// `logits`: vocabSize values, not changed. `stream` separates draws at one position (a retry
  /// after a roll-back draws again). The options must have passed verify().
  Result<SampledToken> sample(const float *logits, const History &history,
                              const SamplingOptions &options, const StepControls &controls = {},
                              uint64_t stream = 0);

private:
  struct Candidate {
    float logit;
    int32_t token;
  };
  void mask(const StepControls &controls);
  int32_t draw(const SamplingOptions &options, float temperature, float max, uint64_t uniformBits);
  void sortFirst(size_t count);
  void report(int32_t token, int32_t count, SampledToken &out);

  int32_t vocabSize;
  std::vector<float> work;           // the logits as the chain changes them
  std::vector<int32_t> counts;       // one per token, zero between uses
  std::vector<int32_t> scratch;      // DRY
  std::vector<Candidate> candidates; // what may still be drawn
  size_t sorted = 0;                 // so many of them are in their final order
  std::vector<uint64_t> weights;     // exp((logit - max) / temperature) per candidate
};

} // namespace qrt

#endif // QRT_SAMPLING_SAMPLER_H
