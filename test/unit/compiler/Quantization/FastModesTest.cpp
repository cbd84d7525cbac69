//===- FastModesTest.cpp - Importance rounding, HQQ and target correction ---------------------===//
#include "qopt/Quantization/HalfQuadratic.h"
#include "qopt/Quantization/ImportanceRounding.h"
#include "qopt/Quantization/TargetCorrection.h"

#include "Reference.h"

#include <gtest/gtest.h>

using namespace qopt::quantization;
using namespace qopt::quantization::test;

namespace {

Floats weights(int64_t n, int64_t k, unsigned seed) {
  Floats w = normals(n * k, seed, 0.05f);
  for (int64_t i = 3; i < n * k; i += 61)
    w[i] *= 6;
  return w;
}

QuantizedMatrix plainRounding(const Floats &w, int64_t n, int64_t k, const GroupFormat &format) {
  return roundByImportance(w, n, k, format, {}, 1, serialFor);
}

double weightedError(const Floats &w, const QuantizedMatrix &m, const Floats &importance) {
  Doubles x = dequantized(m);
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i)
    sum += (importance.empty() ? 1.0 : importance[i % m.k]) * (w[i] - x[i]) * (w[i] - x[i]);
  return sum;
}

/// Best weighted error of a group over the grid of the header, in float64.
double naiveBest(const float *w, const float *importance, int64_t count, const GroupFormat &format,
                 int ratios) {
  double low = 0, high = 0, best = INFINITY;
  const double largest = (1 << format.bits) - 1;
  for (int64_t j = 0; j < count; ++j)
    low = std::min<double>(low, w[j]), high = std::max<double>(high, w[j]);
  auto attempt = [&](double scale, double zero) {
    double sum = 0;
    for (int64_t j = 0; j < count; ++j) {
      const double q = std::clamp(std::nearbyint(w[j] / scale) + zero, 0.0, largest);
      sum += importance[j] * std::pow(w[j] - (q - zero) * scale, 2);
    }
    best = std::min(best, sum);
  };
  forScales(low, high, format, ratios, attempt);
  return best;
}

} // namespace

TEST(ImportanceRounding, IsPlainWithoutASearch) {
  const int64_t n = 11, k = 100;
  Floats w = weights(n, k, 1);
  for (int bits : {2, 3, 4, 8})
    for (bool symmetric : {true, false}) {
      GroupFormat format{bits, 32, symmetric, false};
      QuantizedMatrix m = plainRounding(w, n, k, format),
                      expected = makeQuantizedMatrix(format, n, k);
      ErrorSums sums;
      for (int64_t r = 0; r < n; ++r)
        quantizeRow(format, w.data() + r * k, k, expected.codes.data() + r * k,
                    expected.scales.data() + r * m.groups(),
                    symmetric ? nullptr : expected.zeroPoints.data() + r * m.groups(), sums);
      EXPECT_EQ(m.scales, expected.scales);
      EXPECT_EQ(m.zeroPoints, expected.zeroPoints);
      EXPECT_EQ(m.codes, expected.codes);
    }
}

TEST(ImportanceRounding, FindsTheBestOfTheGrid) {
  const int64_t n = 9, k = 130, group = 64;
  Floats w = weights(n, k, 2), importance(k);
  for (int64_t j = 0; j < k; ++j)
    importance[j] = std::exp(0.05f * float(j % 41));
  for (int bits : {2, 3, 4})
    for (bool symmetric : {true, false}) {
      GroupFormat format{bits, group, symmetric, false};
      QuantizedMatrix m = roundByImportance(w, n, k, format, importance, 24, threads(2));
      double naive = 0;
      for (int64_t r = 0; r < n; ++r)
        for (int64_t first = 0; first < k; first += group)
          naive += naiveBest(w.data() + r * k + first, importance.data() + first,
                             std::min(group, k - first), format, 24);
      const double actual = weightedError(w, m, importance);
      EXPECT_NEAR(actual, naive, 1e-4 * naive) << bits << (symmetric ? " sym" : " asym");
      EXPECT_LT(actual, 0.97 * weightedError(w, plainRounding(w, n, k, format), importance));
    }
}

