//===- KeyBalanceTest.cpp - Sizes and factors of keys against float64 -------------------------===//
#include "qopt/Quantization/KeyBalance.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qopt::quantization;

namespace {

std::vector<float> numbers(size_t count, uint32_t seed) {
  std::vector<float> out;
  for (size_t i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    out.push_back(float(int32_t(seed >> 8) % 2001 - 1000) / 500.0f);
  }
  return out;
}

TEST(KeyBalance, SizesAreBiasAndThreeDeviations) {
  const int64_t rows = 12, columns = 37;
  const auto w = numbers(rows * columns, 1), gain = numbers(columns, 2), bias = numbers(rows, 3);
  const std::vector<float> sizes = keySizes(w, columns, gain, bias);
  const std::vector<float> plain = keySizes(w, columns, {}, {});
  ASSERT_EQ(sizes.size(), size_t(rows));
  for (int64_t r = 0; r < rows; ++r) {
    double sum = 0, ungained = 0;
    for (int64_t i = 0; i < columns; ++i) {
      sum += std::pow(double(w[r * columns + i]) * gain[i], 2);
      ungained += std::pow(double(w[r * columns + i]), 2);
    }
    EXPECT_NEAR(sizes[r], std::abs(double(bias[r])) + 3 * std::sqrt(sum), 1e-5 * sizes[r]);
    EXPECT_NEAR(plain[r], 3 * std::sqrt(ungained), 1e-5 * plain[r]);
  }
}

TEST(KeyBalance, RotatedPairsShareAFactorAndHeadsHaveUnitMeanSquare) {
  const std::vector<float> sizes = {1, 2, 3, 4, 5, 6, 60, 8, /*second head*/ 2,
                                    2, 2, 2, 2, 2, 2, 2};
  auto factors = keyBalance(sizes, 8, {6, false});
  // Pairs 0-3, 1-4, 2-5; 6 and 7 are not rotated.
  EXPECT_FLOAT_EQ(factors[0], factors[3]);
  EXPECT_FLOAT_EQ(factors[1] / factors[0], 5.0f / 4.0f);
  EXPECT_FLOAT_EQ(factors[2], factors[5]);
  EXPECT_FLOAT_EQ(factors[6] / factors[0], 15.0f);
  for (size_t head : {0, 8}) {
    double square = 0;
    for (size_t i = 0; i < 8; ++i)
      square += double(factors[head + i]) * factors[head + i] / 8;
    EXPECT_NEAR(square, 1.0, 1e-6);
  }
  EXPECT_FLOAT_EQ(factors[8], 1.0f);
  EXPECT_FLOAT_EQ(keySpread(factors, 8), 60.0f / 5.0f);
  factors = keyBalance(sizes, 8, {8, true});
  EXPECT_FLOAT_EQ(factors[0], factors[1]);
  EXPECT_FLOAT_EQ(factors[6], factors[7]);
  EXPECT_NE(factors[1], factors[2]);
}

TEST(KeyBalance, SizesThatAreNoNumbersDoNoHarm) {
  const auto factors = keyBalance(std::vector<float>{0, 1, NAN, INFINITY}, 4, {});
  for (float f : factors)
    EXPECT_FLOAT_EQ(f, 1.0f);
  for (float f : keyBalance(std::vector<float>{0, 0}, 2, {}))
    EXPECT_FLOAT_EQ(f, 1.0f);
}

} // namespace
