//===- TeacherForcedTest.cpp - Distances of two small models against naive sums ---------------===//
#include "Eval/TeacherForced.h"
#include "Eval/PositionScore.h"
#include "TinyModel.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;

namespace {

std::vector<double> softmax(const std::vector<double> &logits) {
  double max = *std::max_element(logits.begin(), logits.end()), sum = 0;
  std::vector<double> p;
  for (double l : logits)
    sum += p.emplace_back(std::exp(l - max));
  for (double &x : p)
    x /= sum;
  return p;
}

std::vector<TokenRow> rowsOf(int64_t vocab) {
  std::vector<TokenRow> rows;
  for (uint32_t r = 0; r < 4; ++r) {
    TokenRow row;
    row.ids = randomTokens(20 + 7 * r, vocab, 100 + r);
    for (size_t i = 0; i < row.ids.size(); ++i)
      row.scored.push_back(i >= 5 && i % 3 != 0);
    rows.push_back(row);
  }
  return rows;
}

} // namespace

TEST(PositionScore, HandComputed) {
  // p = 1/2 1/4 1/4, q = 1/4 1/2 1/4: KL = 1/2 ln 2 - 1/4 ln 2 = ln 2 / 4.
  std::vector<float> p = {std::log(2.0f), 0, 0}, q = {0, std::log(2.0f), 0};
  AuditTokens audit;
  audit.markers = {1};
  audit.endOfThink = {2};
  PositionScore s = scorePosition(p, q, 1, audit);
  EXPECT_NEAR(s.kl, std::log(2.0) / 4, 1e-7);
  EXPECT_NEAR(s.entropyReference, 1.5 * std::log(2.0), 1e-7);
  EXPECT_NEAR(s.nllReference, std::log(4.0), 1e-6);
  EXPECT_NEAR(s.nllModel, std::log(2.0), 1e-6);
  EXPECT_FALSE(s.sameTop);
  EXPECT_NEAR(s.endOfThink[0], 0.25, 1e-6);
  ASSERT_EQ(s.events.size(), 1u);
  EXPECT_NEAR(s.events[0].logRatio, std::log(2.0), 1e-6);
  EXPECT_NEAR(s.events[0].logOdds, std::log(3.0), 1e-6); // odds 1 : 3 to 1 : 1
  EXPECT_EQ(s.events[0].rankShift, -1);                  // second among equals to first
  EXPECT_FALSE(scorePosition(std::vector<float>{NAN, NAN}, std::vector<float>{0, 0}, 0, {}).finite);
}

TEST(TeacherForced, AgreesWithTheNaiveReference) {
  TinyConfig config;
  TinyModel one(config);
  config.seed = 2; // another model of the same shape
  TinyModel two(config);
  auto rows = rowsOf(config.vocab);
  double kl = 0, entropy = 0, nll[2] = {}, same = 0;
  int64_t n = 0;
  for (const TokenRow &row : rows) {
    auto a = one.reference(row.ids), b = two.reference(row.ids);
    for (size_t t = 0; t + 1 < row.ids.size(); ++t) {
      if (!row.scored[t + 1])
        continue;
      auto p = softmax(a[t]), q = softmax(b[t]);
      for (size_t v = 0; v < p.size(); ++v) {
        kl += p[v] * std::log(p[v] / q[v]);
        entropy -= p[v] * std::log(p[v]);
      }
      nll[0] -= std::log(p[size_t(row.ids[t + 1])]);
      nll[1] -= std::log(q[size_t(row.ids[t + 1])]);
      same += std::max_element(p.begin(), p.end()) - p.begin() ==
              std::max_element(q.begin(), q.end()) - q.begin();
      ++n;
    }
  }
  for (int64_t chunk : {512, 7}) {
    auto c = compareTeacherForced(*one.engine(), *two.engine(), rows, {}, chunk, 2);
    ASSERT_TRUE(c) << c.status().message();
    EXPECT_EQ(c->tokens, n);
    EXPECT_NEAR(c->klMean, kl / double(n), 1e-4 * kl / double(n));
    EXPECT_NEAR(c->entropyReference, entropy / double(n), 1e-4);
    EXPECT_NEAR(c->perplexityReference, std::exp(nll[0] / double(n)), 1e-2);
    EXPECT_NEAR(c->perplexity, std::exp(nll[1] / double(n)), 1e-2);
    EXPECT_NEAR(c->top1, same / double(n), 1e-12);
    EXPECT_GT(c->klStderr, 0);
  }
}

TEST(TeacherForced, AModelIsEqualToItself) {
  TinyModel model({});
  AuditTokens audit;
  audit.endOfThink = {3};
  audit.markers = {1, 2, 4};
  auto c = compareTeacherForced(*model.engine(), *model.engine(), rowsOf(50), audit, 64, 1);
  ASSERT_TRUE(c);
  EXPECT_LT(c->klMax, 1e-9);
  EXPECT_EQ(c->top1, 1);
  EXPECT_EQ(c->perplexity, c->perplexityReference);
  EXPECT_FALSE(c->audit[0].collapsed);
  for (const TokenShift &s : c->markers)
    EXPECT_NEAR(s.meanLogRatio, 0, 1e-9);
}

TEST(TeacherForced, ThreadsDoNotChangeTheResult) {
  TinyConfig config;
  TinyModel one(config);
  config.format = kernels::WeightFormat::U4;
  TinyModel two(config);
  auto rows = rowsOf(50);
  auto a = compareTeacherForced(*one.engine({.threads = 1}), *two.engine({.threads = 1}), rows, {},
                                64, 1);
  auto b = compareTeacherForced(*one.engine({.threads = 3}), *two.engine({.threads = 3}), rows, {},
                                64, 3);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->klMean, b->klMean);
  EXPECT_EQ(a->kl, b->kl);
}

TEST(TeacherForced, DifferentVocabulariesAreAnError) {
  TinyConfig config;
  TinyModel one(config);
  config.vocab = 51;
  TinyModel two(config);
  EXPECT_FALSE(compareTeacherForced(*one.engine(), *two.engine(), rowsOf(50), {}, 64, 1));
}
