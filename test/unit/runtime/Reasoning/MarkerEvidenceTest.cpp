//===- MarkerEvidenceTest.cpp - Derived marker tables by hand --------------------------------===//
#include "Reasoning/MarkerEvidence.h"
#include "FakeTokenizer.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;

namespace {

/// Ids in the order of the entries.
enum : int32_t { Unknown, Wait, Apples, Piece, Tail, Digit, BareWait, Line, Special };

std::shared_ptr<FakeTokenizer> words() {
  return std::make_shared<FakeTokenizer>(
      std::vector<std::string>{"?", " wait", " apples", " al", "so", "7", "Wait", "\n", "<end>"},
      std::set<int32_t>{Special});
}

std::vector<float> logitsOf(std::vector<std::pair<int32_t, double>> probabilities) {
  std::vector<float> logits(9, -20.0f);
  for (auto [id, p] : probabilities)
    logits[size_t(id)] = float(std::log(p));
  return logits;
}

struct Position {
  std::vector<std::pair<int32_t, double>> reference, model;
  bool lineStart = false;
};

MarkerEvidence evidenceOf(const std::vector<Position> &positions, int texts,
                          DeriveOptions options = {}) {
  MarkerEvidence evidence(words(), options);
  for (int t = 0; t < texts; ++t) {
    for (const Position &position : positions)
      evidence.add(likelyTokens(logitsOf(position.reference)),
                   likelyTokens(logitsOf(position.model)), position.lineStart);
    evidence.endText();
  }
  evidence.readText(std::vector<int32_t>{Wait, Apples, Digit, Line, BareWait, Line, Piece, Tail});
  return evidence;
}

double logit(double p) { return std::log(p / (1 - p)); }

} // namespace

TEST(LikelyTokens, KeepsTheNucleusAndWhatIsNotRare) {
  auto likely = likelyTokens(
      logitsOf({{Wait, 0.6}, {Apples, 0.36}, {Digit, 0.035}, {Tail, 0.004}, {Line, 0.0005}}));
  ASSERT_EQ(likely.size(), 4u);
  EXPECT_EQ(likely[0].token, Wait);
  EXPECT_TRUE(likely[0].nucleus);
  EXPECT_TRUE(likely[1].nucleus); // 0.6 is not yet 0.95
  EXPECT_FALSE(likely[2].nucleus);
  EXPECT_EQ(likely[2].token, Tail);
  EXPECT_NEAR(likely[2].logProbability, std::log(0.004), 1e-3);
  EXPECT_EQ(likely[3].token, Digit);
  EXPECT_FALSE(likely[3].nucleus);
  EXPECT_TRUE(likelyTokens(std::vector<float>(3, NAN)).empty());
}

TEST(MarkerEvidence, StrengthsAreMediansOfLogOddsAroundOne) {
  // " wait" doubles its probability everywhere, " apples" rises less; digits are no words.
  std::vector<Position> positions = {
      {{{Wait, 0.2}, {Digit, 0.5}, {Apples, 0.3}}, {{Wait, 0.4}, {Digit, 0.25}, {Apples, 0.35}}},
      {{{Wait, 0.1}, {Digit, 0.8}, {Apples, 0.1}}, {{Wait, 0.2}, {Digit, 0.65}, {Apples, 0.15}}},
      {{{Wait, 0.3}, {Digit, 0.6}, {Apples, 0.1}}, {{Wait, 0.6}, {Digit, 0.2}, {Apples, 0.2}}}};
  auto evidence = evidenceOf(positions, 10);
  auto table = evidence.derive("derived");
  ASSERT_TRUE(table) << table.status().message();
  ASSERT_EQ(table->markers.size(), 2u);
  const double wait = logit(0.2) - logit(0.1); // the middle one of 0.98, 0.81 and 1.25
  const double middle = logit(0.4) - logit(0.2);
  EXPECT_GT(middle, wait);
  const double apples = logit(0.15) - logit(0.1);
  const double typical = (middle + apples) / 2;
  EXPECT_EQ(table->markers[0].token, Wait);
  EXPECT_NEAR(table->markers[0].strength, middle / typical, 0.006);
  EXPECT_NEAR(table->markers[1].strength, apples / typical, 0.006);
  auto why = evidence.selected();
  ASSERT_EQ(why.size(), 2u);
  EXPECT_EQ(why[0].events, 30);
  EXPECT_EQ(why[0].texts, 10);
  EXPECT_NEAR(why[0].shift, std::log(2.0), 1e-5);
  EXPECT_NEAR(why[0].excess, 0.6, 1e-5);
  EXPECT_EQ(why[0].consistency, 1);
  // Only the word that is overused most.
  auto one = evidenceOf(positions, 10, {.maxMarkers = 1}).derive("derived");
  ASSERT_TRUE(one);
  ASSERT_EQ(one->markers.size(), 1u);
  EXPECT_EQ(one->markers[0].token, Wait);
  EXPECT_EQ(one->markers[0].strength, 1);
}

