//===- LoopDetectorTest.cpp - Loops against a naive count -------------------------------------===//
#include "Reasoning/LoopDetector.h"
#include "Sampling/Random.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>

using namespace qrt;

namespace {

/// The definition: the n-gram that ends here occurs `count` times within the last `window` tokens.
bool naive(const std::vector<int32_t> &t, int32_t ngram, int32_t count, int32_t window) {
  if (t.size() < size_t(ngram))
    return false;
  size_t begin = t.size() > size_t(window) ? t.size() - size_t(window) : 0;
  int found = 0;
  for (size_t i = begin; i + size_t(ngram) <= t.size(); ++i)
    found +=
        std::equal(t.begin() + ptrdiff_t(i), t.begin() + ptrdiff_t(i) + ngram, t.end() - ngram);
  return found >= count;
}

std::vector<int32_t> phrase(int32_t first, int32_t length) {
  std::vector<int32_t> out;
  for (int32_t i = 0; i < length; ++i)
    out.push_back(first + i);
  return out;
}

} // namespace

TEST(LoopDetector, AgreesWithTheDefinition) {
  for (uint64_t round = 0; round < 60; ++round) {
    LoopDetector detector(3, 3, 20, false);
    std::vector<int32_t> tokens;
    for (uint64_t i = 0; i < 150; ++i) {
      tokens.push_back(int32_t(uniformAt(round, i, 0) * 3));
      ASSERT_EQ(detector.push(tokens.back()).has_value(), naive(tokens, 3, 3, 20))
          << round << " " << i;
    }
  }
}

TEST(LoopDetector, TruncateIsAsIfNothingHadBeen) {
  for (uint64_t round = 0; round < 20; ++round) {
    LoopDetector one(3, 3, 20, false), other(3, 3, 20, false);
    auto token = [&](uint64_t i, uint64_t s) { return int32_t(uniformAt(round, i, s) * 3); };
    for (uint64_t i = 0; i < 100; ++i) {
      one.push(token(i, 0));
      if (i < 60)
        other.push(token(i, 0));
    }
    one.truncate(60);
    for (uint64_t i = 0; i < 80; ++i)
      ASSERT_EQ(one.push(token(i, 1)).has_value(), other.push(token(i, 1)).has_value());
  }
}

TEST(LoopDetector, NamesTheFirstRepetition) {
  // 10 other tokens, then a phrase of 30 again and again: the 20-gram occurs for the 4th time in
  // the fourth round, and what repeats begins at 10 + 30.
  LoopDetector detector(20, 4, 1024, false);
  std::vector<int32_t> tokens = phrase(1000, 10);
  for (int round = 0; round < 5; ++round)
    for (int32_t t : phrase(0, 30))
      tokens.push_back(t);
  for (size_t i = 0; i < tokens.size(); ++i)
    if (auto loop = detector.push(tokens[i])) {
      EXPECT_EQ(i, 10 + 90 + 20 - 1u);
      EXPECT_EQ(loop->start, 40);
      EXPECT_EQ(loop->period, 30);
      EXPECT_TRUE(loop->exact);
      return;
    }
  FAIL() << "no loop found";
}

TEST(LoopDetector, NearCycles) {
  // A phrase of 40 with two counters in it that change every round.
  LoopDetector detector(20, 4, 1024, true);
  std::vector<int32_t> base = phrase(0, 40);
  for (int32_t round = 0; round < 12; ++round) {
    base[10] = 500 + round;
    base[25] = 700 + round;
    for (int32_t t : base)
      if (auto loop = detector.push(t)) {
        EXPECT_FALSE(loop->exact);
        EXPECT_EQ(loop->period, 40);
        EXPECT_LE(round, 3);
        return;
      }
  }
  FAIL() << "no loop found";
}

TEST(LoopDetector, OrdinaryTextIsNoLoop) {
  LoopDetector detector(20, 4, 1024, true);
  for (uint64_t i = 0; i < 5000; ++i)
    ASSERT_FALSE(detector.push(int32_t(uniformAt(3, i, 0) * 30)));
}

TEST(LoopDetector, FinishedTexts) {
  std::vector<int32_t> same(64, 7);
  EXPECT_TRUE(hasExplicitLoop(same, "x"));
  EXPECT_TRUE(hasExactLoop(same));
  same.resize(22);
  EXPECT_FALSE(hasExactLoop(same)); // three 20-grams
  std::vector<int32_t> tokens;
  std::string text;
  for (int i = 0; i < 6; ++i) {
    for (int32_t t : phrase(0, 10))
      tokens.push_back(t);
    text += "the same line\n";
  }
  EXPECT_TRUE(hasExplicitLoop(tokens, text));
  EXPECT_FALSE(hasExplicitLoop(tokens, "one\ntwo\nthree\n"));
  EXPECT_FALSE(hasExplicitLoop(phrase(0, 60), text));
}
