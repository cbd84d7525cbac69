//===- LinearQuantizers.cpp - One weight under the moments of its input ----------------------===//
#include "LinearQuantizers.h"

#include "qopt/Quantization/OutputErrorRounding.h"
#include "qopt/Quantization/SparseOutliers.h"

#include <algorithm>
#include <cmath>

using namespace qopt::quantization;

namespace qopt::calibration {

/// Round to nearest of a whole matrix; false for weights that are not finite.
bool roundToNearest(const WeightMatrix &weight, const GroupFormat &format,
                    const ParallelFor &parallel, QuantizedMatrix &out) {
  out = makeQuantizedMatrix(format, weight.n, weight.k);
  std::vector<uint8_t> finite(weight.n);
  parallel(weight.n, [&](int64_t row) {
    ErrorSums sums;
    finite[row] =
        quantizeRow(format, weight.values.data() + row * weight.k, weight.k,
                    out.codes.data() + row * weight.k, out.scales.data() + row * out.groups(),
                    format.symmetric ? nullptr : out.zeroPoints.data() + row * out.groups(), sums);
  });
  return std::all_of(finite.begin(), finite.end(), [](uint8_t ok) { return ok; });
}

namespace {

double relativeRms(const QuantizedMatrix &matrix, const SparseWeights &outliers,
                   std::span<const float> w, const ParallelFor &parallel) {
  std::vector<float> values(w.size());
  dequantize(matrix, outliers, values, parallel);
  double error = 0, norm = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    error += (double(values[i]) - w[i]) * (double(values[i]) - w[i]);
    norm += double(w[i]) * w[i];
  }
  return norm > 0 ? std::sqrt(error / norm) : 0.0;
}

/// tr(W H W^T) from at most 64 rows, evenly spread: it only scales losses for people.
double outputEnergy(const WeightMatrix &weight, std::span<const float> h,
                    const ParallelFor &parallel) {
  const int64_t step = std::max<int64_t>(1, weight.n / 64), rows = (weight.n + step - 1) / step;
  std::vector<float> sample;
  for (int64_t row = 0; row < weight.n; row += step) {
    const float *from = weight.values.data() + row * weight.k;
    sample.insert(sample.end(), from, from + weight.k);
  }
  return hessianEnergy(sample, rows, weight.k, h, parallel) * double(weight.n) / double(rows);
}

StoredLinear store(QuantizedMatrix matrix, SparseWeights outliers, const WeightMatrix &weight,
                   const ParallelFor &parallel) {
  StoredLinear made;
  LinearReport &report = made.report;
  report.rows = weight.n;
  report.columns = weight.k;
  report.rmsError = relativeRms(matrix, outliers, weight.values, parallel);
  report.bits = matrix.format.bits + double(matrix.groups()) / double(weight.k) *
                                         (16 + (matrix.format.symmetric ? 0 : 8));
  if (!outliers.empty()) {
    report.outliers = static_cast<int64_t>(outliers.values.size());
    report.bits += static_cast<double>(outlierBits(report.outliers, weight.n)) /
                   static_cast<double>(weight.n * weight.k);
    made.outliers = std::move(outliers);
  }
  made.codes = std::move(matrix.codes);
  made.scales = std::move(matrix.scales);
  made.zeroPoints = std::move(matrix.zeroPoints);
  return made;
}

} // namespace

qrt::Result<StoredLinear> quantizeByGptq(const WeightMatrix &weight, const PreparedHessian &hessian,
                                         const GptqOptions &options, const ParallelFor &parallel,
                                         std::span<const float> target, double outliers) {
  SparseGptqResult made;
  if (outliers > 0) {
    QRT_ASSIGN_OR_RETURN(made, gptqWithOutliers(weight.values, weight.n, hessian, options, outliers,
                                                parallel, target));
  } else {
    QRT_ASSIGN_OR_RETURN(made.dense,
                         gptq(weight.values, weight.n, hessian, options, parallel, target));
  }
  GptqResult &result = made.dense;
  if (!(result.loss <= result.lossRtn * (1 + 1e-6) + 1e-30))
    return qrt::internalError("the calibrated result is worse than round to nearest: " +
                              std::to_string(result.loss) + " > " + std::to_string(result.lossRtn));
  StoredLinear stored = store(std::move(result.matrix), std::move(made.outliers), weight, parallel);
  stored.report.energy = outputEnergy(weight, hessian.h, parallel);
  stored.report.lossRtn = result.lossRtn;
  stored.report.loss = result.loss;
  stored.report.damping = hessian.damping;
  return stored;
}

qrt::Result<StoredLinear> quantizeByScale(const WeightMatrix &weight, std::span<const float> h,
                                          const GroupFormat &format, const ParallelFor &parallel,
                                          double outliers) {
  QuantizedMatrix plain;
  if (!roundToNearest(weight, format, parallel, plain))
    return qrt::invalidModel("expects finite weights");
  const int64_t n = weight.n, k = weight.k;
  QuantizedMatrix found;
  SparseWeights sparse;
  if (outliers > 0) { // their codes are 0: the values are the weights
    std::vector<float> importance(k);
    for (int64_t j = 0; j < k; ++j)
      importance[j] = h[j * k + j];
    sparse = chooseOutliers(weight.values, n, k, format, importance, outlierCount(outliers, n, k),
                            parallel);
    found = roundByOutputError(withoutOutliers(weight.values, k, sparse), n, k, format, h, {},
                               parallel);
  } else {
    found = roundByOutputError(weight.values, n, k, format, h, {}, parallel);
  }
  const double lossRtn = hessianLoss(weight.values, plain, h, parallel);
  double loss = hessianLoss(weight.values, found, sparse, h, parallel);
  if (!(loss <= lossRtn)) { // by the rounding of sums, where H says next to nothing
    std::fill(sparse.values.begin(), sparse.values.end(), 0); // as many as asked for
    found = std::move(plain);
    loss = lossRtn;
  }
  StoredLinear made = store(std::move(found), std::move(sparse), weight, parallel);
  made.report.energy = outputEnergy(weight, h, parallel);
  made.report.lossRtn = lossRtn;
  made.report.loss = loss;
  return made;
}

} // namespace qopt::calibration
