//===- GPTQTest.cpp - GPTQ against a naive float64 version and its promises -------------------===//
#include "GptqCase.h"

#include <gtest/gtest.h>

#include <limits>

using namespace qopt::quantization;
using namespace qopt::quantization::test;

namespace {

GptqResult run(const GptqCase &c, const GptqOptions &options,
               const ParallelFor &parallel = serialFor) {
  auto prepared = prepareHessian(c.h, c.k, options, parallel);
  EXPECT_TRUE(prepared.isOk()) << prepared.status().message();
  auto result = gptq(c.w, c.n, *prepared, options, parallel);
  EXPECT_TRUE(result.isOk()) << result.status().message();
  return result.takeValue();
}

/// Algorithm 1 of the paper, column by column in float64, with min/max scales taken from the
/// updated weights when a group begins. Natural order.
Doubles naiveGptq(const GptqCase &c, const PreparedHessian &prepared, const GroupFormat &format) {
  const int64_t k = c.k;
  // Inverse of the damped H by Gauss-Jordan, then its upper factor by definition.
  Doubles a(k * k), inverse(k * k, 0.0), u(k * k, 0.0), q(c.n * k);
  for (int64_t i = 0; i < k * k; ++i)
    a[i] = prepared.h[i];
  for (int64_t i = 0; i < k; ++i)
    a[i * k + i] += prepared.damping, inverse[i * k + i] = 1;
  for (int64_t i = 0; i < k; ++i) {
    const double pivot = a[i * k + i];
    for (int64_t j = 0; j < k; ++j)
      a[i * k + j] /= pivot, inverse[i * k + j] /= pivot;
    for (int64_t r = 0; r < k; ++r)
      if (const double f = a[r * k + i]; r != i)
        for (int64_t j = 0; j < k; ++j)
          a[r * k + j] -= f * a[i * k + j], inverse[r * k + j] -= f * inverse[i * k + j];
  }
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = i; j < k; ++j) {
      double sum = inverse[i * k + j];
      for (int64_t p = 0; p < i; ++p)
        sum -= u[p * k + i] * u[p * k + j];
      u[i * k + j] = i == j ? std::sqrt(sum) : sum / u[i * k + i];
    }
  const int64_t size = format.groupSize ? format.groupSize : k;
  const double largest = (1 << format.bits) - 1;
  for (int64_t r = 0; r < c.n; ++r) {
    Doubles w(c.w.begin() + r * k, c.w.begin() + (r + 1) * k);
    double scale = 1, zero = 0;
    for (int64_t j = 0; j < k; ++j) {
      if (j % size == 0) {
        double low = 0, high = 0;
        for (int64_t i = j; i < std::min(k, j + size); ++i)
          low = std::min(low, w[i]), high = std::max(high, w[i]);
        zero = 1 << (format.bits - 1);
        scale = format.symmetric ? std::max(-low, high) / (zero - 1) : (high - low) / largest;
        scale = qrt::f16ToF32(qrt::f32ToF16(float(scale)));
        if (!format.symmetric)
          zero = std::clamp(std::nearbyint(-low / scale), 0.0, largest);
      }
      const double code = std::clamp(std::nearbyint(w[j] / scale) + zero, 0.0, largest);
      q[r * k + j] = (code - zero) * scale;
      const double error = (w[j] - q[r * k + j]) / u[j * k + j];
      for (int64_t i = j + 1; i < k; ++i)
        w[i] -= error * u[j * k + i];
    }
  }
  return q;
}

} // namespace

