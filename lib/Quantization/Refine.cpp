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

double squaredNorm(const float *e, int64_t k) {
  double sum = 0;
  for (int64_t j = 0; j < k; ++j)
    sum += double(e[j]) * e[j];
  return sum;
}

} // namespace

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

void descend(const float *target, const PreparedHessian &hessian, const GptqOptions &options,
             Panel &panel) {
  const int64_t k = panel.k, padded = panel.padded;
  const float damping = static_cast<float>(hessian.damping);
  const std::vector<Block> blocks = planBlocks({}, k, panel.groupSize);
  std::vector<float> residual(padded * k), gradient, laneGradient(128 * lanes),
      laneResidual(128 * lanes), laneCodes(128 * lanes);
  for (int pass = 0; pass < options.descentPasses; ++pass) {
    panel.residual(target, residual.data());
    for (const Block &block : blocks) {
      const int64_t first = block.first, count = block.last - first;
      gradient.assign(padded * count, 0.0f);
      multiplyAdd(padded, count, k, 1.0f, rowMajor(static_cast<const float *>(residual.data()), k),
                  rowMajor(hessian.h.data() + first, k), gradient.data(), count);
      for (int64_t r = 0; r < padded; ++r)
        for (int64_t j = 0; j < count; ++j)
          gradient[r * count + j] += damping * residual[r * k + first + j];
      for (int64_t r = 0; r < padded; r += lanes) {
        toLanes(gradient.data() + r * count, count, count, laneGradient.data());
        toLanes(residual.data() + r * k + first, k, count, laneResidual.data());
        toLanes(panel.codes.data() + r * k + first, k, count, laneCodes.data());
        for (const Segment &segment : block.segments)
          laneKernels().descendColumns(
              options.format.bits, panel.laneScales(r, segment.group), laneGradient.data(),
              laneResidual.data(), hessian.h.data() + first * k + first, k, damping,
              segment.first - first, segment.last - first, count, laneCodes.data());
        fromLanes(laneResidual.data(), count, residual.data() + r * k + first, k);
        fromLanes(laneCodes.data(), count, panel.codes.data() + r * k + first, k);
      }
    }
  }
}

void refinePanel(const float *target, const PreparedHessian &hessian, const GptqOptions &options,
                 Panel &panel, double *loss) {
  if (options.rounds <= 0)
    return;
  const int64_t k = panel.k;
  std::vector<float> e(panel.padded * k), th;
  panel.residual(target, e.data());
  std::vector<double> damped(panel.rows), newLoss(panel.rows);
  for (int64_t r = 0; r < panel.rows; ++r)
    damped[r] = loss[r] + hessian.damping * squaredNorm(e.data() + r * k, k);
  if (options.refitScales) {
    th.assign(panel.padded * k, 0.0f);
    multiplyAdd(panel.padded, k, k, 1.0f, rowMajor(target, k), rowMajor(hessian.h.data(), k),
                th.data(), k);
  }
  // Rows that do not gain go back to what they were.
  auto keepGains = [&](const Panel &before) {
    panel.residual(target, e.data());
    rowLosses(e.data(), panel.rows, k, hessian.h.data(), newLoss.data());
    for (int64_t r = 0; r < panel.rows; ++r) {
      const double objective = newLoss[r] + hessian.damping * squaredNorm(e.data() + r * k, k);
      if (objective < damped[r])
        damped[r] = objective, loss[r] = newLoss[r];
      else
        panel.copyRow(before, r);
    }
  };
  for (int round = 0; round < options.rounds; ++round) {
    if (options.refitScales) {
      const Panel before = panel;
      refitScales(th.data(), target, hessian, panel);
      keepGains(before);
    }
    if (options.descentPasses > 0) {
      const Panel before = panel;
      descend(target, hessian, options, panel);
      keepGains(before);
    }
  }
}

} // namespace qopt::quantization
