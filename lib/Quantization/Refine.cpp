//===- Refine.cpp - Better scales and codes once GPTQ is done ---------------------------------===//
#include "MatrixProducts.h"
#include "Panel.h"

#include "qopt/Quantization/Cholesky.h"

#include "qrt/Half.h"

#include <algorithm>
#include <cmath>

namespace qopt::quantization {

namespace {

/// Solves a x = b in place of b; a [n, n] symmetric is destroyed. False if not positive definite.
bool solve(std::span<double> a, std::span<double> b) {
  const int64_t n = int64_t(b.size());
  if (!choleskyLower(a, n, serialFor))
    return false;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j)
      b[i] -= a[i * n + j] * b[j];
    b[i] /= a[i * n + i];
  }
  for (int64_t i = n - 1; i >= 0; --i) {
    for (int64_t j = i + 1; j < n; ++j)
      b[i] -= a[j * n + i] * b[j];
    b[i] /= a[i * n + i];
  }
  return true;
}

/// The new scale if f16 holds it and it keeps its sign, else the old one.
float usableScale(double wanted, float old) {
  const float scale = qrt::f16ToF32(qrt::f32ToF16(static_cast<float>(wanted)));
  const bool normal = std::isfinite(scale) && std::fabs(scale) >= 0x1p-14f;
  return normal && std::signbit(scale) == std::signbit(old) ? scale : old;
}

} // namespace

double squaredNorm(const float *e, int64_t k) {
  double sum = 0;
  for (int64_t j = 0; j < k; ++j)
    sum += double(e[j]) * e[j];
  return sum;
}

void refitScales(const float *th, const float *target, const PreparedHessian &hessian,
                 Panel &panel) {
  // Row by row: s minimises (t - sum_a s_a c_a) Hd (t - sum_a s_a c_a)^T, c_a the centred codes of
  // group a: A s = b with A_ab = c_a Hd c_b^T and b_a = c_a Hd t^T.
  const int64_t k = panel.k, groups = panel.groups, size = panel.groupSize;
  std::vector<float> centred(panel.padded * k), product(panel.padded * k);
  for (int64_t r = 0; r < panel.padded; ++r)
    for (int64_t j = 0; j < k; ++j)
      centred[r * k + j] = panel.codes[r * k + j] - panel.zeros[r * groups + j / size];
  std::vector<double> a(panel.rows * groups * groups, 0.0), b(panel.rows * groups, 0.0);
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t first = g * size, count = std::min(size, k - first), rest = k - first;
    std::fill(product.begin(), product.end(), 0.0f);
    multiplyAdd(panel.padded, rest, count, 1.0f,
                rowMajor(static_cast<const float *>(centred.data() + first), k),
                rowMajor(hessian.h.data() + first * k + first, k), product.data(), rest);
    for (int64_t r = 0; r < panel.rows; ++r) {
      const float *c = centred.data() + r * k;
      double own = 0;
      for (int64_t j = first; j < first + count; ++j) {
        own += double(c[j]) * c[j];
        b[r * groups + g] +=
            double(c[j]) * (th[r * k + j] + hessian.damping * double(target[r * k + j]));
      }
      double *row = a.data() + r * groups * groups;
      for (int64_t other = g; other < groups; ++other) {
        double sum = other == g ? hessian.damping * own : 0.0;
        for (int64_t j = other * size; j < std::min(k, (other + 1) * size); ++j)
          sum += double(product[r * rest + j - first]) * c[j];
        row[g * groups + other] = row[other * groups + g] = sum;
      }
    }
  }
  for (int64_t r = 0; r < panel.rows; ++r) {
    std::span<double> matrix(a.data() + r * groups * groups, groups * groups);
    std::span<double> change(b.data() + r * groups, groups);
    float *scales = panel.scales.data() + r * groups;
    // Solved for the change, with a small ridge: directions that the data does not fix stay.
    double trace = 0;
    for (int64_t g = 0; g < groups; ++g) {
      trace += matrix[g * groups + g];
      for (int64_t other = 0; other < groups; ++other)
        change[g] -= matrix[g * groups + other] * scales[other];
    }
    for (int64_t g = 0; g < groups; ++g)
      matrix[g * groups + g] += std::max(1e-4 * trace / double(groups), 1e-30);
    if (!solve(matrix, change))
      continue;
    for (int64_t g = 0; g < groups; ++g)
      scales[g] = usableScale(scales[g] + change[g], scales[g]);
  }
}

