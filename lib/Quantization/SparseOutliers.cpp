//===- SparseOutliers.cpp - Quantization with some weights kept in f16 ------------------------===//
#include "qopt/Quantization/SparseOutliers.h"

#include "MatrixProducts.h"
#include "Panel.h"

#include "qopt/Quantization/ImportanceRounding.h"
#include "qopt/Quantization/Outliers.h"

#include "qrt/Half.h"

#include <algorithm>
#include <cmath>

namespace qopt::quantization {

int64_t outlierCount(double share, int64_t n, int64_t k) {
  const auto elements = static_cast<double>(n) * static_cast<double>(k);
  return std::max<int64_t>(1, std::llround(share * elements));
}

int64_t outlierBits(int64_t count, int64_t n) { return 32 * count + 32 * (n + 1); }

SparseWeights chooseOutliers(std::span<const float> w, int64_t n, int64_t k,
                             const GroupFormat &format, std::span<const float> importance,
                             int64_t count, const ParallelFor &parallel) {
  constexpr int clipRatios = 24; // as GPTQ's search
  const QuantizedMatrix rounded =
      roundByImportance(w, n, k, format, importance, clipRatios, parallel);
  std::vector<WeightPosition> chosen = costliestWeights(w, rounded, importance, count, parallel);
  std::sort(chosen.begin(), chosen.end(), [](const WeightPosition &a, const WeightPosition &b) {
    return a.row != b.row ? a.row < b.row : a.column < b.column;
  });
  SparseWeights sparse;
  sparse.rows.assign(n + 1, 0);
  for (const WeightPosition &position : chosen) {
    ++sparse.rows[position.row + 1];
    sparse.columns.push_back(static_cast<uint16_t>(position.column));
    sparse.values.push_back(qrt::f32ToF16(std::clamp(position.value, -65504.0f, 65504.0f)));
  }
  for (int64_t row = 0; row < n; ++row)
    sparse.rows[row + 1] += sparse.rows[row];
  return sparse;
}

std::vector<float> withoutOutliers(std::span<const float> w, int64_t k,
                                   const SparseWeights &outliers) {
  std::vector<float> rest(w.begin(), w.end());
  for (size_t row = 0; row + 1 < outliers.rows.size(); ++row)
    for (int32_t e = outliers.rows[row]; e < outliers.rows[row + 1]; ++e)
      rest[row * k + outliers.columns[e]] = 0;
  return rest;
}

static void dequantizeRow(const QuantizedMatrix &matrix, const SparseWeights &outliers, int64_t row,
                          float *out) {
  dequantizeRow(matrix, row, out);
  for (int32_t e = outliers.empty() ? 0 : outliers.rows[row],
               end = outliers.empty() ? 0 : outliers.rows[row + 1];
       e < end; ++e)
    out[outliers.columns[e]] += qrt::f16ToF32(outliers.values[e]);
}

void dequantize(const QuantizedMatrix &matrix, const SparseWeights &outliers, std::span<float> out,
                const ParallelFor &parallel) {
  parallel(matrix.n,
           [&](int64_t row) { dequantizeRow(matrix, outliers, row, out.data() + row * matrix.k); });
}

namespace {

constexpr int sweeps = 4; ///< of descent over the outliers of a row

/// Descent over the outliers of one row; residual [k] = target - x', gradient [k] = residual Hd.
void descendRow(const PreparedHessian &hessian, std::span<const uint16_t> columns,
                std::span<uint16_t> values, const float *gradient) {
  const int64_t k = hessian.k;
  std::vector<double> g(columns.size());
  for (size_t i = 0; i < columns.size(); ++i)
    g[i] = gradient[columns[i]];
  for (int sweep = 0; sweep < sweeps; ++sweep)
    for (size_t i = 0; i < columns.size(); ++i) {
      const float *row = hessian.h.data() + int64_t(columns[i]) * k;
      const float old = qrt::f16ToF32(values[i]);
      const double ideal = old + g[i] / (row[columns[i]] + hessian.damping);
      values[i] = qrt::f32ToF16(static_cast<float>(std::clamp(ideal, -65504.0, 65504.0)));
      const double change = double(qrt::f16ToF32(values[i])) - old;
      if (change == 0)
        continue;
      for (size_t other = 0; other < columns.size(); ++other)
        g[other] -= change * row[columns[other]];
      g[i] -= change * hessian.damping;
    }
}

/// target - x' - S of some rows.
void residuals(std::span<const float> target, const QuantizedMatrix &matrix,
               const SparseWeights &outliers, int64_t first, int64_t rows, float *e) {
  const int64_t k = matrix.k;
  for (int64_t r = 0; r < rows; ++r) {
    dequantizeRow(matrix, outliers, first + r, e + r * k);
    for (int64_t j = 0; j < k; ++j)
      e[r * k + j] = target[(first + r) * k + j] - e[r * k + j];
  }
}

/// One more round of refit and descent of scales and codes, for the target without the outliers.
void refineCodes(std::span<const float> target, const PreparedHessian &hessian,
                 const GptqOptions &options, const SparseWeights &outliers, QuantizedMatrix &matrix,
                 const ParallelFor &parallel) {
  const int64_t n = matrix.n, k = matrix.k;
  parallel((n + panelRows - 1) / panelRows, [&](int64_t index) {
    const int64_t first = index * panelRows, rows = std::min(panelRows, n - first);
    Panel panel(rows, k, matrix.format);
    std::vector<float> wanted(panel.padded * k, 0.0f), e(panel.padded * k);
    std::copy_n(target.data() + first * k, rows * k, wanted.data());
    for (int64_t r = 0; r < rows; ++r) {
      panel.load(r, matrix, first + r);
      for (int32_t at = outliers.rows[first + r]; at < outliers.rows[first + r + 1]; ++at)
        wanted[r * k + outliers.columns[at]] -= qrt::f16ToF32(outliers.values[at]);
    }
    panel.residual(wanted.data(), e.data());
    std::vector<double> loss(panel.padded, 0.0), damped(panel.padded, 0.0);
    rowLosses(e.data(), rows, k, hessian.h.data(), loss.data());
    for (int64_t r = 0; r < rows; ++r)
      damped[r] = loss[r] + hessian.damping * squaredNorm(e.data() + r * k, k);
    refinePanel(wanted.data(), hessian, options, panel, damped.data(), loss.data());
    for (int64_t r = 0; r < rows; ++r)
      panel.store(r, matrix, first + r);
  });
}

} // namespace

double hessianLoss(std::span<const float> w, const QuantizedMatrix &matrix,
                   const SparseWeights &outliers, std::span<const float> h,
                   const ParallelFor &parallel) {
  const int64_t n = matrix.n, k = matrix.k;
  std::vector<double> losses(n);
  parallel((n + panelRows - 1) / panelRows, [&](int64_t index) {
    const int64_t first = index * panelRows, rows = std::min(panelRows, n - first);
    std::vector<float> e(rows * k);
    residuals(w, matrix, outliers, first, rows, e.data());
    rowLosses(e.data(), rows, k, h.data(), losses.data() + first);
  });
  double sum = 0;
  for (double loss : losses)
    sum += loss;
  return sum;
}

void fitOutliers(std::span<const float> target, const PreparedHessian &hessian,
                 const QuantizedMatrix &matrix, SparseWeights &sparse,
                 const ParallelFor &parallel) {
  const int64_t n = matrix.n, k = matrix.k;
  parallel((n + panelRows - 1) / panelRows, [&](int64_t index) {
    const int64_t first = index * panelRows, rows = std::min(panelRows, n - first);
    if (sparse.rows[first] == sparse.rows[first + rows])
      return;
    std::vector<float> e(rows * k), gradient(rows * k, 0.0f);
    residuals(target, matrix, sparse, first, rows, e.data());
    multiplyAdd(rows, k, k, 1.0f, rowMajor(static_cast<const float *>(e.data()), k),
                rowMajor(hessian.h.data(), k), gradient.data(), k);
    const auto damping = static_cast<float>(hessian.damping);
    for (int64_t i = 0; i < rows * k; ++i)
      gradient[i] += damping * e[i];
    std::vector<double> before(rows), after(rows);
    rowLosses(e.data(), rows, k, hessian.h.data(), before.data());
    for (int64_t r = 0; r < rows; ++r)
      before[r] += hessian.damping * squaredNorm(e.data() + r * k, k);
    const std::vector<uint16_t> kept(sparse.values.begin() + sparse.rows[first],
                                     sparse.values.begin() + sparse.rows[first + rows]);
    auto rowOf = [&](auto &list, int64_t r) {
      return std::span(list).subspan(sparse.rows[first + r],
                                     sparse.rows[first + r + 1] - sparse.rows[first + r]);
    };
    for (int64_t r = 0; r < rows; ++r)
      descendRow(hessian, rowOf(sparse.columns, r), rowOf(sparse.values, r),
                 gradient.data() + r * k);
    residuals(target, matrix, sparse, first, rows, e.data());
    rowLosses(e.data(), rows, k, hessian.h.data(), after.data());
    for (int64_t r = 0; r < rows; ++r) // f32 products may hide that nothing was gained
      if (!(after[r] + hessian.damping * squaredNorm(e.data() + r * k, k) < before[r])) {
        std::span<uint16_t> values = rowOf(sparse.values, r);
        std::copy_n(kept.begin() + (sparse.rows[first + r] - sparse.rows[first]), values.size(),
                    values.begin());
      }
  });
}

qrt::Result<SparseGptqResult> gptqWithOutliers(std::span<const float> w, int64_t n,
                                               const PreparedHessian &hessian,
                                               const GptqOptions &options, double share,
                                               const ParallelFor &parallel,
                                               std::span<const float> target) {
  const int64_t k = hessian.k;
  if (!(share > 0) || share > 0.5)
    return qrt::invalidArgument("a share of outliers of more than 0 and at most 0.5 is supported");
  if (k > maxOutlierColumns)
    return qrt::invalidArgument("outliers of a weight with more than " +
                                std::to_string(maxOutlierColumns) + " columns");
  bool valid = n > 0 && int64_t(w.size()) == n * k && (target.empty() || target.size() == w.size());
  for (std::span<const float> x : {w, target})
    for (size_t i = 0; i < x.size() && valid; ++i)
      valid = std::isfinite(x[i]);
  if (!valid)
    return gptq(w, n, hessian, options, parallel, target).status(); // says what is wrong
  if (target.empty())
    target = w;
  std::vector<float> diagonal(k);
  for (int64_t j = 0; j < k; ++j)
    diagonal[j] = hessian.h[j * k + j];
  SparseGptqResult made;
  made.outliers =
      chooseOutliers(target, n, k, options.format, diagonal, outlierCount(share, n, k), parallel);
  const std::vector<float> restOfWeight = withoutOutliers(w, k, made.outliers);
  const std::vector<float> restOfTarget = withoutOutliers(target, k, made.outliers);
  QRT_ASSIGN_OR_RETURN(made.dense, gptq(restOfWeight, n, hessian, options, parallel, restOfTarget));
  GptqResult &result = made.dense;
  fitOutliers(target, hessian, result.matrix, made.outliers, parallel);
  GptqOptions again = options;
  again.rounds = std::min(options.rounds, 1);
  for (int alternation = 0; alternation < 2 && again.rounds > 0; ++alternation) {
    refineCodes(target, hessian, again, made.outliers, result.matrix, parallel);
    fitOutliers(target, hessian, result.matrix, made.outliers, parallel);
  }
  result.loss = hessianLoss(target, result.matrix, made.outliers, hessian.h, parallel);
  // Round to nearest of the whole weight, to compare with linears that keep no outliers.
  QuantizedMatrix plain = makeQuantizedMatrix(result.matrix.format, n, k);
  parallel(n, [&](int64_t row) {
    ErrorSums sums;
    quantizeRow(plain.format, w.data() + row * k, k, plain.codes.data() + row * k,
                plain.scales.data() + row * plain.groups(),
                plain.format.symmetric ? nullptr : plain.zeroPoints.data() + row * plain.groups(),
                sums);
  });
  result.lossRtn = hessianLoss(target, plain, {}, hessian.h, parallel);
  if (result.loss > result.lossRtn) { // the codes of the rest are worse than those of the whole
    std::fill(made.outliers.values.begin(), made.outliers.values.end(), 0);
    fitOutliers(target, hessian, plain, made.outliers, parallel);
    result.loss =
        std::min(result.lossRtn, hessianLoss(target, plain, made.outliers, hessian.h, parallel));
    result.matrix = std::move(plain);
    result.rowsByRtn = n;
  }
  return made;
}

} // namespace qopt::quantization
