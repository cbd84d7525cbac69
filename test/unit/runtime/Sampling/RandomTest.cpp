//===- RandomTest.cpp - Philox against published vectors; the exponential ---------------------===//
#include "Sampling/Random.h"
#include "Sampling/Softmax.h"

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

using namespace qrt;
using Block = std::array<uint32_t, 4>;

// The known answers of the Random123 distribution (kat_vectors, "philox4x32 10").
TEST(Random, PhiloxKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, UniformIsTheFirst53BitsOfTheBlock) {
  EXPECT_EQ(uniformAt(0, 0, 0), double(0x6627e8d5e169c58dull >> 11) / 9007199254740992.0);
  EXPECT_NE(uniformAt(1, 0, 0), uniformAt(0, 0, 0));
  EXPECT_NE(uniformAt(0, 1, 0), uniformAt(0, 0, 1));
  double sum = 0;
  for (int i = 0; i < 10000; ++i) {
    double u = uniformAt(7, uint64_t(i), 0);
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
  }
  EXPECT_NEAR(sum / 10000, 0.5, 0.012); // 4 standard deviations
}

TEST(Softmax, ExponentialAgreesWithTheLibrary) {
  for (double x = 0; x > -45; x -= 0.0137)
    ASSERT_NEAR(expOfNegative(x) / std::exp(x), 1, 4e-16) << x;
  EXPECT_EQ(expOfNegative(0), 1);
  EXPECT_EQ(expOfNegative(-46), 0);
  EXPECT_EQ(expOfNegative(-INFINITY), 0);
  EXPECT_EQ(expOfNegative(NAN), 0);
}

TEST(Softmax, SummaryOfKnownDistributions) {
  std::vector<float> uniform(8, 3.0f);
  LogitSummary s = summarize(uniform);
  EXPECT_EQ(s.argmax, 0);
  EXPECT_NEAR(s.entropy, std::log(8.0), 1e-12);
  EXPECT_NEAR(s.logSumExp, 3 + std::log(8.0), 1e-12);
  // p = 1/2, 1/4, 1/4: H = 1.5 ln 2.
  std::vector<float> halves = {-INFINITY, std::log(2.0f), 0, 0};
  s = summarize(halves);
  EXPECT_EQ(s.argmax, 1);
  EXPECT_NEAR(s.entropy, 1.5 * std::log(2.0), 1e-7);
  EXPECT_EQ(summarize(std::vector<float>{-INFINITY, NAN}).argmax, -1);
  EXPECT_EQ(summarize(std::vector<float>{0, INFINITY}).argmax, -1);
}
