//===- CholeskyTest.cpp - Factors against their definition ------------------------------------===//
#include "qopt/Quantization/Cholesky.h"
#include "qopt/Quantization/GPTQ.h"

#include "Reference.h"

#include <gtest/gtest.h>

#include <limits>

using namespace qopt::quantization;
using namespace qopt::quantization::test;

namespace {

Doubles product(const Doubles &a, const Doubles &b, int64_t k, bool transposeA) {
  Doubles c(k * k, 0.0);
  for (int64_t i = 0; i < k; ++i)
    for (int64_t p = 0; p < k; ++p)
      for (int64_t j = 0; j < k; ++j)
        c[i * k + j] += (transposeA ? a[p * k + i] : a[i * k + p]) * b[p * k + j];
  return c;
}

/// A random matrix that is safely positive definite.
Doubles positiveDefinite(int64_t k, unsigned seed) {
  Floats x = activations(2 * k, k, seed);
  Doubles h = moment(x, x, k, {});
  double mean = 0;
  for (int64_t i = 0; i < k; ++i)
    mean += h[i * k + i] / double(k);
  for (int64_t i = 0; i < k; ++i)
    h[i * k + i] += 0.01 * mean;
  return h;
}

void clearUpper(Doubles &a, int64_t k) {
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = i + 1; j < k; ++j)
      a[i * k + j] = 0;
}

} // namespace

TEST(Cholesky, FactorsAndInverts) {
  for (int64_t k : {1, 3, 127, 128, 129, 300}) {
    const Doubles h = positiveDefinite(k, unsigned(k));
    Doubles l = h;
    ASSERT_TRUE(choleskyLower(l, k, threads(2)));
    clearUpper(l, k);
    for (int64_t i = 0; i < k; ++i)
      for (int64_t j = 0; j <= i; ++j) {
        double sum = 0;
        for (int64_t p = 0; p <= j; ++p)
          sum += l[i * k + p] * l[j * k + p];
        ASSERT_NEAR(sum, h[i * k + j], 1e-12 * std::sqrt(h[i * k + i] * h[j * k + j]));
      }
    Doubles inverse(k * k);
    invertLower(l.data(), k, k, inverse.data());
    Doubles one = product(l, inverse, k, false);
    for (int64_t i = 0; i < k; ++i)
      for (int64_t j = 0; j < k; ++j)
        ASSERT_NEAR(one[i * k + j], i == j ? 1.0 : 0.0, 1e-9) << k << ": " << i << ", " << j;
  }
}

TEST(Cholesky, InFloatIsExactForAMatrixCloseBy) {
  for (int64_t k : {5, 128, 300, 500}) {
    const Doubles h = positiveDefinite(k, unsigned(k));
    Floats l(h.begin(), h.end());
    ASSERT_TRUE(choleskyLower(l, k, threads(2)));
    for (int64_t i = 0; i < k; i += 7)
      for (int64_t j = 0; j <= i; j += 3) {
        double sum = 0;
        for (int64_t p = 0; p <= j; ++p)
          sum += double(l[i * k + p]) * l[j * k + p];
        ASSERT_NEAR(sum, h[i * k + j], 2e-6 * std::sqrt(h[i * k + i] * h[j * k + j]));
      }
  }
}

TEST(Cholesky, DoesNotDependOnThreads) {
  const int64_t k = 333;
  Doubles one = positiveDefinite(k, 5), other = one;
  ASSERT_TRUE(choleskyLower(one, k, serialFor) && choleskyLower(other, k, threads(3)));
  EXPECT_EQ(one, other);
}

TEST(Cholesky, RefusesIndefinite) {
  const int64_t k = 200;
  Doubles h = positiveDefinite(k, 8);
  h[150 * k + 150] = -1;
  EXPECT_FALSE(choleskyLower(h, k, serialFor));
}

