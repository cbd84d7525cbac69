//===- RoundPanel.cpp - GPTQ of a panel of rows -----------------------------------------------===//
#include "MatrixProducts.h"
#include "Panel.h"

#include <algorithm>

namespace qopt::quantization {

namespace {

/// What an error in a column costs, per position; empty: 1.
std::vector<float> searchWeights(const PreparedHessian &hessian, ScaleSearch search) {
  std::vector<float> weights;
  if (search != ScaleSearch::Diagonal && search != ScaleSearch::Cholesky)
    return weights;
  const int64_t k = hessian.k;
  weights.resize(k);
  for (int64_t p = 0; p < k; ++p) {
    const float pivot = hessian.u[p * k + p];
    const int64_t column = hessian.order[p];
    weights[p] =
        search == ScaleSearch::Cholesky ? 1.0f / (pivot * pivot) : hessian.h[column * k + column];
  }
  return weights;
}

/// Scales of all groups from the weights before any update. `weights` per position.
void staticScales(const float *target, const PreparedHessian &hessian, const LaneSearch &search,
                  const std::vector<float> &weights, Panel &panel) {
  const int64_t k = panel.k;
  std::vector<float> byColumn(weights.size()), values(panel.groupSize * lanes);
  for (size_t p = 0; p < weights.size(); ++p)
    byColumn[hessian.order[p]] = weights[p];
  for (int64_t g = 0; g < panel.groups; ++g) {
    const int64_t first = g * panel.groupSize, count = std::min(panel.groupSize, k - first);
    for (int64_t r = 0; r < panel.padded; r += lanes) {
      LaneScales scales;
      toLanes(target + r * k + first, k, count, values.data());
      laneKernels().searchScales(search, values.data(),
                                 byColumn.empty() ? nullptr : byColumn.data() + first, count,
                                 scales);
      panel.setScales(r, g, scales);
    }
  }
}

} // namespace

void roundPanel(const float *target, const PreparedHessian &hessian, const GptqOptions &options,
                Panel &panel, double *damped) {
  const int64_t k = panel.k, padded = panel.padded;
  std::fill_n(damped, padded, 0.0);
  const bool fixedScales = options.staticGroups || options.order == GptqOrder::ActOrder;
  const LaneSearch search{options.format.bits, options.format.symmetric,
                          options.search == ScaleSearch::MinMax ? 1 : options.clipRatios};
  const std::vector<float> weights = searchWeights(hessian, options.search);
  if (fixedScales)
    staticScales(target, hessian, search, weights, panel);

  std::vector<float> w(padded * k);
  for (int64_t r = 0; r < padded; ++r)
    for (int64_t p = 0; p < k; ++p)
      w[r * k + p] = target[r * k + hessian.order[p]];

  std::vector<float> errors, values(std::max<int64_t>(128, panel.groupSize) * lanes),
      laneW(128 * lanes), laneCodes(128 * lanes), laneErrors(128 * lanes);
  for (const Block &block : planBlocks(hessian.order, k, panel.groupSize)) {
    const int64_t first = block.first, count = block.last - first;
    const float *u = hessian.u.data() + first * k + first;
    errors.resize(padded * count);
    for (int64_t r = 0; r < padded; r += lanes) {
      toLanes(w.data() + r * k + first, k, count, laneW.data());
      for (const Segment &segment : block.segments) {
        LaneScales scales = panel.laneScales(r, segment.group);
        if (segment.start && !fixedScales) {
          // The group as it stands now. A group longer than a block starts one, so that the rest
          // of it needs no update that is still to come.
          const float *group = laneW.data() + (segment.first - first) * lanes;
          int64_t size = segment.last - segment.first;
          const int64_t whole = std::min(panel.groupSize, k - segment.group * panel.groupSize);
          if (size < whole) {
            size = whole;
            toLanes(w.data() + r * k + segment.first, k, size, values.data());
            group = values.data();
          }
          laneKernels().searchScales(search, group,
                                     weights.empty() ? nullptr : weights.data() + segment.first,
                                     size, scales);
          panel.setScales(r, segment.group, scales);
        }
        laneKernels().roundColumns(options.format.bits, scales, laneW.data(), u, k,
                                   segment.first - first, segment.last - first, count,
                                   laneCodes.data(), laneErrors.data(), damped + r);
      }
      fromLanes(laneErrors.data(), count, errors.data() + r * count, count);
      for (int64_t j = 0; j < count; ++j)
        for (int64_t l = 0; l < lanes; ++l)
          panel.codes[(r + l) * k + hessian.order[first + j]] = laneCodes[j * lanes + l];
    }
    if (block.last < k)
      multiplyAdd(padded, k - block.last, count, -1.0f,
                  rowMajor(static_cast<const float *>(errors.data()), count),
                  rowMajor(u + count, k), w.data() + block.last, k);
  }
}

} // namespace qopt::quantization
