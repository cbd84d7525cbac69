//===- Repetition.cpp - Penalties on what was written before ----------------------------------===//
#include "Sampling/Repetition.h"

#include <algorithm>
#include <cmath>

namespace qrt {
namespace {

std::span<const int32_t> lastTokens(std::span<const int32_t> tokens, int32_t window) {
  return window > 0 && size_t(window) < tokens.size() ? tokens.last(size_t(window)) : tokens;
}

} // namespace

void listSeen(std::span<const int32_t> tokens, int32_t window, std::span<int32_t> counts,
              std::vector<SampleEntry> &out) {
  auto known = [&](int32_t id) { return id >= 0 && size_t(id) < counts.size(); };
  const size_t first = out.size();
  for (int32_t id : lastTokens(tokens, window))
    if (known(id) && counts[size_t(id)]++ == 0)
      out.push_back({id, 0});
  for (size_t i = first; i < out.size(); ++i) {
    int32_t &count = counts[size_t(out[i].token)];
    out[i].value = float(count);
    count = 0;
  }
}

void penaliseRepetition(std::span<const int32_t> tokens, int64_t promptLength,
                        const SamplingOptions &options, std::span<float> logits,
                        std::span<int32_t> counts) {
  std::vector<SampleEntry> list;
  if (options.repetitionPenalty != 1) {
    listSeen(tokens, options.repetitionWindow, counts, list);
    for (const SampleEntry &entry : list) {
      float &l = logits[size_t(entry.token)];
      l = l > 0 ? l / options.repetitionPenalty : l * options.repetitionPenalty;
    }
  }
  if (options.presencePenalty != 0 || options.frequencyPenalty != 0) {
    list.clear();
    listSeen(tokens.subspan(size_t(promptLength)), 0, counts, list);
    for (const SampleEntry &entry : list)
      logits[size_t(entry.token)] -=
          options.presencePenalty + options.frequencyPenalty * entry.value;
  }
}

void listDry(std::span<const int32_t> tokens, const DryOptions &options,
             std::vector<int32_t> &scratch, std::span<int32_t> counts,
             std::vector<SampleEntry> &out) {
  if (options.multiplier == 0)
    return;
  tokens = lastTokens(tokens, options.window);
  const int64_t n = int64_t(tokens.size());
  auto isBreaker = [&](int32_t id) {
    return std::find(options.breakers.begin(), options.breakers.end(), id) !=
           options.breakers.end();
  };
  // Read backwards, the suffix is a prefix: z[i] is the length of the match that ends i tokens
  // before the end, and the token that followed it stands at i - 1. No match reaches over a
  // breaker.
  auto at = [&](int64_t i) { return tokens[size_t(n - 1 - i)]; };
  int64_t limit = 0;
  while (limit < n && !isBreaker(at(limit)))
    ++limit;
  if (limit < options.allowedLength)
    return;
  scratch.assign(size_t(n), 0);
  std::vector<int32_t> &z = scratch;
  for (int64_t i = 1, left = 0, right = 0; i < n; ++i) {
    int64_t length = i < right ? std::min<int64_t>(right - i, z[size_t(i - left)]) : 0;
    while (i + length < n && at(length) == at(i + length))
      ++length;
    if (i + length > right) {
      left = i;
      right = i + length;
    }
    z[size_t(i)] = int32_t(length);
  }
  // The longest match per following token.
  auto usable = [&](int64_t i) {
    int32_t next = at(i - 1);
    return std::min<int64_t>(z[size_t(i)], limit) >= options.allowedLength && next >= 0 &&
           size_t(next) < counts.size() && !isBreaker(next);
  };
  for (int64_t i = 1; i < n; ++i)
    if (usable(i)) {
      int32_t &longest = counts[size_t(at(i - 1))];
      longest = int32_t(std::max<int64_t>(longest, std::min<int64_t>(z[size_t(i)], limit)));
    }
  for (int64_t i = 1; i < n; ++i)
    if (int32_t next = usable(i) ? at(i - 1) : -1; next >= 0 && counts[size_t(next)] > 0) {
      double exponent = counts[size_t(next)] - options.allowedLength;
      double amount = options.multiplier * std::pow(double(options.base), exponent);
      // Finite, and larger than any logit.
      out.push_back({next, float(std::min(amount, 1e30))});
      counts[size_t(next)] = 0;
    }
}

void penaliseDry(std::span<const int32_t> tokens, const DryOptions &options,
                 std::span<float> logits, std::vector<int32_t> &scratch,
                 std::span<int32_t> counts) {
  std::vector<SampleEntry> list;
  listDry(tokens, options, scratch, counts, list);
  for (const SampleEntry &entry : list)
    logits[size_t(entry.token)] -= entry.value;
}

} // namespace qrt
