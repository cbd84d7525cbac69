//===- PrepareHessian.cpp - Order, damping and factor of a Hessian ----------------------------===//
#include "FirstNonFinite.h"
#include "Panel.h"

#include "qopt/Quantization/Cholesky.h"
#include "qopt/Quantization/GPTQ.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace qopt::quantization {

namespace {

using qrt::Result;

/// Position -> column.
std::vector<int32_t> columnOrder(const std::vector<float> &diagonal, int64_t groupSize,
                                 GptqOrder order) {
  const int64_t k = int64_t(diagonal.size());
  std::vector<int32_t> columns(k);
  std::iota(columns.begin(), columns.end(), 0);
  auto larger = [&](int32_t a, int32_t b) { return diagonal[a] > diagonal[b]; };
  if (order == GptqOrder::None)
    return columns;
  if (order == GptqOrder::ActOrder || groupSize == 0) {
    std::stable_sort(columns.begin(), columns.end(), larger);
    return columns;
  }
  const int64_t groups = (k + groupSize - 1) / groupSize;
  std::vector<float> top(groups, 0.0f);
  for (int64_t j = 0; j < k; ++j)
    top[j / groupSize] = std::max(top[j / groupSize], diagonal[j]);
  std::vector<int64_t> groupOrder(groups);
  std::iota(groupOrder.begin(), groupOrder.end(), 0);
  std::stable_sort(groupOrder.begin(), groupOrder.end(),
                   [&](int64_t a, int64_t b) { return top[a] > top[b]; });
  auto out = columns.begin();
  for (int64_t g : groupOrder) {
    auto first = out;
    for (int64_t j = g * groupSize; j < std::min(k, (g + 1) * groupSize); ++j)
      *out++ = int32_t(j);
    std::stable_sort(first, out, larger);
  }
  return columns;
}

/// U_BB of every block: the inverse of an upper triangle is that of its transpose, transposed.
void invertDiagonalBlocks(PreparedHessian &prepared, const ParallelFor &parallel) {
  const int64_t k = prepared.k;
  const std::vector<Block> blocks =
      planBlocks(prepared.order, k, prepared.groupSize ? prepared.groupSize : k);
  prepared.u.assign(k * positionsPerBlock, 0.0f);
  parallel(int64_t(blocks.size()), [&](int64_t index) {
    const int64_t first = blocks[index].first, n = blocks[index].last - first;
    std::vector<double> lower(n * n), inverse(n * n);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j <= i; ++j)
        lower[i * n + j] = prepared.r[(first + j) * k + first + i];
    invertLower(lower.data(), n, n, inverse.data());
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = i; j < n; ++j)
        prepared.u[(first + i) * positionsPerBlock + j] = static_cast<float>(inverse[j * n + i]);
  });
}

} // namespace

Result<PreparedHessian> prepareHessian(std::vector<float> h, int64_t k, const GptqOptions &options,
                                       const ParallelFor &parallel) {
  if (k <= 0 || int64_t(h.size()) != k * k)
    return qrt::invalidArgument("Hessian of " + std::to_string(h.size()) + " elements is not [" +
                                std::to_string(k) + ", " + std::to_string(k) + "]");
  if (const int64_t at = firstNonFinite(h, k, parallel); at >= 0)
    return qrt::invalidArgument("Hessian element [" + std::to_string(at / k) + ", " +
                                std::to_string(at % k) + "] is not finite");
  PreparedHessian prepared;
  prepared.k = k;
  prepared.groupSize = options.format.groupSize;
  double trace = 0;
  for (int64_t j = 0; j < k; ++j)
    trace += std::max(0.0f, h[j * k + j]);
  const double mean = trace > 0 ? trace / double(k) : 1.0;
  std::vector<float> diagonal(k);
  for (int64_t j = 0; j < k; ++j) {
    if (!(h[j * k + j] > 0)) {
      // Never active: the column stands alone, and any positive value rounds it plainly.
      for (int64_t i = 0; i < k; ++i)
        h[j * k + i] = h[i * k + j] = 0.0f;
      h[j * k + j] = static_cast<float>(mean);
      ++prepared.deadColumns;
      continue;
    }
    diagonal[j] = h[j * k + j];
  }
  prepared.order = columnOrder(diagonal, options.format.groupSize, options.order);

  // Reversed rows and columns make the lower factor of the copy the upper one of H (Cholesky.h).
  std::vector<float> &factor = prepared.r;
  factor.resize(k * k);
  double damping = std::max(options.damping, 0.0);
  for (;; ++prepared.attempts) {
    prepared.damping = damping * mean;
    parallel(k, [&](int64_t i) {
      const float *row = h.data() + prepared.order[k - 1 - i] * k;
      for (int64_t j = 0; j <= i; ++j)
        factor[i * k + j] = row[prepared.order[k - 1 - j]];
      factor[i * k + i] += static_cast<float>(prepared.damping);
    });
    if (choleskyLower(factor, k, parallel))
      break;
    if (damping >= 1.0)
      return qrt::Status::error(qrt::StatusCode::BadCalibration,
                                "the Hessian is not positive definite even with its whole mean "
                                "diagonal added; the calibration data is unusable");
    damping = std::min(1.0, std::max(2 * damping, 1e-4));
  }
  // Back to the order of the columns, in place: the matrix turned by half, zeros below.
  parallel((k + 1) / 2, [&](int64_t i) {
    float *row = factor.data() + i * k, *opposite = factor.data() + (k - 1 - i) * k;
    std::fill(row + i + 1, row + k, 0.0f);
    std::fill(opposite + k - i, opposite + k, 0.0f);
    for (int64_t j = 0; j < (i == k - 1 - i ? (k + 1) / 2 : k); ++j)
      std::swap(row[j], opposite[k - 1 - j]);
  });
  invertDiagonalBlocks(prepared, parallel);
  prepared.h = std::move(h);
  return prepared;
}

} // namespace qopt::quantization
