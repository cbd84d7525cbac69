//===- RoundPanel.cpp - GPTQ of a panel of rows -----------------------------------------------===//
#include "MatrixProducts.h"
#include "Panel.h"

#include <algorithm>
#include <span>

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
    const float pivot = hessian.r[p * k + p]; // 1 / U_pp
    const int64_t column = hessian.order[p];
    weights[p] = search == ScaleSearch::Cholesky ? pivot * pivot : hessian.h[column * k + column];
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

/// Errors E of the positions that are rounded, and what they ask of the next ones.
class Feedback {
public:
  Feedback(const float *target, const PreparedHessian &hessian, int64_t rows)
      : hessian(hessian), rows(rows), k(hessian.k), wanted(rows * k), errors(rows * k),
        packed(rows, k), product(rows * positionsPerBlock), step(rows * positionsPerBlock) {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t p = 0; p < k; ++p)
        wanted[r * k + p] = target[r * k + hessian.order[p]];
  }

  /// w [rows, last - first]: the best weights of a block, given all errors before it.
  void update(int64_t first, int64_t last, float *w) {
    const int64_t count = last - first;
    ask(first, last);
    for (int64_t r = 0; r < rows; ++r)
      std::copy_n(wanted.data() + r * k + first, count, w + r * count);
    multiplyAdd(
        rows, count, count, 1.0f, rowMajor(static_cast<const float *>(product.data()), count),
        rowMajor(hessian.u.data() + first * positionsPerBlock, positionsPerBlock), w, count);
  }

  /// The same for positions [first, last) of more than a block, whose own blocks follow each other
  /// as `blocks` says: each is updated as if those before it had their best weights.
  void updateGroup(std::span<const Block> blocks, int64_t last, std::vector<float> &w) {
    const int64_t begin = blocks.front().first, whole = last - begin;
    w.resize(rows * whole);
    for (const Block &block : blocks) {
      const int64_t first = block.first, end = std::min(block.last, last), count = end - first;
      if (count <= 0)
        break;
      update(first, end, step.data());
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t j = 0; j < count; ++j) {
          const float best = step[r * count + j];
          w[r * whole + first - begin + j] = best;
          errors[r * k + first + j] = wanted[r * k + first + j] - best; // until it is rounded
        }
    }
  }

  const float *wantedRows(int64_t r, int64_t first) const { return wanted.data() + r * k + first; }
  /// [count][8] of eight rows, once they are rounded.
  void setErrors(int64_t r, int64_t first, int64_t count, const float *laneErrors) {
    fromLanes(laneErrors, count, errors.data() + r * k + first, k);
  }
  void finish(const Block &block) {
    for (; done + depth <= block.last; done += depth)
      packed.pack(errors.data(), k, done, done + depth);
  }

private:
  static constexpr int64_t depth = 256; ///< of PackedRows

  /// product = E R of the block's columns.
  void ask(int64_t first, int64_t last) {
    const int64_t count = last - first;
    std::fill_n(product.data(), rows * count, 0.0f);
    multiplyAdd(packed, 0, done, count, 1.0f, rowMajor(hessian.r.data() + first, k), product.data(),
                count);
    multiplyAdd(rows, count, first - done, 1.0f,
                rowMajor(static_cast<const float *>(errors.data() + done), k),
                rowMajor(hessian.r.data() + done * k + first, k), product.data(), count);
  }

  const PreparedHessian &hessian;
  const int64_t rows, k;
  std::vector<float> wanted, errors; ///< [rows, k] by position
  PackedRows packed;                 ///< of errors, up to `done`
  int64_t done = 0;
  std::vector<float> product, step; ///< [rows, columns of a block]
};

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

  Feedback feedback(target, hessian, padded);
  constexpr int64_t most = positionsPerBlock;
  std::vector<float> w(padded * most), whole, values(std::max(most, panel.groupSize) * lanes),
      laneW(most * lanes), laneCodes(most * lanes), laneErrors(most * lanes),
      laneWanted(most * lanes);
  const std::vector<Block> blocks = planBlocks(hessian.order, k, panel.groupSize);
  for (size_t b = 0; b < blocks.size(); ++b) {
    const Block &block = blocks[b];
    const int64_t first = block.first, count = block.last - first;
    // A group longer than a block starts one, and its scale is searched over all of it.
    const Segment &start = block.segments.front();
    const int64_t size = std::min(panel.groupSize, k - start.group * panel.groupSize);
    const bool isLonger = start.start && !fixedScales && size > start.last - start.first;
    if (isLonger)
      feedback.updateGroup(std::span(blocks).subspan(b), first + size, whole);
    feedback.update(first, block.last, w.data());
    const float *u = hessian.u.data() + first * most;
    for (int64_t r = 0; r < padded; r += lanes) {
      toLanes(w.data() + r * count, count, count, laneW.data());
      toLanes(feedback.wantedRows(r, first), k, count, laneWanted.data());
      for (const Segment &segment : block.segments) {
        LaneScales scales = panel.laneScales(r, segment.group);
        if (segment.start && !fixedScales) {
          const float *group = laneW.data() + (segment.first - first) * lanes;
          if (isLonger) {
            toLanes(whole.data() + r * size, size, size, values.data());
            group = values.data();
          }
          laneKernels().searchScales(search, group,
                                     weights.empty() ? nullptr : weights.data() + segment.first,
                                     isLonger ? size : segment.last - segment.first, scales);
          panel.setScales(r, segment.group, scales);
        }
        laneKernels().roundColumns(options.format.bits, scales, laneW.data(), u, most,
                                   segment.first - first, segment.last - first, count,
                                   laneCodes.data(), laneErrors.data(), damped + r);
        for (int64_t j = segment.first - first; j < segment.last - first; ++j)
          for (int64_t l = 0; l < lanes; ++l) {
            const float code = laneCodes[j * lanes + l];
            panel.codes[(r + l) * k + hessian.order[first + j]] = code;
            laneErrors[j * lanes + l] =
                laneWanted[j * lanes + l] - (code - scales.zero[l]) * scales.scale[l];
          }
      }
      feedback.setErrors(r, first, count, laneErrors.data());
    }
    feedback.finish(block);
  }
}

} // namespace qopt::quantization