TEST(HalfQuadratic, LowersTheNormOfEveryGroup) {
  const int64_t n = 20, k = 192, group = 64;
  Floats w = weights(n, k, 3);
  for (int bits : {2, 3, 4})
    for (bool symmetric : {true, false}) {
      GroupFormat format{bits, group, symmetric, false};
      QuantizedMatrix m = halfQuadratic(w, n, k, format, {}, threads(2)),
                      plain = plainRounding(w, n, k, format);
      Doubles x = dequantized(m), y = dequantized(plain);
      double sum = 0, sumPlain = 0;
      for (int64_t first = 0; first < n * k; first += group) {
        double norm = 0, normPlain = 0;
        for (int64_t i = first; i < first + group; ++i) {
          norm += std::pow(std::fabs(w[i] - x[i]), 0.75);
          normPlain += std::pow(std::fabs(w[i] - y[i]), 0.75);
        }
        EXPECT_LE(norm, normPlain * (1 + 1e-5));
        sum += norm, sumPlain += normPlain;
      }
      EXPECT_LT(sum, 0.98 * sumPlain) << bits << (symmetric ? " sym" : " asym");
    }
}

TEST(FastModes, DoNotDependOnThreads) {
  const int64_t n = 37, k = 96;
  Floats w = weights(n, k, 4);
  GroupFormat format{3, 32, false, false};
  EXPECT_EQ(halfQuadratic(w, n, k, format, {}, serialFor).codes,
            halfQuadratic(w, n, k, format, {}, threads(3)).codes);
  EXPECT_EQ(roundByImportance(w, n, k, format, {}, 24, serialFor).codes,
            roundByImportance(w, n, k, format, {}, 24, threads(3)).codes);
}

TEST(TargetCorrection, SolvesTheLeastSquares) {
  const int64_t n = 5, k = 72, tokens = 400;
  Floats w = weights(n, k, 5), xf = activations(tokens, k, 6), xq = xf,
         noise = normals(tokens * k, 7, 0.4f), difference(tokens * k);
  for (size_t i = 0; i < xq.size(); ++i)
    xq[i] += noise[i], difference[i] = xf[i] - xq[i];
  Doubles cross = moment(difference, xq, k, {});
  GptqOptions options;
  options.format = {4, 32, false, false};
  auto prepared = prepareHessian(hessian(xq, k), k, options, threads(2));
  ASSERT_TRUE(prepared.isOk());
  Floats d(cross.begin(), cross.end());
  auto target = correctTarget(w, n, d, *prepared, 1.0f, threads(2));
  ASSERT_TRUE(target.isOk());
  // Normal equations: (T - W) (H + d) = W D.
  for (int64_t r = 0; r < n; ++r)
    for (int64_t j = 0; j < k; ++j) {
      double left = 0, right = 0, size = 0;
      for (int64_t i = 0; i < k; ++i) {
        const double h = prepared->h[i * k + j] + (i == j ? prepared->damping : 0.0);
        left += (double((*target)[r * k + i]) - w[r * k + i]) * h;
        right += double(w[r * k + i]) * cross[i * k + j];
        size += std::fabs(double((*target)[r * k + i]) * h) +
                std::fabs(w[r * k + i] * cross[i * k + j]);
      }
      EXPECT_NEAR(left, right, 1e-4 * size);
    }
  // The output behind noisy inputs comes closer to that of the clean ones.
  double before = 0, after = 0;
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t r = 0; r < n; ++r) {
      double clean = 0, plain = 0, corrected = 0;
      for (int64_t j = 0; j < k; ++j) {
        clean += double(w[r * k + j]) * xf[t * k + j];
        plain += double(w[r * k + j]) * xq[t * k + j];
        corrected += double((*target)[r * k + j]) * xq[t * k + j];
      }
      before += (clean - plain) * (clean - plain);
      after += (clean - corrected) * (clean - corrected);
    }
  EXPECT_LT(after, 0.9 * before);
  EXPECT_EQ(*correctTarget(w, n, d, *prepared, 0.0f, serialFor), w);
  EXPECT_FALSE(correctTarget(w, n, d, *prepared, 1.5f, serialFor).isOk());
}
