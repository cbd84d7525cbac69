//===- TokenWeightsTest.cpp - Positions that count more ---------------------------------------===//
#include "TinyModel.h"

#include "qopt/Calibration/TokenWeights.h"

#include <algorithm>
#include <cmath>

using namespace qopt;
using namespace qopt::calibration;
using namespace qopt::test;

namespace {

TokenTable twoSequences() {
  TokenTable table;
  table.append(std::vector<int32_t>{1, 7, 2, 9});
  table.append(std::vector<int32_t>{7, 3, 7});
  return table;
}

} // namespace

TEST(TokenWeights, ReadsFactors) {
  auto weights = TokenWeights::parse("marker=2, entropy=1.5,end-of-think=4");
  ASSERT_TRUE(weights.isOk()) << weights.status().message();
  EXPECT_EQ(weights->marker, 2);
  EXPECT_EQ(weights->entropy, 1.5);
  EXPECT_EQ(weights->endOfThink, 4);
  EXPECT_EQ(weights->text(), "marker=2,entropy=1.5,end-of-think=4");
  EXPECT_EQ(TokenWeights::parse("marker=0.5")->text(), "marker=0.5");
  for (const char *text : {"", "marker", "marker=", "marker=0", "marker=-1", "marker=x",
                           "marker=2,marker=3", "word=2", "marker=nan", "marker=2000"})
    EXPECT_EQ(TokenWeights::parse(text).status().code(), qrt::StatusCode::InvalidArgument) << text;
}

TEST(TokenWeights, JudgesAPositionByWhatComesNext) {
  TokenTable table = twoSequences();
  TokenWeights weights;
  weights.marker = 3;
  weights.endOfThink = 5;
  auto counts = weighTokens(table, weights, {{7}, {9}}, {}, {});
  ASSERT_TRUE(counts.isOk()) << counts.status().message();
  // 7 is a marker: positions 0 and 5; the 7 that begins a sequence is behind nothing. 9 closes.
  EXPECT_EQ(table.weights, (std::vector<float>{3, 1, 5, 1, 1, 3, 1}));
  EXPECT_EQ(counts->markers, 2);
  EXPECT_EQ(counts->endOfThink, 1);

  TokenTable masked = twoSequences();
  masked.weights = {0, 1, 1, 1, 1, 2, 1}; // what is only context stays that
  ASSERT_TRUE(weighTokens(masked, weights, {{7}, {9}}, {}, {}).isOk());
  EXPECT_EQ(masked.weights, (std::vector<float>{0, 1, 5, 1, 1, 6, 1}));
}

TEST(TokenWeights, AFactorWithoutPositionsIsAnError) {
  TokenTable table = twoSequences();
  TokenWeights weights;
  weights.endOfThink = 2;
  auto counts = weighTokens(table, weights, {{7}, {}}, {}, {});
  EXPECT_EQ(counts.status().code(), qrt::StatusCode::BadCalibration);
  EXPECT_NE(counts.status().message().find("'end-of-think'"), std::string::npos);
}

TEST(TokenWeights, EntropyComesFromTheModel) {
  auto context = makeContext();
  auto module = makeModule(*context);
  TokenTable table = makeTokens({300, 40, 160});
  auto entropies = nextTokenEntropies(mainOf(*module), table, {});
  ASSERT_TRUE(entropies.isOk()) << entropies.status().message();
  ASSERT_EQ(entropies->size(), 500u);
  // Against the definition, on logits of the same forward.
  auto engine = makeEngine(*module);
  ASSERT_TRUE(engine);
  int seq = *engine->addSequence();
  auto step = engine->step(std::vector<qrt::Engine::Chunk>{
      {seq, std::span(table.ids).subspan(300, 40), qrt::Engine::Logits::All}});
  ASSERT_TRUE(step.isOk()) << step.status().message();
  for (int64_t t = 0; t < 40; ++t) {
    double sum = 0, expected = 0;
    const float *row = step->logits + t * tinyShape.vocabulary;
    for (int64_t i = 0; i < tinyShape.vocabulary; ++i)
      sum += std::exp(double(row[i]));
    for (int64_t i = 0; i < tinyShape.vocabulary; ++i)
      expected -= std::exp(double(row[i])) / sum * (row[i] - std::log(sum));
    EXPECT_NEAR((*entropies)[300 + t], expected, 1e-4) << t;
  }
  TokenWeights weights;
  weights.entropy = 2;
  auto counts = weighTokens(table, weights, {}, mainOf(*module), {});
  ASSERT_TRUE(counts.isOk()) << counts.status().message();
  EXPECT_NEAR(double(counts->entropy), 100, 2); // a fifth
  float least = 1e9f, most = 0;
  for (size_t t = 0; t < table.ids.size(); ++t)
    if (table.weights[t] == 2)
      least = std::min(least, (*entropies)[t]);
    else
      most = std::max(most, (*entropies)[t]);
  EXPECT_GT(least, most);
}
