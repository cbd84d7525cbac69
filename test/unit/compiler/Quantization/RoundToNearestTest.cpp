//===- RoundToNearestTest.cpp - Codes and scales against the formula -------------------------===//
#include "qopt/Quantization/RoundToNearest.h"

#include "qrt/Half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace qopt::quantization;

namespace {

struct Row {
  std::vector<uint8_t> codes, zeros;
  std::vector<uint16_t> scales;
  ErrorSums sums;
  bool finite = false;
};

Row quantize(const GroupFormat &format, const std::vector<float> &x) {
  const int64_t k = static_cast<int64_t>(x.size());
  Row row;
  row.codes.resize(k);
  row.scales.resize(groupsPerRow(format, k));
  row.zeros.resize(row.scales.size());
  row.finite = quantizeRow(format, x.data(), k, row.codes.data(), row.scales.data(),
                           row.zeros.data(), row.sums);
  return row;
}

std::vector<float> randomRow(int64_t k, unsigned seed, float mean = 0) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(mean, 0.5f);
  std::vector<float> row(k);
  for (float &value : row)
    value = normal(engine);
  return row;
}

/// The formula of docs/semantics.md in double, given the stored scale and zero point.
int codeOf(double x, double scale, int zero, int bits) {
  double q = std::nearbyint(static_cast<float>(x) / static_cast<float>(scale)) + zero;
  return static_cast<int>(std::min(std::max(q, 0.0), std::ldexp(1.0, bits) - 1));
}

} // namespace

TEST(RoundToNearest, FollowsTheFormulaForEveryFormat) {
  for (int bits : {2, 3, 4, 8})
    for (int64_t group : {0, 32, 64, 128})
      for (bool symmetric : {true, false})
        for (int64_t k : {1, 31, 128, 200}) {
          GroupFormat format{bits, group, symmetric, false};
          std::vector<float> x = randomRow(k, bits * 1000 + group + k, 0.1f);
          Row row = quantize(format, x);
          ASSERT_TRUE(row.finite);
          const int64_t size = group ? group : k;
          ErrorSums expected;
          for (int64_t i = 0; i < k; ++i) {
            const int64_t g = i / size;
            double low = 0, high = 0;
            for (int64_t j = g * size; j < std::min(k, (g + 1) * size); ++j) {
              low = std::min<double>(low, x[j]);
              high = std::max<double>(high, x[j]);
            }
            double ideal = symmetric ? std::max(-low, high) / ((1 << (bits - 1)) - 1)
                                     : (high - low) / ((1 << bits) - 1);
            double scale = qrt::f16ToF32(row.scales[g]);
            EXPECT_NEAR(scale, ideal, ideal * 0x1p-11 * 1.01); // half a unit of f16
            int zero = row.zeros[g];
            EXPECT_EQ(zero, symmetric ? 1 << (bits - 1)
                                      : static_cast<int>(std::nearbyint(
                                            static_cast<float>(-low) / static_cast<float>(scale))));
            ASSERT_EQ(row.codes[i], codeOf(x[i], scale, zero, bits)) << "element " << i;
            double back = (row.codes[i] - zero) * scale;
            expected.error += (back - x[i]) * (back - x[i]);
            expected.norm += double(x[i]) * x[i];
          }
          EXPECT_NEAR(row.sums.error, expected.error, 1e-6 * (1 + expected.error));
          EXPECT_NEAR(row.sums.norm, expected.norm, 1e-9 * (1 + expected.norm));
        }
}

TEST(RoundToNearest, RoundsHalvesToEven) {
  // Scale 1 (largest magnitude 7): 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, 3.5 -> 4.
  Row row = quantize({4, 0, true, false}, {7.0f, 0.5f, 1.5f, 2.5f, 3.5f, -2.5f});
  EXPECT_EQ(row.codes, (std::vector<uint8_t>{15, 8, 10, 10, 12, 6}));
}

TEST(RoundToNearest, ZeroAndTinyGroupsKeepANormalScale) {
  for (float value : {0.0f, 1e-9f}) {
    Row row = quantize({4, 0, true, false}, std::vector<float>(8, value));
    EXPECT_EQ(qrt::f16ToF32(row.scales[0]), 0x1p-14f);
    EXPECT_EQ(row.codes, std::vector<uint8_t>(8, 8));
  }
}

TEST(RoundToNearest, ScalesBeyondF16AreClampedAndCodesSaturate) {
  Row row = quantize({8, 0, true, false}, {1e9f, -1e9f, 0.0f});
  EXPECT_EQ(qrt::f16ToF32(row.scales[0]), 65504.0f);
  EXPECT_EQ(row.codes, (std::vector<uint8_t>{255, 0, 128}));
}

TEST(RoundToNearest, RefusesNanAndInfinity) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                    -std::numeric_limits<float>::infinity()})
    EXPECT_FALSE(quantize({4, 32, false, false}, {1.0f, bad}).finite);
}

TEST(RoundToNearest, SearchNeverHurtsAndHelpsOutliers) {
  std::vector<float> x = randomRow(128, 7);
  x[5] = 3.0f; // one outlier makes the plain scale coarse
  for (int bits : {2, 3, 4, 8})
    for (bool symmetric : {true, false}) {
      double plain = quantize({bits, 0, symmetric, false}, x).sums.error;
      double searched = quantize({bits, 0, symmetric, true}, x).sums.error;
      EXPECT_LE(searched, plain);
      if (bits == 3) {
        EXPECT_LT(searched, 0.9 * plain);
      }
    }
}
