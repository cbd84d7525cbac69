//===- FitStrengthTest.cpp - The strength that restores a rate -------------------------------===//
#include "Eval/FitStrength.h"
#include "FakeTokenizer.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;

TEST(FitStrength, BisectsToTheRateOfTheReference) {
  int calls = 0;
  auto fit = fitStrength(0.02, [&](double strength) -> Result<double> {
    ++calls;
    return 0.05 * std::exp(-strength);
  });
  ASSERT_TRUE(fit);
  EXPECT_NEAR(fit->strength, std::log(2.5), 0.03);
  EXPECT_NEAR(fit->rate, 0.02, 0.001);
  EXPECT_EQ(fit->steps.size(), size_t(calls));
  EXPECT_EQ(fit->steps[0].strength, 0);
  EXPECT_LE(calls, 9);
}

TEST(FitStrength, NothingToRepair) {
  auto fit = fitStrength(0.05, [](double) -> Result<double> { return 0.04; });
  ASSERT_TRUE(fit);
  EXPECT_EQ(fit->strength, 0);
  EXPECT_EQ(fit->steps.size(), 1u);
}

TEST(FitStrength, EndsWhereNoStrengthIsEnough) {
  auto fit =
      fitStrength(0.01, [](double strength) -> Result<double> { return 0.1 - strength / 1000; });
  ASSERT_TRUE(fit);
  EXPECT_EQ(fit->strength, 16);
  EXPECT_EQ(fit->steps.size(), 6u);
}

TEST(FitStrength, PassesErrorsOn) {
  auto fit = fitStrength(0.01, [](double) -> Result<double> { return internalError("as wanted"); });
  ASSERT_FALSE(fit);
  EXPECT_EQ(fit.status().message(), "as wanted");
}

TEST(MarkerRate, CountsInsideTheThinkingOnly) {
  auto tokenizer = std::make_shared<FakeTokenizer>(
      std::vector<std::string>{"?", "<think>", "</think>", " wait", " 7"}, std::set<int32_t>{1, 2});
  ModelTexts texts;
  texts.tokenizer = tokenizer;
  texts.thinkTags = ThinkTags{"<think>", "</think>", 1, 2};
  MarkerTable table;
  table.markers = {{3, " wait", 1, false}};
  // The template opens the thinking; the prompt is not counted, nor what follows the thinking. The
  // token that ends it is, as it was generated inside.
  TokenRow row{{3, 1, 4, 3, 4, 2, 3, 3}, {false, false, true, true, true, true, true, true}};
  EXPECT_EQ(thinkingOf(texts, std::span(&row, 1))[0], (std::vector<int32_t>{4, 3, 4, 2}));
  EXPECT_EQ(markerRate(texts, table, std::span(&row, 1)), 0.25);
  texts.thinkTags.reset();
  EXPECT_EQ(markerRate(texts, table, std::span(&row, 1)), 0.5);
}
