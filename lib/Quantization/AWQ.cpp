//===- AWQ.cpp - Activation-aware channel scales ----------------------------------------------===//
#include "qopt/Quantization/AWQ.h"

#include "qopt/Quantization/ImportanceRounding.h"

#include "RowLoss.h"

#include <algorithm>
#include <cmath>

namespace qopt::quantization {

namespace {

/// b of AWQ.h per channel: the mean over all rows of |w| / max |w| of its group.
std::vector<double> relativeMagnitude(std::span<const WeightView> weights, int64_t k) {
  std::vector<double> mean(k, 0.0);
  int64_t rows = 0;
  for (const WeightView &view : weights) {
    const int64_t size = view.format.groupSize ? view.format.groupSize : k;
    rows += view.n;
    for (int64_t r = 0; r < view.n; ++r)
      for (int64_t first = 0; first < k; first += size) {
        const int64_t last = std::min(k, first + size);
        const float *w = view.w.data() + r * k;
        float largest = 0;
        for (int64_t j = first; j < last; ++j)
          largest = std::max(largest, std::fabs(w[j]));
        for (int64_t j = first; j < last; ++j)
          mean[j] += std::fabs(w[j]) / (largest + 1e-6f);
      }
  }
  for (double &value : mean)
    value /= double(std::max<int64_t>(rows, 1));
  return mean;
}

/// Every channel gets the mean of its class.
void poolClasses(std::vector<double> &values, std::span<const int32_t> classes) {
  if (classes.empty())
    return;
  const int32_t count = *std::max_element(classes.begin(), classes.end()) + 1;
  std::vector<double> sum(count, 0.0);
  std::vector<int64_t> members(count, 0);
  for (size_t j = 0; j < values.size(); ++j)
    sum[classes[j]] += values[j], ++members[classes[j]];
  for (size_t j = 0; j < values.size(); ++j)
    values[j] = sum[classes[j]] / double(members[classes[j]]);
}

std::vector<float> scalesFor(const std::vector<double> &activation,
                             const std::vector<double> &magnitude, double alpha, bool duo) {
  std::vector<float> scales(activation.size());
  double least = INFINITY, most = 0;
  for (size_t j = 0; j < scales.size(); ++j) {
    double s = std::pow(activation[j], alpha);
    if (duo)
      s /= std::pow(magnitude[j] + 1e-4, 1 - alpha);
    s = std::clamp(s, 1e-4, 1e4);
    least = std::min(least, s), most = std::max(most, s);
    scales[j] = static_cast<float>(s);
  }
  const float norm = static_cast<float>(std::sqrt(least * most));
  for (float &s : scales)
    s /= norm;
  return scales;
}

/// sum of tr(E H E^T), E = W - Q(W s) / s, over every `step`-th row of each weight.
double scaledLoss(std::span<const WeightView> weights, int64_t k, const std::vector<float> &scales,
                  std::span<const float> h, int64_t sampleRows, const ParallelFor &parallel) {
  double total = 0;
  for (const WeightView &view : weights) {
    const int64_t step = sampleRows > 0 ? std::max<int64_t>(1, view.n / sampleRows) : 1;
    const int64_t count = (view.n + step - 1) / step;
    std::vector<double> losses(count, 0.0);
    parallel((count + panelRows - 1) / panelRows, [&](int64_t index) {
      const int64_t first = index * panelRows, rows = std::min(panelRows, count - first);
      std::vector<float> scaled(rows * k), e(rows * k);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t j = 0; j < k; ++j)
          scaled[r * k + j] = view.w[(first + r) * step * k + j] * scales[j];
      const QuantizedMatrix q = roundByImportance(scaled, rows, k, view.format, {},
                                                  view.format.searchScale ? 24 : 1, serialFor);
      for (int64_t r = 0; r < rows; ++r) {
        dequantizeRow(q, r, e.data() + r * k);
        for (int64_t j = 0; j < k; ++j)
          e[r * k + j] = (scaled[r * k + j] - e[r * k + j]) / scales[j];
      }
      rowLosses(e.data(), rows, k, h.data(), losses.data() + first);
    });
    for (double loss : losses)
      total += loss;
  }
  return total;
}

} // namespace

AwqScales searchAwqScales(std::span<const WeightView> weights, int64_t k,
                          std::span<const float> meanAbs, std::span<const float> h,
                          const AwqOptions &options, const ParallelFor &parallel,
                          std::span<const int32_t> classes) {
  std::vector<double> activation(meanAbs.begin(), meanAbs.end());
  std::vector<double> magnitude = relativeMagnitude(weights, k);
  poolClasses(activation, classes);
  poolClasses(magnitude, classes);

  AwqScales best;
  best.scales.assign(k, 1.0f);
  best.lossPlain = scaledLoss(weights, k, best.scales, h, 0, parallel);
  best.loss = best.lossPlain;
  double bestSample = scaledLoss(weights, k, best.scales, h, options.sampleRows, parallel);
  std::vector<float> chosen;
  for (int i = 0; i < options.gridPoints; ++i)
    for (bool duo : {false, true}) {
      if ((duo && !options.duoScaling) || (!duo && i == 0))
        continue;
      const double alpha = double(i) / options.gridPoints;
      std::vector<float> scales = scalesFor(activation, magnitude, alpha, duo);
      const double loss = scaledLoss(weights, k, scales, h, options.sampleRows, parallel);
      if (loss < bestSample)
        bestSample = loss, chosen = std::move(scales), best.alpha = static_cast<float>(alpha);
    }
  if (chosen.empty())
    return best;
  // The sample chose; all rows decide whether it is a gain.
  const double loss = scaledLoss(weights, k, chosen, h, 0, parallel);
  if (loss < best.lossPlain)
    best.loss = loss, best.scales = std::move(chosen);
  else
    best.alpha = 0;
  return best;
}

} // namespace qopt::quantization
