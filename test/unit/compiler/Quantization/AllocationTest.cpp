//===- AllocationTest.cpp - Precision under a budget against all combinations ----------------===//
#include "qopt/Quantization/Allocation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace qopt::quantization;

namespace {

using Units = std::vector<std::vector<PrecisionChoice>>;

/// Costs that fall with the bits, as quantization errors do.
Units randomUnits(std::mt19937 &random, size_t count) {
  Units units(count);
  for (auto &choices : units) {
    const int64_t elements = 1000 + static_cast<int64_t>(random() % 100000);
    const double sensitivity = std::exp(double(random() % 1000) / 150);
    for (int bits : {2, 3, 4, 8})
      choices.push_back({bits * elements, sensitivity * std::pow(0.25, bits)});
  }
  return units;
}

double bruteForce(const Units &units, int64_t budget, size_t at = 0) {
  if (at == units.size())
    return 0;
  double best = INFINITY;
  for (const PrecisionChoice &choice : units[at])
    if (choice.bits <= budget)
      best = std::min(best, choice.cost + bruteForce(units, budget - choice.bits, at + 1));
  return best;
}

int64_t bitsAt(const Units &units, size_t choice) {
  int64_t sum = 0;
  for (const auto &choices : units)
    sum += choices[choice].bits;
  return sum;
}

} // namespace

TEST(Allocation, FindsTheOptimumOfSmallProblems) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 50; ++trial) {
    Units units = randomUnits(random, 7);
    const int64_t least = bitsAt(units, 0), most = bitsAt(units, 3);
    const int64_t budget = least + static_cast<int64_t>(random() % (most - least + 1));
    auto found = allocatePrecision(units, budget);
    ASSERT_TRUE(found.isOk()) << found.status().message();
    const double optimum = bruteForce(units, budget);
    EXPECT_LE(found->bits, budget);
    EXPECT_LE(found->cost, optimum * 1.001 + 1e-12);
    EXPECT_LE(found->lowerBound, optimum + 1e-12);
    double cost = 0;
    for (size_t u = 0; u < units.size(); ++u)
      cost += units[u][found->choice[u]].cost;
    EXPECT_DOUBLE_EQ(cost, found->cost);
  }
}

TEST(Allocation, LargeProblemsAreCloseToTheBound) {
  std::mt19937 random(2);
  Units units = randomUnits(random, 200);
  for (double part : {0.1, 0.3, 0.7}) {
    const int64_t least = bitsAt(units, 0), most = bitsAt(units, 3);
    auto found = allocatePrecision(units, least + static_cast<int64_t>(part * (most - least)));
    ASSERT_TRUE(found.isOk());
    EXPECT_LT(found->cost, found->lowerBound * 1.01);
  }
}

TEST(Allocation, Extremes) {
  std::mt19937 random(3);
  Units units = randomUnits(random, 5);
  auto least = allocatePrecision(units, bitsAt(units, 0));
  ASSERT_TRUE(least.isOk());
  EXPECT_EQ(least->bits, bitsAt(units, 0));
  auto all = allocatePrecision(units, INT64_MAX / 4);
  ASSERT_TRUE(all.isOk());
  EXPECT_EQ(all->bits, bitsAt(units, 3));
  EXPECT_EQ(allocatePrecision(units, bitsAt(units, 0) - 1).status().code(),
            qrt::StatusCode::TargetUnreachable);
  Units none(1);
  EXPECT_EQ(allocatePrecision(none, 10).status().code(), qrt::StatusCode::InvalidArgument);
  EXPECT_TRUE(allocatePrecision(Units(), 0).isOk());
}
