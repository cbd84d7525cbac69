//===- ClipSearch.cpp - Clip limits per row and group -----------------------------------------===//
#include "qopt/Quantization/AWQ.h"

#include "qopt/Quantization/ImportanceRounding.h"

#include "RowLoss.h"

#include <algorithm>
#include <cmath>

namespace qopt::quantization {

ClipResult searchClip(const WeightView &weight, int64_t k, std::span<const float> h,
                      const ClipOptions &options, const ParallelFor &parallel) {
  const int64_t n = weight.n, groups = groupsPerRow(weight.format, k);
  const int64_t size = weight.format.groupSize ? weight.format.groupSize : k;
  GroupFormat format = weight.format;
  format.groupSize = 0; // one group at a time
  ClipResult result;
  result.limits.assign(n * groups, 0.0f);
  std::vector<double> before(n * groups), after(n * groups);
  const int64_t panels = (n + panelRows - 1) / panelRows;
  const int steps = std::max(1, int(std::lround(options.maxShrink * float(options.gridPoints))));
  parallel(panels * groups, [&](int64_t index) {
    const int64_t g = index % groups, firstRow = index / groups * panelRows;
    const int64_t rows = std::min(panelRows, n - firstRow);
    const int64_t first = g * size, count = std::min(size, k - first);
    std::vector<float> block(count * count), clipped(rows * count), e(rows * count), largest(rows);
    for (int64_t i = 0; i < count; ++i)
      std::copy_n(h.data() + (first + i) * k + first, count, block.data() + i * count);
    auto value = [&](int64_t r, int64_t j) { return weight.w[(firstRow + r) * k + first + j]; };
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t j = 0; j < count; ++j)
        largest[r] = std::max(largest[r], std::fabs(value(r, j)));
    std::vector<double> loss(rows);
    for (int step = 0; step < steps; ++step) {
      const float fraction = 1.0f - float(step) / float(options.gridPoints);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t j = 0; j < count; ++j)
          clipped[r * count + j] =
              std::clamp(value(r, j), -largest[r] * fraction, largest[r] * fraction);
      const QuantizedMatrix q = roundByImportance(clipped, rows, count, format, {},
                                                  format.searchScale ? 24 : 1, serialFor);
      for (int64_t r = 0; r < rows; ++r) {
        dequantizeRow(q, r, e.data() + r * count);
        for (int64_t j = 0; j < count; ++j)
          e[r * count + j] = value(r, j) - e[r * count + j];
      }
      rowLosses(e.data(), rows, count, block.data(), loss.data());
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t at = (firstRow + r) * groups + g;
        if (step == 0)
          before[at] = after[at] = loss[r], result.limits[at] = largest[r];
        else if (loss[r] < after[at])
          after[at] = loss[r], result.limits[at] = largest[r] * fraction;
      }
    }
  });
  for (int64_t i = 0; i < n * groups; ++i)
    result.lossBefore += before[i], result.loss += after[i];
  return result;
}

void clipWeights(std::span<float> w, int64_t n, int64_t k, const GroupFormat &format,
                 std::span<const float> limits) {
  const int64_t groups = groupsPerRow(format, k), size = format.groupSize ? format.groupSize : k;
  for (int64_t r = 0; r < n; ++r)
    for (int64_t j = 0; j < k; ++j) {
      const float limit = limits[r * groups + j / size];
      w[r * k + j] = std::clamp(w[r * k + j], -limit, limit);
    }
}

} // namespace qopt::quantization
