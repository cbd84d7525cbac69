//===- ImportanceRounding.cpp - Round to nearest with searched scales -------------------------===//
#include "qopt/Quantization/ImportanceRounding.h"

#include "Panel.h"

#include <algorithm>

namespace qopt::quantization {

QuantizedMatrix roundByImportance(std::span<const float> w, int64_t n, int64_t k,
                                  const GroupFormat &format, std::span<const float> importance,
                                  int clipRatios, const ParallelFor &parallel) {
  QuantizedMatrix matrix = makeQuantizedMatrix(format, n, k);
  const LaneSearch search{format.bits, format.symmetric, std::max(1, clipRatios)};
  // Rounding without feedback: a row of U with nothing right of the diagonal.
  const std::vector<float> one(1, 1.0f);
  parallel((n + lanes - 1) / lanes, [&](int64_t index) {
    const int64_t first = index * lanes, rows = std::min<int64_t>(lanes, n - first);
    Panel panel(rows, k, format);
    std::vector<float> values(panel.groupSize * lanes), codes(values.size()), errors(values.size()),
        padded(lanes * panel.groupSize);
    double loss[lanes] = {};
    for (int64_t g = 0; g < panel.groups; ++g) {
      const int64_t begin = g * panel.groupSize, count = std::min(panel.groupSize, k - begin);
      std::fill(padded.begin(), padded.end(), 0.0f);
      for (int64_t r = 0; r < rows; ++r)
        std::copy_n(w.data() + (first + r) * k + begin, count, padded.data() + r * count);
      toLanes(padded.data(), count, count, values.data());
      LaneScales scales;
      laneKernels().searchScales(search, values.data(),
                                 importance.empty() ? nullptr : importance.data() + begin, count,
                                 scales);
      panel.setScales(0, g, scales);
      for (int64_t j = 0; j < count; ++j)
        laneKernels().roundColumns(format.bits, scales, values.data() + j * lanes, one.data(), 1, 0,
                                   1, 1, codes.data() + j * lanes, errors.data(), loss);
      fromLanes(codes.data(), count, panel.codes.data() + begin, k);
    }
    for (int64_t r = 0; r < rows; ++r)
      panel.store(r, matrix, first + r);
  });
  return matrix;
}

} // namespace qopt::quantization
