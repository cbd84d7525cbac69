//===- ChainTest.cpp - The sampler chain against a naive one ----------------------------------===//
#include "Sampling/Random.h"
#include "Sampling/Sampler.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

using namespace qrt;

namespace {

/// The candidates and their probabilities, step by step and without any shortcut.
std::vector<std::pair<int32_t, double>> naive(std::vector<float> logits, const SamplingOptions &o) {
  std::vector<int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
  std::vector<std::pair<int32_t, double>> p;
  for (int32_t v : order)
    p.push_back({v, std::exp(double(logits[v]) / o.temperature)});
  auto renormalise = [&] {
    double sum = 0;
    for (auto &[v, x] : p)
      sum += x;
    for (auto &[v, x] : p)
      x /= sum;
  };
  if (o.topK > 0 && size_t(o.topK) < p.size())
    p.resize(size_t(o.topK));
  renormalise();
  double mass = 0;
  size_t kept = 0;
  while (kept < p.size() && (kept == 0 || mass < o.topP))
    mass += p[kept++].second;
  if (o.topP < 1)
    p.resize(kept);
  double least = o.minP * p[0].second;
  std::erase_if(p, [&](auto &c) { return c.second < least; });
  renormalise();
  return p;
}

int32_t pick(Sampler &sampler, const std::vector<float> &logits, const SamplingOptions &options,
             const StepControls &controls = {}, std::vector<int32_t> history = {}) {
  auto r = sampler.sample(logits.data(), {history, 0}, options, controls);
  EXPECT_TRUE(r) << r.status().message();
  return r ? r->token : -1;
}

} // namespace

TEST(Chain, GreedyTakesTheLowestOfEquals) {
  Sampler sampler(4);
  SamplingOptions o;
  o.temperature = 0;
  EXPECT_EQ(pick(sampler, {1, 3, 3, 2}, o), 1);
  o.logitBias = {{1, -INFINITY}};
  EXPECT_EQ(pick(sampler, {1, 3, 3, 2}, o), 2);
}

TEST(Chain, OrderOfTheSteps) {
  Sampler sampler(3);
  SamplingOptions o;
  o.temperature = 0;
  // Bias and marker penalty come before the repetition penalty, which multiplies what they left:
  // 4 - 3 = 1 stays positive and is halved to 0.5, above the 0.4 of token 1.
  o.repetitionPenalty = 2;
  TokenPenalty marker[] = {{0, 3.0f}};
  StepControls c;
  c.penalties = marker;
  EXPECT_EQ(pick(sampler, {4, 0.4f, 0}, o, c, {0}), 0);
  // Were it the other way round, 4 / 2 - 3 = -1 would lose. With a bias of -1.5 more the sum turns
  // negative before the penalty: (4 - 1.5 - 3) * 2 = -1.
  o.logitBias = {{0, -1.5f}};
  EXPECT_EQ(pick(sampler, {4, -0.9f, -2}, o, c, {0}), 1);
  // A ban is later than any bias, the forced token later than the ban.
  int32_t banned[] = {1};
  o = {};
  o.temperature = 0;
  o.logitBias = {{1, 100.0f}};
  c = {};
  c.banned = banned;
  EXPECT_EQ(pick(sampler, {1, 1, 0}, o, c), 0);
  c.forced = 1;
  EXPECT_EQ(pick(sampler, {1, 1, 0}, o, c), 1);
  uint64_t allowed[] = {0b100};
  c = {};
  c.allowed = allowed;
  EXPECT_EQ(pick(sampler, {1, 1, 0}, o, c), 2);
  c.forced = 0;
  EXPECT_EQ(pick(sampler, {1, 1, 0}, o, c), 0);
}

TEST(Chain, DrawsFollowTheNaiveDistribution) {
  constexpr int32_t vocab = 300;
  std::vector<float> logits;
  for (uint64_t v = 0; v < vocab; ++v) // ties included
    logits.push_back(std::round(float(uniformAt(11, v, 0)) * 40) / 5);
  Sampler sampler(vocab);
  for (int variant = 0; variant < 12; ++variant) {
    SamplingOptions o;
    o.temperature = variant % 2 ? 0.7f : 1.9f;
    o.topK = variant % 3 == 0 ? 0 : variant % 3 == 1 ? 5 : 170;
    o.topP = variant % 4 < 2 ? 1 : 0.8f;
    o.minP = variant % 5 == 2 ? 0.05f : 0;
    auto expected = naive(logits, o);
    constexpr int draws = 20000;
    std::vector<int> seen(vocab, 0);
    for (int i = 0; i < draws; ++i) {
      o.seed = uint64_t(i);
      ++seen[size_t(pick(sampler, logits, o))];
    }
    int inside = 0;
    double chiSquared = 0;
    for (auto [v, p] : expected) {
      inside += seen[size_t(v)];
      chiSquared += std::pow(seen[size_t(v)] - draws * p, 2) / (draws * p);
    }
    EXPECT_EQ(inside, draws) << "a token outside the candidates, variant " << variant;
    double freedom = double(expected.size()) - 1;
    EXPECT_LT(chiSquared, freedom + 5 * std::sqrt(2 * freedom) + 5) << "variant " << variant;
  }
}

