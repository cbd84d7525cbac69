//===- SparseOutliersTest.cpp - Weights kept in f16, against float64 --------------------------===//
#include "qopt/Quantization/SparseOutliers.h"

#include "qopt/Quantization/ImportanceRounding.h"

#include "GptqCase.h"

#include <gtest/gtest.h>

#include <algorithm>

using namespace qopt::quantization;
using namespace qopt::quantization::test;

namespace {

PreparedHessian prepared(const GptqCase &c, const GptqOptions &options) {
  auto made = prepareHessian(c.h, c.k, options, serialFor);
  EXPECT_TRUE(made.isOk()) << made.status().message();
  return made.takeValue();
}

SparseGptqResult run(const GptqCase &c, const GptqOptions &options, double share,
                     const ParallelFor &parallel = serialFor) {
  const PreparedHessian hessian = prepared(c, options);
  auto result = gptqWithOutliers(c.w, c.n, hessian, options, share, parallel);
  EXPECT_TRUE(result.isOk()) << result.status().message();
  return result.takeValue();
}

/// Codes and outliers, in float64.
Doubles whole(const SparseGptqResult &result) {
  const QuantizedMatrix &m = result.dense.matrix;
  const SparseWeights &sparse = result.outliers;
  Doubles x = dequantized(m);
  for (int64_t row = 0; row < m.n; ++row)
    for (int32_t e = sparse.rows[row]; e < sparse.rows[row + 1]; ++e)
      x[row * m.k + sparse.columns[e]] += qrt::f16ToF32(sparse.values[e]);
  return x;
}

void expectSorted(const SparseWeights &sparse, int64_t n, int64_t k) {
  ASSERT_EQ(int64_t(sparse.rows.size()), n + 1);
  EXPECT_EQ(sparse.rows.front(), 0);
  EXPECT_EQ(size_t(sparse.rows.back()), sparse.columns.size());
  EXPECT_EQ(sparse.values.size(), sparse.columns.size());
  for (int64_t row = 0; row < n; ++row)
    for (int32_t e = sparse.rows[row]; e < sparse.rows[row + 1]; ++e) {
      EXPECT_LT(sparse.columns[e], k);
      EXPECT_TRUE(e == sparse.rows[row] || sparse.columns[e] > sparse.columns[e - 1]);
    }
}

} // namespace

TEST(SparseOutliers, AreThoseWhoseRoundingCostsMost) {
  const GptqCase c = makeCase(70, 96, 1, 8);
  const GroupFormat format{3, 32, false, false};
  Floats diagonal(c.k);
  for (int64_t j = 0; j < c.k; ++j)
    diagonal[j] = c.h[j * c.k + j];
  const int64_t count = outlierCount(0.02, c.n, c.k);
  EXPECT_EQ(count, 134);
  const SparseWeights sparse = chooseOutliers(c.w, c.n, c.k, format, diagonal, count, threads(3));
  expectSorted(sparse, c.n, c.k);
  ASSERT_EQ(int64_t(sparse.values.size()), count);
  const Doubles x = dequantized(roundByImportance(c.w, c.n, c.k, format, diagonal, 24, serialFor));
  Doubles scores;
  for (size_t i = 0; i < x.size(); ++i)
    scores.push_back((c.w[i] - x[i]) * (c.w[i] - x[i]) * diagonal[i % c.k]);
  Doubles sorted = scores;
  std::sort(sorted.rbegin(), sorted.rend());
  for (int64_t row = 0; row < c.n; ++row)
    for (int32_t e = sparse.rows[row]; e < sparse.rows[row + 1]; ++e) {
      const int64_t at = row * c.k + sparse.columns[e];
      EXPECT_GE(scores[at], sorted[count - 1] * (1 - 1e-6));
      EXPECT_EQ(sparse.values[e], qrt::f32ToF16(c.w[at]));
    }
  const Floats rest = withoutOutliers(c.w, c.k, sparse);
  EXPECT_EQ(std::count(rest.begin(), rest.end(), 0.0f), count);
}