namespace {

/// One block after another, each given all others. Inside a block rows are lanes.
class BlockDescent {
public:
  BlockDescent(const float *target, const PreparedHessian &hessian, const GptqOptions &options,
               Panel &panel)
      : hessian(hessian), options(options), panel(panel), k(panel.k),
        damping(static_cast<float>(hessian.damping)), residual(panel.padded * k),
        packed(panel.padded, k), product(panel.padded * most), centred(product.size()),
        laneGradient(product.size()), laneResidual(product.size()), laneCodes(product.size()),
        scratch(most * lanes) {
    panel.residual(target, residual.data());
    packed.pack(residual.data(), k, 0, k);
  }

  /// change [padded]: what the visit adds to the damped objective of each row, a sum.
  void visit(const Block &block, double *change) {
    begin(block);
    for (int pass = 0; pass < std::max(1, options.descentPasses); ++pass) {
      if (options.refitScales)
        for (const Segment &segment : block.segments)
          if (segment.last - segment.first == groupEnd(segment) - groupFirst(segment))
            refit(block, segment);
      if (options.descentPasses > 0)
        descend(block);
    }
    add(block, change);
    end(block);
  }

private:
  static constexpr int64_t most = 128; ///< columns of a block

  int64_t groupFirst(const Segment &segment) const { return segment.group * panel.groupSize; }
  int64_t groupEnd(const Segment &segment) const {
    return std::min(k, (segment.group + 1) * panel.groupSize);
  }

  /// The block's gradient R Hd, residual and codes.
  void begin(const Block &block) {
    const int64_t first = block.first, count = block.last - first;
    std::fill(product.begin(), product.end(), 0.0f);
    multiplyAdd(packed, 0, k, count, 1.0f, rowMajor(hessian.h.data() + first, k), product.data(),
                count);
    for (int64_t r = 0; r < panel.padded; r += lanes) {
      float *gradient = laneGradient.data() + r * count, *rest = laneResidual.data() + r * count;
      toLanes(product.data() + r * count, count, count, gradient);
      toLanes(residual.data() + r * k + first, k, count, rest);
      toLanes(panel.codes.data() + r * k + first, k, count, laneCodes.data() + r * count);
      for (int64_t i = 0; i < count * lanes; ++i)
        gradient[i] += damping * rest[i];
    }
    firstGradient = laneGradient;
    firstResidual = laneResidual;
  }

  /// r' Hd r'^T - r Hd r^T = (r' - r) (g' + g)^T, which differs in the block's columns only.
  void add(const Block &block, double *change) const {
    const int64_t count = block.last - block.first;
    for (int64_t r = 0; r < panel.padded; r += lanes)
      for (int64_t i = r * count; i < (r + lanes) * count; i += lanes)
        for (int64_t l = 0; l < lanes; ++l)
          change[r + l] += double(laneResidual[i + l] - firstResidual[i + l]) *
                           (laneGradient[i + l] + firstGradient[i + l]);
  }

  void end(const Block &block) {
    const int64_t first = block.first, count = block.last - first;
    for (int64_t r = 0; r < panel.padded; r += lanes) {
      fromLanes(laneResidual.data() + r * count, count, residual.data() + r * k + first, k);
      fromLanes(laneCodes.data() + r * count, count, panel.codes.data() + r * k + first, k);
    }
    packed.pack(residual.data(), k, first, block.last);
  }

