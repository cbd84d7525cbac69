//===- GPTQ.cpp - Rounding with error feedback under the Hessian ------------------------------===//
#include "qopt/Quantization/GPTQ.h"

#include "FirstNonFinite.h"
#include "Panel.h"

#include <algorithm>
#include <cmath>

namespace qopt::quantization {

namespace {

qrt::Status check(std::span<const float> w, int64_t n, const PreparedHessian &hessian,
                  const GptqOptions &options, std::span<const float> target,
                  const ParallelFor &parallel) {
  const int64_t k = hessian.k;
  const int bits = options.format.bits;
  if (n <= 0 || int64_t(w.size()) != n * k)
    return qrt::invalidArgument("weight of " + std::to_string(w.size()) + " elements is not [" +
                                std::to_string(n) + ", " + std::to_string(k) + "]");
  if (!target.empty() && target.size() != w.size())
    return qrt::invalidArgument("the target's size differs from the weight's");
  if (bits != 2 && bits != 3 && bits != 4 && bits != 8)
    return qrt::invalidArgument(std::to_string(bits) + " bits: 2, 3, 4 and 8 are supported");
  if (options.format.groupSize != hessian.groupSize)
    return qrt::invalidArgument("the Hessian was prepared for groups of " +
                                std::to_string(hessian.groupSize) + ", not " +
                                std::to_string(options.format.groupSize));
  if (options.clipRatios < 1)
    return qrt::invalidArgument("clipRatios must be at least 1");
  for (std::span<const float> x : {w, target})
    if (int64_t at = x.empty() ? -1 : firstNonFinite(x, k, parallel); at >= 0)
      return qrt::invalidArgument("weight [" + std::to_string(at / k) + ", " +
                                  std::to_string(at % k) + "] is not finite");
  return {};
}

/// Losses that are known to some 1e-4 only, exactly where round to nearest is not clearly worse.
void measureCloseRows(const float *target, const PreparedHessian &hessian, const Panel &panel,
                      const double *rtn, double *loss) {
  std::vector<int64_t> rows;
  for (int64_t r = 0; r < panel.rows; ++r)
    if (!(loss[r] < 0.99 * rtn[r]))
      rows.push_back(r);
  if (rows.empty())
    return;
  const int64_t k = panel.k;
  std::vector<float> e(rows.size() * k);
  for (size_t i = 0; i < rows.size(); ++i)
    panel.residualRow(target, rows[i], e.data() + i * k);
  std::vector<double> measured(rows.size());
  rowLosses(e.data(), int64_t(rows.size()), k, hessian.h.data(), measured.data());
  for (size_t i = 0; i < rows.size(); ++i)
    loss[rows[i]] = measured[i];
}

} // namespace

qrt::Result<GptqResult> gptq(std::span<const float> w, int64_t n, const PreparedHessian &hessian,
                             const GptqOptions &options, const ParallelFor &parallel,
                             std::span<const float> target) {
  QRT_RETURN_IF_ERROR(check(w, n, hessian, options, target, parallel));
  if (target.empty())
    target = w;
  const int64_t k = hessian.k;
  GroupFormat format = options.format;
  format.searchScale = false;
  GptqResult result;
  result.matrix = makeQuantizedMatrix(format, n, k);
  QuantizedMatrix plain = makeQuantizedMatrix(format, n, k);
  std::vector<double> rtn(n), rounded(n), final(n);
  std::vector<uint8_t> byRtn(n, 0);

  const int64_t most = panelRowsFor(n, options.workers);
  parallel((n + most - 1) / most, [&](int64_t index) {
    const int64_t first = index * most, rows = std::min(most, n - first);
    Panel panel(rows, k, format);
    std::vector<float> wanted(panel.padded * k, 0.0f), e(panel.padded * k);
    std::copy_n(target.data() + first * k, rows * k, wanted.data());
    ErrorSums sums;
    for (int64_t r = 0; r < rows; ++r)
      quantizeRow(format, w.data() + (first + r) * k, k, plain.codes.data() + (first + r) * k,
                  plain.scales.data() + (first + r) * plain.groups(),
                  format.symmetric ? nullptr
                                   : plain.zeroPoints.data() + (first + r) * plain.groups(),
                  sums);
    Panel rtnPanel = panel;
    for (int64_t r = 0; r < rows; ++r)
      rtnPanel.load(r, plain, first + r);
    rtnPanel.residual(wanted.data(), e.data());
    rowLosses(e.data(), rows, k, hessian.h.data(), rtn.data() + first);

    std::vector<double> damped(panel.padded);
    roundPanel(wanted.data(), hessian, options, panel, damped.data());
    panel.residual(wanted.data(), e.data());
    for (int64_t r = 0; r < rows; ++r)
      rounded[first + r] = damped[r] - hessian.damping * squaredNorm(e.data() + r * k, k);
    if (!refinePanel(wanted.data(), hessian, options, panel, damped.data(), final.data() + first))
      measureCloseRows(wanted.data(), hessian, panel, rtn.data() + first, final.data() + first);
    for (int64_t r = 0; r < rows; ++r) {
      if (final[first + r] > rtn[first + r]) {
        panel.copyRow(rtnPanel, r);
        final[first + r] = rtn[first + r];
        byRtn[first + r] = 1;
      }
      panel.store(r, result.matrix, first + r);
    }
  });
  for (int64_t r = 0; r < n; ++r) {
    result.lossRtn += rtn[r];
    result.lossGptq += rounded[r];
    result.loss += final[r];
    result.rowsByRtn += byRtn[r];
  }
  return result;
}

} // namespace qopt::quantization