TEST(Chain, DrawsDependOnSeedPositionAndStreamOnly) {
  Sampler one(50), other(50);
  std::vector<float> logits(50, 0);
  SamplingOptions o;
  o.seed = 99;
  std::vector<int32_t> history = {1, 2, 3};
  pick(other, logits, o, {}, {7}); // something else in between
  EXPECT_EQ(pick(one, logits, o, {}, history), pick(other, logits, o, {}, history));
  int different = 0;
  for (uint64_t stream = 1; stream <= 8; ++stream) {
    auto r = one.sample(logits.data(), {history, 0}, o, {}, stream);
    different += r->token != pick(other, logits, o, {}, history);
  }
  EXPECT_GT(different, 4);
}

TEST(Chain, Logprobs) {
  Sampler sampler(4);
  SamplingOptions o;
  o.temperature = 0;
  o.logprobs = 2;
  std::vector<float> logits = {std::log(1.0f), std::log(2.0f), std::log(4.0f), std::log(1.0f)};
  StepControls c;
  c.forced = 3;
  auto r = sampler.sample(logits.data(), {}, o, c);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->token, 3);
  EXPECT_NEAR(r->logprob, std::log(1.0 / 8), 1e-6);
  ASSERT_EQ(r->top.size(), 2u);
  EXPECT_EQ(r->top[0].token, 2);
  EXPECT_NEAR(r->top[0].logprob, std::log(0.5), 1e-6);
  EXPECT_EQ(r->top[1].token, 1);
}

TEST(Chain, PenaltiesWaitForEntropyAndBansAreCounted) {
  Sampler sampler(4);
  SamplingOptions o;
  o.temperature = 0;
  TokenPenalty penalty[] = {{0, 50.0f}};
  int32_t banned[] = {3, 1};
  StepControls c;
  c.penalties = penalty;
  c.banned = banned;
  c.entropyMin = 1;
  std::vector<float> sure = {9, 0, 0, 9}, flat = {0, 0, 0, 0};
  auto r = sampler.sample(sure.data(), {}, o, c); // entropy ln 2
  ASSERT_TRUE(r);
  EXPECT_FALSE(r->penalised);
  EXPECT_EQ(r->token, 0);
  EXPECT_EQ(r->bannedBest, 0b01u);           // token 3 is as likely as any
  r = sampler.sample(flat.data(), {}, o, c); // ln 4
  ASSERT_TRUE(r);
  EXPECT_TRUE(r->penalised);
  EXPECT_EQ(r->token, 2);
  EXPECT_EQ(r->bannedBest, 0b11u);
}

TEST(Chain, NothingToChooseIsAnError) {
  Sampler sampler(2);
  std::vector<float> logits = {-INFINITY, NAN};
  EXPECT_FALSE(sampler.sample(logits.data(), {}, {}));
  logits = {1, INFINITY};
  EXPECT_FALSE(sampler.sample(logits.data(), {}, {}));
  logits = {1, 2};
  int32_t banned[] = {0, 1};
  StepControls c;
  c.banned = banned;
  EXPECT_FALSE(sampler.sample(logits.data(), {}, {}, c));
}

TEST(SamplingOptions, VerifyNamesTheField) {
  auto message = [](auto change) {
    SamplingOptions o;
    change(o);
    return o.verify(10).message();
  };
  EXPECT_EQ(message([](auto &) {}), "");
  EXPECT_NE(message([](auto &o) { o.temperature = -1; }).find("temperature"), std::string::npos);
  EXPECT_NE(message([](auto &o) { o.topP = NAN; }).find("top_p"), std::string::npos);
  EXPECT_NE(message([](auto &o) { o.logitBias = {{10, 1.0f}}; }).find("logit_bias"),
            std::string::npos);
  EXPECT_NE(message([](auto &o) { o.logitBias = {{1, INFINITY}}; }).find("logit_bias"),
            std::string::npos);
  EXPECT_EQ(message([](auto &o) { o.logitBias = {{1, -INFINITY}}; }), "");
  EXPECT_NE(message([](auto &o) { o.dry.base = 0.5f; }).find("dry_base"), std::string::npos);
}