TEST(MarkerEvidence, FallsPiecesAndDigitsAreNoMarkers) {
  std::vector<Position> positions = {
      {{{Apples, 0.6}, {Digit, 0.1}, {Piece, 0.3}}, {{Apples, 0.3}, {Digit, 0.3}, {Piece, 0.4}}}};
  auto table = evidenceOf(positions, 40).derive("derived");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.status().code(), StatusCode::InvalidArgument);
  EXPECT_NE(table.status().message().find("of 2 words with events in 40 texts none rises"),
            std::string::npos)
      << table.status().message();
}

TEST(MarkerEvidence, NeedsEventsInManyTexts) {
  std::vector<Position> positions(10, {{{Wait, 0.2}, {Digit, 0.8}}, {{Wait, 0.4}, {Digit, 0.6}}});
  EXPECT_FALSE(evidenceOf(positions, 9).derive("derived"));
  EXPECT_TRUE(evidenceOf(positions, 10).derive("derived"));
  EXPECT_FALSE(evidenceOf(positions, 10, {.minEvents = 101}).derive("derived"));
}

TEST(MarkerEvidence, RareSidesCountAsOneInAThousand) {
  // The reference all but excludes the word: 1e-3 stands for its probability.
  std::vector<Position> positions(
      3, {{{Digit, 0.9999}, {Wait, 0.00001}}, {{Wait, 0.2}, {Digit, 0.8}}});
  auto why = evidenceOf(positions, 10).selected();
  ASSERT_EQ(why.size(), 1u);
  EXPECT_NEAR(why[0].shift, std::log(0.2 / 1e-3), 1e-4);
  EXPECT_NEAR(why[0].logOdds, logit(0.2) - logit(1e-3), 1e-4);
}

TEST(MarkerEvidence, BareWordsCountAtLineStarts) {
  const std::vector<std::pair<int32_t, double>> p = {{BareWait, 0.2}, {Digit, 0.8}},
                                                q = {{BareWait, 0.5}, {Digit, 0.5}};
  EXPECT_FALSE(evidenceOf({{p, q, false}, {p, q, false}}, 10).derive("derived"));
  auto table = evidenceOf({{p, q, true}, {p, q, true}}, 10).derive("derived");
  ASSERT_TRUE(table) << table.status().message();
  EXPECT_TRUE(table->markers[0].lineStart);
}

TEST(MarkerEvidence, WhatTheModelDoesNotWriteMoreOftenIsNoMarker) {
  std::vector<Position> positions(3, {{{Wait, 0.2}, {Digit, 0.8}}, {{Wait, 0.4}, {Digit, 0.6}}});
  auto evidence = evidenceOf(positions, 10);
  const std::vector<int32_t> some = {Wait, Digit, Digit, Digit}, more = {Wait, Wait, Digit};
  evidence.readFreeText(false, some);
  evidence.readFreeText(true, some);
  EXPECT_FALSE(evidence.derive("derived"));
  evidence.readFreeText(true, more);
  EXPECT_TRUE(evidence.derive("derived"));
}
