//===- Outliers.cpp - Weights and channels that must not be rounded ---------------------------===//
#include "qopt/Quantization/Outliers.h"

#include "RowLoss.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace qopt::quantization {

namespace {

float median(std::span<const float> values) {
  std::vector<float> sorted(values.begin(), values.end());
  if (sorted.empty())
    return 0;
  auto middle = sorted.begin() + sorted.size() / 2;
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

bool before(const WeightPosition &a, const WeightPosition &b) {
  if (a.score != b.score)
    return a.score > b.score;
  return a.row != b.row ? a.row < b.row : a.column < b.column;
}

} // namespace

std::vector<int32_t> outlierChannels(std::span<const float> maxAbs, float ratio) {
  const float limit = ratio * median(maxAbs);
  std::vector<int32_t> channels;
  for (size_t j = 0; j < maxAbs.size(); ++j)
    if (maxAbs[j] > 0 && maxAbs[j] >= limit)
      channels.push_back(int32_t(j));
  std::stable_sort(channels.begin(), channels.end(),
                   [&](int32_t a, int32_t b) { return maxAbs[a] > maxAbs[b]; });
  return channels;
}

std::vector<WeightPosition> findSuperWeights(std::span<const float> w, int64_t n, int64_t k,
                                             std::span<const float> maxAbsInput,
                                             std::span<const float> maxAbsOutput, float ratio) {
  const double inputMedian = std::max(median(maxAbsInput), 1e-30f);
  const double outputMedian = std::max(median(maxAbsOutput), 1e-30f);
  const std::vector<int32_t> inputs = outlierChannels(maxAbsInput, ratio);
  std::vector<WeightPosition> found;
  if (inputs.empty())
    return found;
  for (int32_t row : outlierChannels(maxAbsOutput, ratio)) {
    WeightPosition best;
    double most = -1;
    for (int32_t column : inputs) {
      const double moved = double(std::fabs(w[row * k + column])) * maxAbsInput[column];
      if (moved > most) {
        most = moved;
        best = {row, column, w[row * k + column],
                maxAbsInput[column] / inputMedian * (maxAbsOutput[row] / outputMedian)};
      }
    }
    found.push_back(best);
  }
  std::sort(found.begin(), found.end(), before);
  return found;
}

std::vector<WeightPosition> costliestWeights(std::span<const float> w,
                                             const QuantizedMatrix &matrix,
                                             std::span<const float> diagonal, int64_t count,
                                             const ParallelFor &parallel) {
  const int64_t n = matrix.n, k = matrix.k;
  count = std::min(std::max<int64_t>(count, 0), n * k);
  if (count == 0)
    return {};
  auto forRow = [&](int64_t r, std::vector<float> &row, auto body) {
    dequantizeRow(matrix, r, row.data());
    for (int64_t j = 0; j < k; ++j) {
      const double error = double(w[r * k + j]) - row[j];
      body(j, error * error * diagonal[j]);
    }
  };
  // Scores in f32 give a threshold that no chosen weight is below, since rounding keeps the order.
  const int64_t strips = (n + panelRows - 1) / panelRows;
  std::vector<float> scores(n * k);
  parallel(strips, [&](int64_t strip) {
    std::vector<float> row(k);
    for (int64_t r = strip * panelRows; r < std::min(n, (strip + 1) * panelRows); ++r)
      forRow(r, row, [&](int64_t j, double score) { scores[r * k + j] = float(score); });
  });
  std::nth_element(scores.begin(), scores.begin() + (count - 1), scores.end(), std::greater<>());
  const float threshold = scores[count - 1];
  std::vector<std::vector<WeightPosition>> best(strips);
  parallel(strips, [&](int64_t strip) {
    std::vector<float> row(k);
    for (int64_t r = strip * panelRows; r < std::min(n, (strip + 1) * panelRows); ++r)
      forRow(r, row, [&](int64_t j, double score) {
        if (float(score) >= threshold)
          best[strip].push_back({r, j, w[r * k + j], score});
      });
  });
  std::vector<WeightPosition> all;
  for (const std::vector<WeightPosition> &part : best)
    all.insert(all.end(), part.begin(), part.end());
  std::sort(all.begin(), all.end(), before);
  all.resize(std::min<int64_t>(count, int64_t(all.size())));
  return all;
}

} // namespace qopt::quantization