TEST(PrepareHessian, GivesTheUpperFactorAndTheInversesOfItsBlocks) {
  for (GptqOrder order : {GptqOrder::None, GptqOrder::GroupAware, GptqOrder::ActOrder}) {
    const int64_t k = 150;
    Doubles exact = positiveDefinite(k, 21);
    GptqOptions options;
    options.format = {4, 32, false, false};
    options.order = order;
    auto prepared = prepareHessian(Floats(exact.begin(), exact.end()), k, options, threads(2));
    ASSERT_TRUE(prepared.isOk()) << prepared.status().message();
    EXPECT_EQ(prepared->attempts, 1);
    // R R^T = H + d in the permuted order, and U_BB R_BB = 1 in the first block, which has
    // more than 100 positions whatever the order.
    Doubles factor(prepared->r.begin(), prepared->r.end()), damped(k * k);
    for (int64_t i = 0; i < k; ++i)
      for (int64_t j = 0; j < k; ++j) {
        damped[i * k + j] = prepared->h[prepared->order[i] * k + prepared->order[j]] +
                            (i == j ? prepared->damping : 0);
        if (j < i) {
          ASSERT_EQ(factor[i * k + j], 0.0);
        }
      }
    for (int64_t i = 0; i < k; ++i)
      for (int64_t j = 0; j < k; ++j) {
        double sum = 0;
        for (int64_t p = 0; p < k; ++p)
          sum += factor[i * k + p] * factor[j * k + p];
        ASSERT_NEAR(sum, damped[i * k + j],
                    2e-6 * std::sqrt(damped[i * k + i] * damped[j * k + j]));
      }
    ASSERT_EQ(prepared->u.size(), size_t(k * 128));
    const int64_t block = 100;
    for (int64_t i = 0; i < block; ++i)
      for (int64_t j = 0; j < block; ++j) {
        double sum = 0;
        for (int64_t p = 0; p < block; ++p)
          sum += prepared->u[i * 128 + p] * factor[p * k + j];
        ASSERT_NEAR(sum, i == j, 1e-4);
      }
    // Groups stay together where they must, and the largest diagonals come first.
    for (int64_t i = 0; i + 1 < k; ++i) {
      const int64_t a = prepared->order[i], b = prepared->order[i + 1];
      const bool sameGroup = a / 32 == b / 32;
      if (order == GptqOrder::ActOrder || (order == GptqOrder::GroupAware && sameGroup)) {
        EXPECT_GE(prepared->h[a * k + a], prepared->h[b * k + b]);
      }
      if (order == GptqOrder::None) {
        EXPECT_EQ(a, i);
      }
    }
  }
}

TEST(PrepareHessian, DampsMoreWhenItMust) {
  // Rank 1 and no damping asked for: singular.
  const int64_t k = 64;
  Floats x = normals(k, 2);
  GptqOptions options;
  options.damping = 0;
  auto prepared = prepareHessian(hessian(x, k), k, options, serialFor);
  ASSERT_TRUE(prepared.isOk());
  EXPECT_GT(prepared->attempts, 1);
  EXPECT_GT(prepared->damping, 0);
}

TEST(PrepareHessian, SetsDeadColumnsApart) {
  const int64_t k = 40;
  Floats x = activations(100, k, 3);
  for (int64_t t = 0; t < 100; ++t)
    x[t * k + 7] = 0;
  GptqOptions options;
  auto prepared = prepareHessian(hessian(x, k), k, options, serialFor);
  ASSERT_TRUE(prepared.isOk());
  EXPECT_EQ(prepared->deadColumns, 1);
  EXPECT_GT(prepared->h[7 * k + 7], 0);
}

TEST(PrepareHessian, RefusesBadInput) {
  GptqOptions options;
  EXPECT_EQ(prepareHessian(Floats(5), 2, options, serialFor).status().code(),
            qrt::StatusCode::InvalidArgument);
  Floats h = {1, 0, 0, std::numeric_limits<float>::quiet_NaN()};
  auto bad = prepareHessian(h, 2, options, serialFor);
  EXPECT_NE(bad.status().message().find("[1, 1]"), std::string::npos);
  // Off-diagonals that no diagonal can carry.
  auto indefinite = prepareHessian({1, 100, 100, 1}, 2, options, serialFor);
  EXPECT_EQ(indefinite.status().code(), qrt::StatusCode::BadCalibration);
}
