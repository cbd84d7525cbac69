//===- Sampler.cpp - From logits to the next token --------------------------------------------===//
#include "Sampling/Sampler.h"

#include "Sampling/Repetition.h"
#include "Sampling/Softmax.h"
#include "Support/DrawMath.h"

#include <algorithm>
#include <cmath>

namespace qrt {

/// Which of the banned tokens the model would have taken.
static uint32_t bannedBest(std::span<const float> logits, std::span<const int32_t> banned) {
  uint32_t bits = 0;
  if (banned.empty())
    return bits;
  float max = -INFINITY;
  for (float l : logits)
    max = l > max ? l : max;
  for (size_t i = 0; i < std::min<size_t>(banned.size(), 32); ++i)
    if (banned[i] >= 0 && size_t(banned[i]) < logits.size() && !(max > logits[size_t(banned[i])]))
      bits |= uint32_t(1) << i;
  return bits;
}

Sampler::Sampler(int32_t vocabSize) : vocabSize(vocabSize), counts(size_t(vocabSize), 0) {}

void Sampler::mask(const StepControls &controls) {
  if (!controls.allowed.empty())
    for (size_t v = 0; v < work.size(); ++v)
      if (v / 64 >= controls.allowed.size() || !(controls.allowed[v / 64] >> (v % 64) & 1))
        work[v] = -INFINITY;
  for (int32_t id : controls.banned)
    if (id >= 0 && id < vocabSize)
      work[size_t(id)] = -INFINITY;
}

/// Brings the `count` best candidates into their order; larger logits first, then lower tokens.
/// Grows by factors, since a top-p of a large vocabulary rarely needs more than some hundreds.
void Sampler::sortFirst(size_t count) {
  auto before = [](const Candidate &a, const Candidate &b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  };
  count = std::min(count, candidates.size());
  if (count <= sorted)
    return;
  size_t end = std::min(candidates.size(), std::max<size_t>(count, sorted ? 4 * sorted : 64));
  auto first = candidates.begin();
  if (end < candidates.size())
    std::nth_element(first + ptrdiff_t(sorted), first + ptrdiff_t(end), candidates.end(), before);
  std::sort(first + ptrdiff_t(sorted), first + ptrdiff_t(end), before);
  sorted = end;
}

int32_t Sampler::draw(const SamplingOptions &options, float temperature, float max,
                      uint64_t uniformBits) {
  candidates.clear();
  sorted = 0;
  for (int32_t v = 0; v < vocabSize; ++v)
    if (work[size_t(v)] > -INFINITY)
      candidates.push_back({work[size_t(v)], v});
  auto weight = [&](const Candidate &c) { return draw::weight(c.logit, max, temperature); };
  const bool ranks = options.topK > 0 || options.topP < 1;
  if (options.topK > 0 && size_t(options.topK) < candidates.size()) {
    sortFirst(size_t(options.topK));
    candidates.resize(size_t(options.topK));
    sorted = candidates.size();
  }
  if (options.topP < 1) {
    uint64_t total = 0, mass = 0;
    for (const Candidate &c : candidates)
      total += weight(c);
    size_t kept = 0;
    while (kept < candidates.size() && (kept == 0 || draw::belowTopP(mass, total, options.topP))) {
      sortFirst(kept + 1);
      mass += weight(candidates[kept++]);
    }
    candidates.resize(kept);
    sorted = std::min(sorted, kept);
  }
  if (ranks)
    std::sort(candidates.begin(), candidates.end(),
              [](const Candidate &a, const Candidate &b) { return a.token < b.token; });
  weights.clear();
  uint64_t total = 0;
  size_t kept = 0;
  for (const Candidate &c : candidates) {
    const uint64_t w = weight(c);
    if (!draw::reachesMinP(w, options.minP))
      continue;
    candidates[kept++] = c;
    weights.push_back(w);
    total += w;
  }
  // The likeliest has the unit weight: there is a candidate, and the target is below the total.
  const uint64_t target = draw::scaled(uniformBits, total);
  size_t chosen = 0;
  for (uint64_t sum = weights[0]; sum <= target; sum += weights[chosen])
    ++chosen;
  return candidates[chosen].token;
}

void Sampler::report(int32_t token, int32_t count, SampledToken &out) {
  LogitSummary s = summarize(work);
  auto logprob = [&](int32_t v) { return float(double(work[size_t(v)]) - s.logSumExp); };
  out.logprob = s.argmax < 0 ? -INFINITY : logprob(token);
  if (count <= 0)
    return;
  candidates.clear();
  sorted = 0;
  for (int32_t v = 0; v < vocabSize; ++v)
    if (work[size_t(v)] > -INFINITY)
      candidates.push_back({work[size_t(v)], v});
  sortFirst(size_t(count));
  for (size_t i = 0; i < std::min(size_t(count), candidates.size()); ++i)
    out.top.push_back({candidates[i].token, logprob(candidates[i].token)});
}

Result<SampledToken> Sampler::sample(const float *logits, const History &history,
                                     const SamplingOptions &options, const StepControls &controls,
                                     uint64_t stream) {
  SampledToken out;
  const bool chooses = !controls.forced;
  const std::span<const float> raw(logits, size_t(vocabSize));
  out.penalised = !controls.penalties.empty() &&
                  (controls.entropyMin <= 0 || summarize(raw).entropy >= controls.entropyMin);
  out.bannedBest = bannedBest(raw, controls.banned);
  if (chooses || options.logprobs >= 0) {
    work.assign(logits, logits + vocabSize);
    for (auto [id, bias] : options.logitBias)
      work[size_t(id)] += bias;
    for (const TokenPenalty &p : controls.penalties)
      if (out.penalised && p.token >= 0 && p.token < vocabSize)
        work[size_t(p.token)] -= p.amount;
    penaliseRepetition(history.tokens, history.promptLength, options, work, counts);
    penaliseDry(history.tokens, options.dry, work, scratch, counts);
    mask(controls);
  }
  if (!chooses) {
    if (*controls.forced < 0 || *controls.forced >= vocabSize)
      return invalidArgument("forced token " + std::to_string(*controls.forced) +
                             " is outside the vocabulary");
    out.token = *controls.forced;
  } else {
    int32_t best = -1;
    for (int32_t v = 0; v < vocabSize; ++v)
      if (work[size_t(v)] > (best < 0 ? -INFINITY : work[size_t(best)]))
        best = v;
    if (best < 0)
      return invalidArgument("no token can be chosen: every logit is -inf or not a number");
    if (work[size_t(best)] == INFINITY)
      return invalidArgument("the logit of token " + std::to_string(best) + " is infinite");
    float temperature = controls.temperature.value_or(options.temperature);
    out.token = temperature == 0
                    ? best
                    : draw(options, temperature, work[size_t(best)],
                           draw::uniformBits(options.seed, history.tokens.size(), stream));
  }
  if (options.logprobs >= 0)
    report(out.token, options.logprobs, out);
  return out;
}

} // namespace qrt