/// For fixed codes the values are the solution of the normal equations of their row.
TEST(SparseOutliers, ValuesAreTheBestForTheCodes) {
  const GptqCase c = makeCase(20, 64, 2, 8);
  const GptqOptions options = withFormat(2, 32, false, 0);
  const PreparedHessian hessian = prepared(c, options);
  const SparseGptqResult result = run(c, options, 0.05);
  const QuantizedMatrix &m = result.dense.matrix;
  const SparseWeights &sparse = result.outliers;
  const int64_t k = c.k;
  auto damped = [&](int64_t i, int64_t j) {
    return double(hessian.h[i * k + j]) + (i == j ? hessian.damping : 0);
  };
  const Doubles codes = dequantized(m);
  for (int64_t row = 0; row < c.n; ++row) {
    std::vector<int64_t> support;
    for (int32_t e = sparse.rows[row]; e < sparse.rows[row + 1]; ++e)
      support.push_back(sparse.columns[e]);
    const size_t size = support.size();
    Doubles a(size * size), s(size, 0.0), residual(k);
    for (int64_t j = 0; j < k; ++j)
      residual[j] = c.w[row * k + j] - codes[row * k + j];
    for (size_t i = 0; i < size; ++i) {
      for (int64_t j = 0; j < k; ++j)
        s[i] += residual[j] * damped(j, support[i]);
      for (size_t j = 0; j < size; ++j)
        a[i * size + j] = damped(support[i], support[j]);
    }
    for (size_t i = 0; i < size; ++i) // Gauss-Jordan
      for (size_t r = 0; r < size; ++r) {
        if (r == i)
          continue;
        const double factor = a[r * size + i] / a[i * size + i];
        for (size_t j = 0; j < size; ++j)
          a[r * size + j] -= factor * a[i * size + j];
        s[r] -= factor * s[i];
      }
    auto objective = [&](auto value) {
      Doubles e = residual;
      for (size_t i = 0; i < size; ++i)
        e[support[i]] -= value(i);
      double sum = 0;
      for (int64_t i = 0; i < k; ++i)
        for (int64_t j = 0; j < k; ++j)
          sum += e[i] * damped(i, j) * e[j];
      return sum;
    };
    const double best = objective([&](size_t i) { return s[i] / a[i * size + i]; });
    const double found = objective(
        [&](size_t i) { return double(qrt::f16ToF32(sparse.values[sparse.rows[row] + i])); });
    EXPECT_GE(found, best * (1 - 1e-6));
    EXPECT_LE(found, best * 1.02) << "row " << row << ", " << size << " outliers";
  }
}

TEST(SparseOutliers, LowerTheLossThatIsReported) {
  for (auto [n, k, bits, group, symmetric] :
       {std::tuple<int64_t, int64_t, int, int64_t, bool>{37, 130, 3, 64, false},
        {100, 96, 2, 32, false},
        {9, 128, 4, 0, true}}) {
    const GptqCase c = makeCase(n, k, unsigned(n), 8);
    const GptqOptions options = withFormat(bits, group, symmetric, 2);
    double before = gptq(c.w, n, prepared(c, options), options, serialFor)->loss;
    for (double share : {0.005, 0.02, 0.1}) {
      const SparseGptqResult result = run(c, options, share);
      const double loss = result.dense.loss;
      expectSorted(result.outliers, n, k);
      EXPECT_EQ(int64_t(result.outliers.values.size()), outlierCount(share, n, k));
      EXPECT_NEAR(loss, lossOf(c, whole(result)), 1e-4 * loss);
      EXPECT_LE(loss, result.dense.lossRtn);
      EXPECT_LT(loss, before) << share;
      before = loss;
    }
  }
}

TEST(SparseOutliers, DoNotDependOnThreads) {
  const GptqCase c = makeCase(210, 96, 5, 8);
  const GptqOptions options = withFormat(2, 32, false, 2);
  const SparseGptqResult one = run(c, options, 0.01), many = run(c, options, 0.01, threads(3));
  EXPECT_EQ(one.dense.matrix.codes, many.dense.matrix.codes);
  EXPECT_EQ(one.dense.matrix.scales, many.dense.matrix.scales);
  EXPECT_EQ(one.outliers.rows, many.outliers.rows);
  EXPECT_EQ(one.outliers.columns, many.outliers.columns);
  EXPECT_EQ(one.outliers.values, many.outliers.values);
}

/// Also with a target that is not the weight, and where every weight is on the grid already.
TEST(SparseOutliers, AreNeverWorseThanRoundToNearest) {
  GptqCase c = makeCase(16, 64, 6, 8);
  const GptqOptions options = withFormat(4, 32, true, 2);
  for (float &w : c.w) // multiples of one f16 scale
    w = std::round(std::clamp(w, -0.2f, 0.2f) * 32) / 32;
  const PreparedHessian hessian = prepared(c, options);
  const Floats target = normals(c.n * c.k, 8, 0.05f);
  for (std::span<const float> wanted : {std::span<const float>(), std::span<const float>(target)}) {
    auto result = gptqWithOutliers(c.w, c.n, hessian, options, 0.01, serialFor, wanted);
    ASSERT_TRUE(result.isOk());
    EXPECT_LE(result->dense.loss, result->dense.lossRtn);
  }
}

TEST(SparseOutliers, RefusesImpossibleShares) {
  const GptqCase c = makeCase(4, 32, 7, 8);
  const GptqOptions options = withFormat(3, 32, false, 2);
  const PreparedHessian hessian = prepared(c, options);
  for (double share : {0.0, -0.1, 0.6, double(NAN)})
    EXPECT_EQ(gptqWithOutliers(c.w, c.n, hessian, options, share, serialFor).status().code(),
              qrt::StatusCode::InvalidArgument);
  Floats broken = c.w;
  broken[5] = NAN;
  EXPECT_EQ(gptqWithOutliers(broken, c.n, hessian, options, 0.1, serialFor).status().code(),
            qrt::StatusCode::InvalidArgument);
}
