//===- RepetitionTest.cpp - Repetition penalties and DRY against a quadratic search -----------===//
#include "Sampling/Repetition.h"
#include "Sampling/Random.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;

namespace {

/// DRY as its description says it, without cleverness.
std::vector<float> naiveDry(const std::vector<int32_t> &tokens, const DryOptions &o,
                            int32_t vocab) {
  std::vector<float> out(size_t(vocab), 0);
  size_t begin = o.window > 0 && size_t(o.window) < tokens.size() ? tokens.size() - o.window : 0;
  auto breaker = [&](int32_t id) {
    return std::count(o.breakers.begin(), o.breakers.end(), id) > 0;
  };
  for (int32_t v = 0; v < vocab; ++v) {
    int64_t longest = 0;
    for (size_t p = begin + 1; p < tokens.size() && !breaker(v); ++p) {
      if (tokens[p] != v)
        continue;
      int64_t n = 0; // tokens before p that equal the end of the history
      while (p - begin >= size_t(n) + 1 && tokens[p - 1 - n] == tokens[tokens.size() - 1 - n] &&
             !breaker(tokens[p - 1 - n]))
        ++n;
      longest = std::max(longest, n);
    }
    if (longest >= o.allowedLength)
      out[size_t(v)] = -float(o.multiplier * std::pow(o.base, double(longest - o.allowedLength)));
  }
  return out;
}

} // namespace

TEST(Repetition, HandComputed) {
  SamplingOptions o;
  o.repetitionPenalty = 2;
  o.presencePenalty = 0.5f;
  o.frequencyPenalty = 0.25f;
  std::vector<int32_t> tokens = {0, 1, 2, 2, 3}; // prompt 0 1, generated 2 2 3
  std::vector<float> logits = {4, -4, 1, 1, 1};
  std::vector<int32_t> counts(5, 0);
  penaliseRepetition(tokens, 2, o, logits, counts);
  EXPECT_EQ(logits, (std::vector<float>{2, -8, 0.5f - 1.0f, 0.5f - 0.75f, 1}));
  EXPECT_EQ(counts, std::vector<int32_t>(5, 0));
}

TEST(Repetition, WindowLimitsTheRepetitionPenaltyOnly) {
  SamplingOptions o;
  o.repetitionPenalty = 2;
  o.repetitionWindow = 1;
  std::vector<int32_t> tokens = {0, 1};
  std::vector<float> logits = {4, 4, 4};
  std::vector<int32_t> counts(3, 0);
  penaliseRepetition(tokens, 0, o, logits, counts);
  EXPECT_EQ(logits, (std::vector<float>{4, 2, 4}));
}

TEST(Dry, HandComputed) {
  DryOptions o;
  o.multiplier = 0.8f;
  // ... 5 6 7 | 9 | 5 6: the suffix "5 6" was followed by 7: n = 2, 0.8 * 1.75^0.
  std::vector<int32_t> tokens = {5, 6, 7, 9, 5, 6}, scratch, counts(10, 0);
  std::vector<float> logits(10, 0);
  penaliseDry(tokens, o, logits, scratch, counts);
  std::vector<float> expected(10, 0);
  expected[7] = -0.8f;
  EXPECT_EQ(logits, expected);
  EXPECT_EQ(counts, std::vector<int32_t>(10, 0));
}

TEST(Dry, AgreesWithTheQuadraticSearch) {
  for (uint64_t round = 0; round < 300; ++round) {
    DryOptions o;
    o.multiplier = 0.5f;
    o.allowedLength = 1 + int32_t(round % 3);
    o.window = round % 4 == 0 ? 17 : 0;
    if (round % 2)
      o.breakers = {3};
    std::vector<int32_t> tokens;
    for (uint64_t i = 0, n = round % 60; i < n; ++i)
      tokens.push_back(int32_t(uniformAt(round, i, 1) * (round % 5 ? 4 : 2)));
    std::vector<float> logits(5, 0);
    std::vector<int32_t> scratch, counts(5, 0);
    penaliseDry(tokens, o, logits, scratch, counts);
    ASSERT_EQ(logits, naiveDry(tokens, o, 5)) << "round " << round;
    ASSERT_EQ(counts, std::vector<int32_t>(5, 0));
  }
}

TEST(Dry, LongCyclesStayFinite) {
  DryOptions o;
  o.multiplier = 1;
  o.base = 4;
  std::vector<int32_t> tokens(5000, 1), scratch, counts(2, 0);
  std::vector<float> logits(2, 0);
  penaliseDry(tokens, o, logits, scratch, counts);
  EXPECT_TRUE(std::isfinite(logits[1]));
  EXPECT_LT(logits[1], -1e29f);
}
