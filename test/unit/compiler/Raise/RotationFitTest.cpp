//===- RotationFitTest.cpp - Rotations solved from samples ------------------------------------===//
#include "FeatureMap.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>

using namespace qopt::qir::raise;

namespace {

Tables probedPositions() {
  Tables tables;
  for (int64_t p = 0; p < 48; ++p)
    tables.positions.push_back(p);
  for (int64_t p : {700, 701, 702, 703, 40000, 40001, 40002, 40003})
    tables.positions.push_back(p);
  return tables;
}

int32_t sample(Tables &tables, const std::function<double(int64_t)> &f, double rounding = 1e-7) {
  std::vector<float> values;
  for (int64_t p : tables.positions)
    values.push_back(static_cast<float>(f(p)));
  return tables.add(std::move(values), rounding);
}

/// Rows of `heads` heads of which the first 2 * frequencies.size() features rotate.
std::vector<Row> rotationRows(Tables &tables, int64_t heads, int64_t headDim, bool interleaved,
                              double scaling, const std::vector<double> &frequencies) {
  std::vector<int32_t> cosines, sines;
  for (double f : frequencies) {
    cosines.push_back(sample(tables, [&](int64_t p) { return scaling * std::cos(f * p); }));
    sines.push_back(sample(tables, [&](int64_t p) { return scaling * std::sin(f * p); }));
  }
  int64_t half = static_cast<int64_t>(frequencies.size());
  std::vector<Row> rows;
  for (int64_t g = 0; g < heads * headDim; ++g) {
    int64_t d = g % headDim, head = g - d;
    if (d >= 2 * half) {
      rows.push_back({Term{g}});
      continue;
    }
    int64_t pair = interleaved ? d / 2 : d % half;
    bool low = interleaved ? d % 2 == 0 : d < half;
    int64_t partner = head + (interleaved ? d ^ 1 : low ? d + half : d - half);
    rows.push_back({Term{g, 1, cosines[pair]}, Term{partner, low ? -1.0 : 1.0, sines[pair]}});
  }
  return rows;
}

const std::vector<double> frequencies = {1.0, 0.1778, 0.0316, 0.00562};

TEST(RotationFit, Halves) {
  Tables tables = probedPositions();
  std::string why;
  auto found = fitRotation(rotationRows(tables, 3, 8, false, 1, frequencies), tables, why);
  ASSERT_TRUE(found) << why;
  EXPECT_EQ(found->headDim, 8);
  EXPECT_FALSE(found->interleaved);
  EXPECT_EQ(found->scaling, 1.0);
  ASSERT_EQ(found->inverseFrequencies.size(), 4u);
  for (size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(found->inverseFrequencies[i], frequencies[i], 1e-6 * frequencies[i]);
}

TEST(RotationFit, NeighboursAndPartial) {
  Tables tables = probedPositions();
  std::string why;
  auto found = fitRotation(rotationRows(tables, 2, 12, true, 1.25, frequencies), tables, why);
  ASSERT_TRUE(found) << why;
  EXPECT_EQ(found->headDim, 12);
  EXPECT_TRUE(found->interleaved);
  EXPECT_NEAR(found->scaling, 1.25, 1e-6);
  EXPECT_EQ(found->inverseFrequencies.size(), 4u);
}

TEST(RotationFit, RefusesAnglesThatAreNotLinear) {
  Tables tables = probedPositions();
  std::vector<Row> rows = rotationRows(tables, 1, 8, false, 1, frequencies);
  auto bent = [](int64_t p) { return p < 1000 ? 0.5 * p : 0.25 * p; };
  int32_t c = sample(tables, [&](int64_t p) { return std::cos(bent(p)); });
  int32_t s = sample(tables, [&](int64_t p) { return std::sin(bent(p)); });
  rows[0] = {Term{0, 1, c}, Term{4, -1, s}};
  rows[4] = {Term{4, 1, c}, Term{0, 1, s}};
  std::string why;
  EXPECT_FALSE(fitRotation(rows, tables, why).has_value());
  EXPECT_NE(why, "");
}

TEST(RotationFit, RefusesPairsThatOnlyLookLikeOne) {
  Tables tables = probedPositions();
  std::vector<Row> rows = rotationRows(tables, 1, 8, false, 1, frequencies);
  rows[0][1].factor = 1; // a reflection, not a rotation
  std::string why;
  EXPECT_FALSE(fitRotation(rows, tables, why).has_value());
  rows = rotationRows(tables, 1, 8, false, 1, frequencies);
  rows[3].push_back(Term{0, 1, -1}); // three sources
  EXPECT_FALSE(fitRotation(rows, tables, why).has_value());
  EXPECT_EQ(why, "a feature is not a rotation of two features");
}

TEST(RotationFit, HalfPrecisionAngles) {
  // Angles of 11 bits: right near the origin, lost far out.
  Tables tables = probedPositions();
  std::vector<Row> rows;
  double f = 0.1778;
  auto rounded = [&](int64_t p) {
    double angle = f * p;
    if (angle == 0)
      return 0.0;
    double unit = std::exp2(std::floor(std::log2(angle)) - 10);
    return std::round(angle / unit) * unit;
  };
  int32_t c = sample(tables, [&](int64_t p) { return std::cos(rounded(p)); }, 1.0 / 2048);
  int32_t s = sample(tables, [&](int64_t p) { return std::sin(rounded(p)); }, 1.0 / 2048);
  rows.push_back({Term{0, 1, c}, Term{1, -1, s}});
  rows.push_back({Term{1, 1, c}, Term{0, 1, s}});
  std::string why;
  auto found = fitRotation(rows, tables, why);
  ASSERT_TRUE(found) << why;
  EXPECT_NEAR(found->inverseFrequencies[0], f, 1e-3 * f);
}

} // namespace
