//===- LinearQuantizers.cpp - One weight under the moments of its input ----------------------===//
#include "LinearQuantizers.h"

#include "qopt/Quantization/OutputErrorRounding.h"
#include "qopt/Quantization/SparseOutliers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

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
  const int64_t rows = matrix.n, k = matrix.k;
  std::vector<double> errors(rows), norms(rows);
  parallel(rows, [&](int64_t row) {
    for (int64_t i = row * k; i < (row + 1) * k; ++i) {
      errors[row] += (double(values[i]) - w[i]) * (double(values[i]) - w[i]);
      norms[row] += double(w[i]) * w[i];
    }
  });
  const double error = std::accumulate(errors.begin(), errors.end(), 0.0);
  const double norm = std::accumulate(norms.begin(), norms.end(), 0.0);
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

static SparseWeights outliersUnder(const WeightMatrix &weight, std::span<const float> h,
                                   const GroupFormat &format, double share,
                                   const ParallelFor &parallel) {
  const int64_t n = weight.n, k = weight.k;
  std::vector<float> importance(k);
  for (int64_t j = 0; j < k; ++j)
    importance[j] = h[j * k + j];
  return chooseOutliers(weight.values, n, k, format, importance, outlierCount(share, n, k),
                        parallel);
}

bool roundToNearest(const WeightMatrix &weight, std::span<const float> h, const GroupFormat &format,
                    double outliers, const ParallelFor &parallel, QuantizedMatrix &out,
                    SparseWeights &sparse) {
  if (outliers <= 0)
    return roundToNearest(weight, format, parallel, out);
  sparse = outliersUnder(weight, h, format, outliers, parallel);
  const WeightMatrix rest{weight.n, weight.k, withoutOutliers(weight.values, weight.k, sparse)};
  return roundToNearest(rest, format, parallel, out);
}

/// `found` with `sparse`, or round to nearest where that is better.
static StoredLinear storeBetter(const WeightMatrix &weight, std::span<const float> h,
                                QuantizedMatrix plain, QuantizedMatrix found, SparseWeights sparse,
                                const ParallelFor &parallel) {
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

qrt::Result<StoredLinear> quantizeByScale(const WeightMatrix &weight, std::span<const float> h,
                                          const GroupFormat &format, const ParallelFor &parallel,
                                          double outliers) {
  const int64_t n = weight.n, k = weight.k;
  QuantizedMatrix plain;
  if (!roundToNearest(weight, format, parallel, plain))
    return qrt::invalidModel("expects finite weights");
  SparseWeights sparse;
  std::vector<float> rest; // the codes of outliers are 0: their values are the weights
  if (outliers > 0) {
    sparse = outliersUnder(weight, h, format, outliers, parallel);
    rest = withoutOutliers(weight.values, k, sparse);
  }
  QuantizedMatrix found =
      roundByOutputError(rest.empty() ? weight.values : rest, n, k, format, h, {}, parallel);
  return storeBetter(weight, h, std::move(plain), std::move(found), std::move(sparse), parallel);
}

qrt::Result<StoredLinear> quantizeByRounding(const WeightMatrix &weight, std::span<const float> h,
                                             const GroupFormat &format, const ParallelFor &parallel,
                                             double outliers) {
  QuantizedMatrix plain, found;
  SparseWeights sparse;
  if (!roundToNearest(weight, format, parallel, plain) ||
      !roundToNearest(weight, h, format, outliers, parallel, found, sparse))
    return qrt::invalidModel("expects finite weights");
  return storeBetter(weight, h, std::move(plain), std::move(found), std::move(sparse), parallel);
}

} // namespace qopt::calibration
