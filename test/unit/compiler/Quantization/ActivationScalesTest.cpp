//===- ActivationScalesTest.cpp - Static scales against exhaustive search ---------------------===//
#include "qopt/Quantization/ActivationScales.h"

#include "Reference.h"

#include <gtest/gtest.h>

#include <algorithm>

using namespace qopt::quantization;
using namespace qopt::quantization::test;

namespace {

/// Mean squared error of rounding with a static scale, value by value.
double rounded(const Floats &x, double scale) {
  double sum = 0;
  for (float value : x) {
    const double code = std::clamp(std::nearbyint(value / scale), -127.0, 127.0);
    sum += (value - code * scale) * (value - code * scale);
  }
  return sum;
}

} // namespace

TEST(ActivationScales, AbsMaxReachesTheLargest) {
  Floats x = normals(1000, 1);
  x[77] = -42;
  ActivationHistogram histogram(2);
  histogram.add(1, x.data(), 500);
  histogram.add(1, x.data() + 500, 500);
  EXPECT_EQ(histogram.scale(1, ActivationObserver::AbsMax), 42.0f / 127);
  EXPECT_EQ(histogram.scale(0, ActivationObserver::AbsMax), 1.0f); // has seen nothing
  EXPECT_EQ(histogram.maximum(1), 42.0f);
  EXPECT_EQ(histogram.clampedShare(1, 42.1f / 127), 0.0);
}

TEST(ActivationScales, PercentileLeavesOneOfTenThousand) {
  Floats x = normals(200000, 2);
  ActivationHistogram histogram(1);
  histogram.add(0, x.data(), int64_t(x.size()));
  const double reach = 127 * histogram.scale(0, ActivationObserver::Percentile);
  for (float &value : x)
    value = std::fabs(value);
  std::sort(x.begin(), x.end());
  const double exact = x[x.size() - x.size() / 10000];
  EXPECT_GT(reach, exact * 0.999);
  EXPECT_LT(reach, exact * 1.03); // a bin is 1.6 % wide
  EXPECT_LE(histogram.clampedShare(0, float(reach / 127)), 1.001e-4);
}

TEST(ActivationScales, MeanSquareIsTheBestOfAllScales) {
  for (double outlier : {1.0, 8.0, 60.0}) {
    Floats x = normals(20000, 3);
    for (size_t i = 0; i < x.size(); i += 4000)
      x[i] *= float(outlier);
    ActivationHistogram histogram(1);
    histogram.add(0, x.data(), int64_t(x.size()));
    const double found = rounded(x, histogram.scale(0, ActivationObserver::MeanSquare));
    const double whole = histogram.scale(0, ActivationObserver::AbsMax);
    double best = rounded(x, whole);
    for (double shrink = 1; shrink > 0.03; shrink *= 0.99)
      best = std::min(best, rounded(x, whole * shrink));
    EXPECT_LE(found, 1.05 * best) << outlier;
    EXPECT_LE(found, rounded(x, whole) * 1.001);
  }
}

TEST(ActivationScales, TellsWhatIsNotFinite) {
  ActivationHistogram histogram(3);
  const Floats x = {1, NAN, 2, INFINITY};
  histogram.add(0, x.data(), 2);
  histogram.add(0, x.data() + 2, 1);
  histogram.add(1, x.data() + 2, 2);
  histogram.add(2, x.data(), 1);
  EXPECT_FALSE(histogram.isFinite(0));
  EXPECT_FALSE(histogram.isFinite(1));
  EXPECT_TRUE(histogram.isFinite(2));
}