TEST(GPTQ, AgreesWithTheNaiveAlgorithm) {
  for (int64_t group : {0, 32, 64, 192})
    for (bool symmetric : {true, false})
      for (int bits : {2, 4, 8}) {
        GptqCase c = makeCase(21, 200, unsigned(group + bits));
        GptqOptions options = withFormat(bits, group, symmetric);
        options.order = GptqOrder::None;
        options.search = ScaleSearch::MinMax;
        options.rounds = 0;
        auto prepared = prepareHessian(c.h, c.k, options, serialFor);
        ASSERT_TRUE(prepared.isOk());
        auto result = gptq(c.w, c.n, *prepared, options, serialFor);
        ASSERT_TRUE(result.isOk());
        Doubles expected = naiveGptq(c, *prepared, options.format),
                actual = dequantized(result->matrix), error(expected.size());
        // A value near a boundary may fall to the other side in f32 and change what comes after it
        // in its row; most rows are equal to the last element, and the objective is everywhere.
        int64_t equalRows = 0;
        for (int64_t r = 0; r < c.n; ++r) {
          bool equal = true;
          for (int64_t i = r * c.k; i < (r + 1) * c.k; ++i) {
            equal &= std::fabs(expected[i] - actual[i]) <= 1e-5 * std::fabs(expected[i]);
            error[i] = c.w[i] - expected[i];
          }
          equalRows += equal;
        }
        EXPECT_GE(equalRows, c.n / 2) << bits << " bits, group " << group;
        const double naive = quadratic(error, c.n, c.k, c.h);
        EXPECT_NEAR(result->lossGptq, naive, 0.01 * naive);
        EXPECT_NEAR(lossOf(c, dequantized(result->matrix)), result->loss, 1e-4 * result->loss);
      }
}

TEST(GPTQ, ReportsTheLossesOfItsCodes) {
  GptqCase c = makeCase(40, 160, 3);
  for (int bits : {2, 3, 4})
    for (bool symmetric : {true, false}) {
      GptqResult result = run(c, withFormat(bits, 32, symmetric));
      EXPECT_NEAR(result.loss, lossOf(c, dequantized(result.matrix)), 1e-4 * result.loss);
      EXPECT_NEAR(hessianLoss(c.w, result.matrix, c.h, serialFor), result.loss, 1e-4 * result.loss);
      QuantizedMatrix plain = makeQuantizedMatrix(result.matrix.format, c.n, c.k);
      ErrorSums sums;
      for (int64_t r = 0; r < c.n; ++r)
        quantizeRow(plain.format, c.w.data() + r * c.k, c.k, plain.codes.data() + r * c.k,
                    plain.scales.data() + r * plain.groups(),
                    symmetric ? nullptr : plain.zeroPoints.data() + r * plain.groups(), sums);
      EXPECT_NEAR(result.lossRtn, lossOf(c, dequantized(plain)), 1e-4 * result.lossRtn);
    }
}

TEST(GPTQ, IsNeverWorseThanRoundToNearest) {
  for (GptqOrder order : {GptqOrder::None, GptqOrder::GroupAware, GptqOrder::ActOrder})
    for (ScaleSearch search :
         {ScaleSearch::MinMax, ScaleSearch::Plain, ScaleSearch::Diagonal, ScaleSearch::Cholesky})
      for (bool staticGroups : {false, true}) {
        GptqCase c = makeCase(24, 96, unsigned(order) + 5);
        GptqOptions options = withFormat(3, 32, false);
        options.order = order, options.search = search, options.staticGroups = staticGroups;
        GptqResult result = run(c, options);
        EXPECT_LE(result.loss, result.lossRtn);
        EXPECT_LT(result.loss, 0.7 * result.lossRtn);
        EXPECT_NEAR(result.loss, lossOf(c, dequantized(result.matrix)), 1e-4 * result.loss);
      }
  // Nothing to gain: uncorrelated inputs. Rows where feedback does not pay keep plain rounding.
  GptqCase white = makeCase(64, 64, 9);
  white.h.assign(64 * 64, 0.0f);
  for (int64_t i = 0; i < 64; ++i)
    white.h[i * 64 + i] = 1;
  GptqOptions options = withFormat(4, 32, true);
  options.search = ScaleSearch::MinMax, options.rounds = 0;
  GptqResult result = run(white, options);
  EXPECT_LE(result.loss, result.lossRtn);
}