  void refit(const Block &block, const Segment &segment) {
    const int64_t first = block.first, count = block.last - first;
    const int64_t from = segment.first - first, size = segment.last - segment.first;
    for (int64_t r = 0; r < panel.padded; r += lanes) {
      const LaneScales scales = panel.laneScales(r, segment.group);
      const float *codes = laneCodes.data() + r * count + from * lanes;
      for (int64_t j = 0; j < size; ++j)
        for (int64_t l = 0; l < lanes; ++l)
          scratch[j * lanes + l] = codes[j * lanes + l] - scales.zero[l];
      fromLanes(scratch.data(), size, centred.data() + r * size, size);
    }
    std::fill(product.begin(), product.end(), 0.0f);
    multiplyAdd(panel.padded, count, size, 1.0f,
                rowMajor(static_cast<const float *>(centred.data()), size),
                rowMajor(hessian.h.data() + segment.first * k + first, k), product.data(), count);
    for (int64_t r = 0; r < panel.padded; r += lanes) {
      LaneScales scales = panel.laneScales(r, segment.group);
      toLanes(product.data() + r * count, count, count, scratch.data());
      laneKernels().refitScale(scratch.data(), damping, from, from + size, count,
                               laneCodes.data() + r * count, scales,
                               laneGradient.data() + r * count, laneResidual.data() + r * count);
      panel.setScales(r, segment.group, scales);
    }
  }

  void descend(const Block &block) {
    const int64_t first = block.first, count = block.last - first;
    for (int64_t r = 0; r < panel.padded; r += lanes)
      for (const Segment &segment : block.segments)
        laneKernels().descendColumns(
            options.format.bits, panel.laneScales(r, segment.group),
            laneGradient.data() + r * count, laneResidual.data() + r * count,
            hessian.h.data() + first * k + first, k, damping, segment.first - first,
            segment.last - first, count, laneCodes.data() + r * count);
  }

  const PreparedHessian &hessian;
  const GptqOptions &options;
  Panel &panel;
  const int64_t k;
  const float damping;
  std::vector<float> residual;                              ///< [padded, k]
  PackedRows packed;                                        ///< the same
  std::vector<float> product, centred;                      ///< [padded, columns of the block]
  std::vector<float> laneGradient, laneResidual, laneCodes; ///< [padded / 8][columns][8]
  std::vector<float> firstGradient, firstResidual;          ///< as the visit found them
  std::vector<float> scratch;
};

} // namespace

bool refinePanel(const float *target, const PreparedHessian &hessian, const GptqOptions &options,
                 Panel &panel, const double *damped, double *loss) {
  const int64_t k = panel.k;
  const std::vector<Block> blocks = planBlocks({}, k, panel.groupSize);
  const Panel before = panel;
  std::vector<float> e(panel.padded * k), th;
  std::vector<double> change(panel.padded, 0.0);
  const bool longGroups = options.rounds > 0 && options.refitScales && panel.groupSize > 128;
  if (longGroups) {
    th.assign(panel.padded * k, 0.0f);
    multiplyAdd(panel.padded, k, k, 1.0f, rowMajor(target, k), rowMajor(hessian.h.data(), k),
                th.data(), k);
  }
  for (int round = 0; round < options.rounds; ++round) {
    if (longGroups)
      refitScales(th.data(), target, hessian, panel);
    if (longGroups && options.descentPasses == 0)
      continue;
    BlockDescent descent(target, hessian, options, panel);
    for (const Block &block : blocks)
      descent.visit(block, change.data());
  }
  panel.residual(target, e.data());
  if (options.rounds > 0 && !longGroups) {
    // Every step lowers the objective but for rounding; a row that did not gain goes back.
    for (int64_t r = 0; r < panel.rows; ++r) {
      if (!(change[r] < 0)) {
        panel.copyRow(before, r);
        change[r] = 0;
        panel.residualRow(target, r, e.data() + r * k);
      }
      const double undamped = hessian.damping * squaredNorm(e.data() + r * k, k);
      loss[r] = std::max(0.0, damped[r] + change[r] - undamped);
    }
    return false;
  }
  rowLosses(e.data(), panel.rows, k, hessian.h.data(), loss);
  bool back = false; // scales of long groups do not say what they change
  for (int64_t r = 0; r < panel.rows && longGroups; ++r)
    if (!(loss[r] + hessian.damping * squaredNorm(e.data() + r * k, k) < damped[r])) {
      panel.copyRow(before, r);
      back = true;
    }
  if (back) {
    panel.residual(target, e.data());
    rowLosses(e.data(), panel.rows, k, hessian.h.data(), loss);
  }
  return true;
}

} // namespace qopt::quantization
