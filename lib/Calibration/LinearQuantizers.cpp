//===- LinearQuantizers.cpp - One weight under the moments of its input ----------------------===//
#include "LinearQuantizers.h"

#include "qopt/Quantization/OutputErrorRounding.h"

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

double relativeRms(const QuantizedMatrix &matrix, std::span<const float> w,
                   const ParallelFor &parallel) {
  std::vector<float> values(w.size());
  dequantize(matrix, values, parallel);
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

StoredLinear store(QuantizedMatrix matrix, const WeightMatrix &weight,
                   const ParallelFor &parallel) {
  StoredLinear made;
  LinearReport &report = made.report;
  report.rows = weight.n;
  report.columns = weight.k;
  report.rmsError = relativeRms(matrix, weight.values, parallel);
  report.bits = matrix.format.bits + double(matrix.groups()) / double(weight.k) *
                                         (16 + (matrix.format.symmetric ? 0 : 8));
  made.codes = std::move(matrix.codes);
  made.scales = std::move(matrix.scales);
  made.zeroPoints = std::move(matrix.zeroPoints);
  return made;
}

} // namespace

qrt::Result<StoredLinear> quantizeByGptq(const WeightMatrix &weight, const PreparedHessian &hessian,
                                         const GptqOptions &options, const ParallelFor &parallel,
                                         std::span<const float> target) {
  QRT_ASSIGN_OR_RETURN(GptqResult result,
                       gptq(weight.values, weight.n, hessian, options, parallel, target));
  if (!(result.loss <= result.lossRtn * (1 + 1e-6) + 1e-30))
    return qrt::internalError("the calibrated result is worse than round to nearest: " +
                              std::to_string(result.loss) + " > " + std::to_string(result.lossRtn));
  StoredLinear made = store(std::move(result.matrix), weight, parallel);
  made.report.energy = outputEnergy(weight, hessian.h, parallel);
  made.report.lossRtn = result.lossRtn;
  made.report.loss = result.loss;
  made.report.damping = hessian.damping;
  return made;
}

qrt::Result<StoredLinear> quantizeByScale(const WeightMatrix &weight, std::span<const float> h,
                                          const GroupFormat &format, const ParallelFor &parallel) {
  QuantizedMatrix plain;
  if (!roundToNearest(weight, format, parallel, plain))
    return qrt::invalidModel("expects finite weights");
  QuantizedMatrix found =
      roundByOutputError(weight.values, weight.n, weight.k, format, h, {}, parallel);
  const double lossRtn = hessianLoss(weight.values, plain, h, parallel);
  double loss = hessianLoss(weight.values, found, h, parallel);
  if (!(loss <= lossRtn)) { // by the rounding of sums, where H says next to nothing
    found = std::move(plain);
    loss = lossRtn;
  }
  StoredLinear made = store(std::move(found), weight, parallel);
  made.report.energy = outputEnergy(weight, h, parallel);
  made.report.lossRtn = lossRtn;
  made.report.loss = loss;
  return made;
}

} // namespace qopt::calibration