TEST(GPTQ, EachStepOfTheRecipePays) {
  GptqCase c = makeCase(96, 256, 17);
  for (int bits : {2, 3}) {
    GptqOptions options = withFormat(bits, 64, false);
    options.search = ScaleSearch::MinMax, options.rounds = 0, options.order = GptqOrder::None;
    const double plain = run(c, options).loss;
    options.order = GptqOrder::GroupAware, options.search = ScaleSearch::Cholesky;
    const double searched = run(c, options).loss;
    options.rounds = 1, options.descentPasses = 0;
    const double refitted = run(c, options).loss;
    options.descentPasses = 2;
    const double once = run(c, options).loss;
    options.rounds = 2;
    const double twice = run(c, options).loss;
    EXPECT_LT(searched, 0.8 * plain);
    EXPECT_LT(refitted, searched);
    EXPECT_LT(once, refitted);
    EXPECT_LE(twice, once);
  }
}

TEST(GPTQ, DoesNotDependOnThreads) {
  GptqCase c = makeCase(250, 130, 23);
  for (bool symmetric : {true, false}) {
    GptqOptions options = withFormat(3, 64, symmetric);
    GptqResult one = run(c, options), other = run(c, options, threads(3));
    EXPECT_EQ(one.matrix.codes, other.matrix.codes);
    EXPECT_EQ(one.matrix.scales, other.matrix.scales);
    EXPECT_EQ(one.matrix.zeroPoints, other.matrix.zeroPoints);
    EXPECT_EQ(one.loss, other.loss);
  }
}

TEST(GPTQ, RoundsDeadColumnsPlainly) {
  GptqCase c = makeCase(16, 64, 29);
  for (int64_t i = 0; i < 64; ++i)
    c.h[i * 64 + 9] = c.h[9 * 64 + i] = 0;
  GptqResult result = run(c, withFormat(8, 32, false));
  Doubles x = dequantized(result.matrix);
  for (int64_t r = 0; r < c.n; ++r)
    EXPECT_NEAR(x[r * 64 + 9], c.w[r * 64 + 9], 0.01);
}

TEST(GPTQ, QuantizesTowardsATarget) {
  GptqCase c = makeCase(32, 96, 31);
  GptqCase wanted = c;
  Floats shift = normals(c.n * c.k, 32, 0.02f);
  for (size_t i = 0; i < wanted.w.size(); ++i)
    wanted.w[i] += shift[i];
  GptqOptions options = withFormat(4, 32, false);
  auto prepared = prepareHessian(c.h, c.k, options, serialFor);
  auto result = gptq(c.w, c.n, *prepared, options, serialFor, wanted.w);
  ASSERT_TRUE(result.isOk());
  EXPECT_NEAR(result->loss, lossOf(wanted, dequantized(result->matrix)), 1e-4 * result->loss);
  EXPECT_LT(result->loss, 0.1 * lossOf(c, dequantized(result->matrix)));
}

TEST(GPTQ, NamesBadInput) {
  GptqCase c = makeCase(4, 32, 37);
  GptqOptions options = withFormat(4, 32, true);
  auto prepared = prepareHessian(c.h, c.k, options, serialFor);
  EXPECT_FALSE(gptq(std::span(c.w).first(40), 4, *prepared, options, serialFor).isOk());
  GptqOptions other = withFormat(4, 16, true);
  EXPECT_FALSE(gptq(c.w, 4, *prepared, other, serialFor).isOk());
  c.w[2 * 32 + 5] = std::numeric_limits<float>::quiet_NaN();
  auto bad = gptq(c.w, 4, *prepared, options, threads(2));
  EXPECT_NE(bad.status().message().find("[2, 5]"), std::string::npos) << bad.status().message();
}
