//===- OutputErrorRounding.cpp - Round to nearest, scales searched under the whole Hessian ----===//
#include "qopt/Quantization/OutputErrorRounding.h"

#include "MatrixProducts.h"
#include "Panel.h"

#include <algorithm>

namespace qopt::quantization {

namespace {

/// One group of a panel: new scales where they lower the loss of a row.
/// e, gradient [padded, k]: the errors of all columns, and those times H; e is kept up to date.
void searchGroup(const float *w, const float *h, int64_t group, const LaneSearch &search,
                 Panel &panel, float *e, const float *gradient, float *change) {
  const int64_t k = panel.k, first = group * panel.groupSize;
  const int64_t count = std::min(panel.groupSize, k - first);
  const bool diagonal = count > longestSearchBlock;
  std::vector<float> block(diagonal ? count : count * count), values(count * lanes),
      offset(count * lanes), error(count * lanes), codes(count * lanes), scratch(2 * count * lanes);
  for (int64_t i = 0; i < count; ++i) {
    const float *row = h + (first + i) * k + first;
    if (diagonal)
      block[i] = row[i];
    else
      std::copy_n(row, count, block.data() + i * count);
  }
  for (int64_t r = 0; r < panel.padded; r += lanes) {
    toLanes(w + r * k + first, k, count, values.data());
    toLanes(e + r * k + first, k, count, error.data());
    toLanes(gradient + r * k + first, k, count, offset.data());
    toLanes(panel.codes.data() + r * k + first, k, count, codes.data());
    std::vector<float> before = error;
    LaneScales scales = panel.laneScales(r, group);
    laneKernels().searchScalesUnder(search, values.data(), offset.data(), block.data(), diagonal,
                                    count, scratch.data(), codes.data(), error.data(), scales);
    panel.setScales(r, group, scales);
    fromLanes(codes.data(), count, panel.codes.data() + r * k + first, k);
    fromLanes(error.data(), count, e + r * k + first, k);
    for (int64_t i = 0; i < count * lanes; ++i)
      before[i] = error[i] - before[i];
    fromLanes(before.data(), count, change + r * count, count);
  }
}

} // namespace

QuantizedMatrix roundByOutputError(std::span<const float> w, int64_t n, int64_t k,
                                   const GroupFormat &format, std::span<const float> h,
                                   const OutputErrorOptions &options, const ParallelFor &parallel) {
  GroupFormat plain = format;
  plain.searchScale = false;
  QuantizedMatrix matrix = makeQuantizedMatrix(plain, n, k);
  const LaneSearch search{format.bits, format.symmetric, std::max(1, options.clipRatios)};
  parallel((n + panelRows - 1) / panelRows, [&](int64_t index) {
    const int64_t first = index * panelRows, rows = std::min(panelRows, n - first);
    Panel panel(rows, k, plain);
    std::vector<float> wanted(panel.padded * k, 0.0f), e(panel.padded * k),
        gradient(panel.padded * k, 0.0f), change(panel.padded * panel.groupSize);
    std::copy_n(w.data() + first * k, rows * k, wanted.data());
    ErrorSums sums;
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t at = first + r;
      quantizeRow(plain, w.data() + at * k, k, matrix.codes.data() + at * k,
                  matrix.scales.data() + at * panel.groups,
                  plain.symmetric ? nullptr : matrix.zeroPoints.data() + at * panel.groups, sums);
      panel.load(r, matrix, at);
    }
    panel.residual(wanted.data(), e.data());
    std::vector<double> before(rows), after(rows);
    rowLosses(e.data(), rows, k, h.data(), before.data());
    multiplyAdd(panel.padded, k, k, 1.0f, rowMajor(static_cast<const float *>(e.data()), k),
                rowMajor(h.data(), k), gradient.data(), k);
    for (int pass = 0; pass < options.passes; ++pass)
      for (int64_t g = 0; g < panel.groups; ++g) {
        const int64_t begin = g * panel.groupSize, count = std::min(panel.groupSize, k - begin);
        searchGroup(wanted.data(), h.data(), g, search, panel, e.data(), gradient.data(),
                    change.data());
        multiplyAdd(panel.padded, k, count, 1.0f,
                    rowMajor(static_cast<const float *>(change.data()), count),
                    rowMajor(h.data() + begin * k, k), gradient.data(), k);
      }
    rowLosses(e.data(), rows, k, h.data(), after.data());
    for (int64_t r = 0; r < rows; ++r)
      if (after[r] < before[r]) // else the row stays as it was rounded first
        panel.store(r, matrix, first + r);
  });
  return matrix;
}

} // namespace qopt::quantization
