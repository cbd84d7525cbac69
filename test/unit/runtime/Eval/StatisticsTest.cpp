//===- StatisticsTest.cpp - Quantiles, ranks, errors and the bootstrap ------------------------===//
#include "Eval/Statistics.h"
#include "Sampling/Random.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;

TEST(Statistics, QuantileInterpolates) {
  EXPECT_DOUBLE_EQ(quantileOf({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantileOf({4, 1, 3, 2}, 1), 4);
  EXPECT_DOUBLE_EQ(quantileOf({10, 20}, 0.25), 12.5);
  EXPECT_TRUE(std::isnan(quantileOf({}, 0.5)));
}

TEST(Statistics, SpearmanWithTies) {
  std::vector<double> x = {1, 2, 3, 4}, up = {10, 20, 25, 1000}, down = {4, 3, 2, 1};
  EXPECT_DOUBLE_EQ(spearman(x, up), 1);
  EXPECT_DOUBLE_EQ(spearman(x, down), -1);
  // Ranks 0 1 2 3 against 0.5 0.5 2 3: covariance 4.5, variances 5 and 4.5.
  std::vector<double> tied = {7, 7, 8, 9};
  EXPECT_NEAR(spearman(x, tied), 4.5 / std::sqrt(5 * 4.5), 1e-12);
  EXPECT_TRUE(std::isnan(spearman(x, std::vector<double>(4, 1.0))));
}

TEST(Statistics, ClusteredErrorSeesDependence) {
  // Two clusters of equal values: the error is that of two values, not of eight.
  std::vector<double> values = {0, 0, 0, 0, 1, 1, 1, 1};
  std::vector<int64_t> ends = {4, 8};
  EXPECT_NEAR(clusteredError(values, ends), 0.5, 1e-12); // sd of {0, 1} over sqrt 2
  std::vector<int64_t> one = {8};
  EXPECT_NEAR(clusteredError(values, one), std::sqrt(2.0 / 7 / 8), 1e-12);
}

TEST(Statistics, BootstrapCoversTheMean) {
  int covered = 0;
  for (uint64_t round = 0; round < 100; ++round) {
    std::vector<double> sample;
    for (uint64_t i = 0; i < 40; ++i)
      sample.push_back(uniformAt(round, i, 77));
    Interval interval = bootstrap(
        40,
        [&](std::span<const int64_t> indices) {
          double sum = 0;
          for (int64_t i : indices)
            sum += sample[size_t(i)];
          return sum / double(indices.size());
        },
        500);
    EXPECT_NEAR(interval.value, meanOf(sample), 1e-12);
    covered += interval.low <= 0.5 && 0.5 <= interval.high;
  }
  EXPECT_GE(covered, 86); // 95 expected
  EXPECT_LE(covered, 100);
}
