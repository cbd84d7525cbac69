//===- OutliersTest.cpp - Planted super weights and costly elements ---------------------------===//
#include "qopt/Quantization/Outliers.h"
#include "qopt/Quantization/ImportanceRounding.h"

#include "Reference.h"

#include <gtest/gtest.h>

using namespace qopt::quantization;
using namespace qopt::quantization::test;

TEST(Outliers, FindsAPlantedSuperWeight) {
  const int64_t n = 48, k = 130, tokens = 200;
  Floats w = normals(n * k, 1, 0.05f), x = normals(tokens * k, 2), input(k, 0.0f), output(n, 0.0f);
  w[17 * k + 101] = 3.0f;
  x[50 * k + 101] = 400;
  auto observe = [&] {
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t j = 0; j < k; ++j)
        input[j] = std::max(input[j], std::fabs(x[t * k + j]));
      for (int64_t i = 0; i < n; ++i) {
        float y = 0;
        for (int64_t j = 0; j < k; ++j)
          y += w[i * k + j] * x[t * k + j];
        output[i] = std::max(output[i], std::fabs(y));
      }
    }
  };
  observe();
  auto found = findSuperWeights(w, n, k, input, output, 30);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].row, 17);
  EXPECT_EQ(found[0].column, 101);
  EXPECT_EQ(found[0].value, 3.0f);
  EXPECT_EQ(outlierChannels(input, 30), std::vector<int32_t>{101});
  // A spike of the input that reaches no output alone is none.
  w[17 * k + 101] = 0.01f;
  std::fill(output.begin(), output.end(), 0.0f);
  observe();
  EXPECT_TRUE(findSuperWeights(w, n, k, input, output, 30).empty());
}

TEST(Outliers, RanksWeightsByTheErrorTheySave) {
  const int64_t n = 200, k = 64;
  Floats w = normals(n * k, 3), diagonal(k);
  for (int64_t j = 0; j < k; ++j)
    diagonal[j] = 1 + float(j % 9);
  QuantizedMatrix m = roundByImportance(w, n, k, {3, 32, false, false}, {}, 1, serialFor);
  Doubles x = dequantized(m);
  std::vector<double> scores;
  for (size_t i = 0; i < w.size(); ++i)
    scores.push_back((w[i] - x[i]) * (w[i] - x[i]) * diagonal[i % k]);
  auto found = costliestWeights(w, m, diagonal, 100, threads(3));
  ASSERT_EQ(found.size(), 100u);
  std::vector<double> sorted = scores;
  std::sort(sorted.rbegin(), sorted.rend());
  for (int i = 0; i < 100; ++i) {
    EXPECT_NEAR(found[i].score, sorted[i], 1e-5 * sorted[i]);
    EXPECT_NEAR(scores[found[i].row * k + found[i].column], sorted[i], 1e-5 * sorted[i]);
  }
  auto serial = costliestWeights(w, m, diagonal, 100, serialFor);
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(serial[i].row == found[i].row && serial[i].column == found[i].column);
  EXPECT_EQ(costliestWeights(w, m, diagonal, n * k + 5, serialFor).size(), size_t(n * k));
}
