//===- SparseTest.cpp - products with a sparse matrix -------------------------===//
//
// Every variant: equal bits to the scalar one, for few and many tokens and any number of threads,
// and close to float64 sums.
//
//===----------------------------------------------------------------------===//

#include "EmulatedVariants.h"
#include "TestVariants.h"
#include "kernels/cpu/vector/Variants.h"
#include "qrt/Half.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace qrt;
using namespace qrt::kernels;
using namespace qrt::kernels::test;

namespace {

struct RandomSparse {
  std::vector<int32_t> rows = {0};
  std::vector<uint16_t> columns, values;
  SparseMatrix view() const { return {rows.data(), columns.data(), values.data()}; }
};

/// Rows of none, few and (the first) all columns.
RandomSparse randomSparse(int64_t n, int64_t k, double share, uint32_t seed) {
  std::mt19937 random(seed);
  std::bernoulli_distribution chosen(share);
  std::normal_distribution<float> normal(0, 2.0f);
  RandomSparse out;
  for (int64_t row = 0; row < n; ++row) {
    for (int64_t column = 0; column < k; ++column)
      if (row == 0 || (row % 5 != 3 && chosen(random))) {
        out.columns.push_back(uint16_t(column));
        out.values.push_back(f32ToF16(normal(random)));
      }
    out.rows.push_back(int32_t(out.columns.size()));
  }
  return out;
}

/// On top of 1s, into rows with a gap that must stay.
std::vector<float> run(const VectorKernels &kernels, int threads, const RandomSparse &matrix,
                       const std::vector<float> &src, int64_t tokens, int64_t n, int64_t k) {
  ThreadPool pool(threads);
  Workspace workspace;
  const int64_t stride = n + 3;
  std::vector<float> out(tokens * stride, 1.0f);
  Status status = sparseAddWith(
      kernels, pool, {out.data(), stride, src.data(), k + 1, tokens, n, k, matrix.view()},
      workspace);
  EXPECT_TRUE(status) << status.message();
  EXPECT_LE(workspace.size(), sparseWorkspaceBytes(k, tokens) + 64);
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t i = n; i < stride; ++i)
      EXPECT_EQ(out[t * stride + i], 1.0f);
  return out;
}

} // namespace

TEST(Sparse, EveryVariantHasTheBitsOfTheDefinition) {
  for (auto [n, k, share] : {std::tuple<int64_t, int64_t, double>{1, 1, 1.0},
                             {37, 200, 0.05},
                             {150, 896, 0.01},
                             {5, 65536, 0.001}})
    for (int64_t tokens : {1, 3, 7, 8, 15, 16, 17, 64, 70}) {
      if (k == 65536 && tokens != 1 && tokens != 17)
        continue;
      const RandomSparse matrix = randomSparse(n, k, share, 3);
      const std::vector<float> src = randomFloats(tokens * (k + 1), uint32_t(5 + tokens));
      const std::vector<float> want = run(*vectorVariants().front(), 1, matrix, src, tokens, n, k);
      for (int64_t t = 0; t < tokens; ++t)
        for (int64_t row = 0; row < n; ++row) {
          double exact = 1, magnitude = 1;
          for (int32_t e = matrix.rows[row]; e < matrix.rows[row + 1]; ++e) {
            const double product =
                double(f16ToF32(matrix.values[e])) * src[t * (k + 1) + matrix.columns[e]];
            exact += product;
            magnitude += std::abs(product);
          }
          ASSERT_NEAR(want[t * (n + 3) + row], exact, 1e-5 * magnitude) << n << " x " << k;
        }
      for (const Variant<VectorKernels> &variant :
           runnable<VectorKernels>(vectorVariants(), emulatedVectorVariants()))
        for (int threads : {1, 3})
          EXPECT_EQ(run(*variant.kernels, threads, matrix, src, tokens, n, k), want)
              << variant.name << " " << n << " x " << k << ", " << tokens << " tokens";
    }
}

TEST(Sparse, ATokenHasTheSameBitsInAnyBatch) {
  const int64_t n = 90, k = 300, tokens = 40;
  const RandomSparse matrix = randomSparse(n, k, 0.1, 4);
  const std::vector<float> src = randomFloats(tokens * (k + 1), 6);
  const std::vector<float> all = run(activeVectorKernels(), 2, matrix, src, tokens, n, k);
  for (int64_t t = 0; t < tokens; ++t) {
    const std::vector<float> row(src.begin() + t * (k + 1), src.begin() + (t + 1) * (k + 1));
    const std::vector<float> alone = run(activeVectorKernels(), 2, matrix, row, 1, n, k);
    EXPECT_TRUE(std::equal(alone.begin(), alone.begin() + n, all.begin() + t * (n + 3))) << t;
  }
}

TEST(Sparse, RefusesWhatIsMissing) {
  ThreadPool pool(1);
  Workspace workspace;
  float x[2] = {}, y[2] = {};
  EXPECT_EQ(sparseAdd(pool, {y, 1, x, 1, 1, 1, 1, {}}, workspace).code(),
            StatusCode::InvalidArgument);
  const RandomSparse matrix = randomSparse(1, 2, 1.0, 1);
  EXPECT_EQ(sparseAdd(pool, {y, 1, x, 1, 2, 1, 2, matrix.view()}, workspace).code(),
            StatusCode::InvalidArgument);
  EXPECT_TRUE(sparseAdd(pool, {y, 1, x, 2, 0, 1, 2, matrix.view()}, workspace));
}
