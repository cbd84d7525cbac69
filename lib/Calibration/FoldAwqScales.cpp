//===- FoldAwqScales.cpp - Channel scales chosen by activations ------------------------------===//
#include "qopt/Calibration/FoldAwqScales.h"

#include "FoldScales.h"

using namespace mlir;
using namespace qopt::quantization;

namespace qopt::calibration {

namespace {

/// Sum of tr(E H E^T), E = W - Q(W s) / s, over the group, with Q round to nearest.
double lossWith(const GroupWeights &weights, std::span<const float> scales,
                std::span<const float> h, const ParallelFor &parallel) {
  const auto k = static_cast<int64_t>(scales.size());
  double loss = 0;
  for (const WeightView &view : weights.views) {
    std::vector<float> errors(view.w.size());
    parallel(view.n, [&](int64_t row) {
      const int64_t groups = groupsPerRow(view.format, k);
      std::vector<float> scaled(k);
      std::vector<uint8_t> codes(k), zeros(groups);
      std::vector<uint16_t> stored(groups);
      for (int64_t j = 0; j < k; ++j)
        scaled[j] = view.w[row * k + j] * scales[j];
      QuantizedMatrix one = makeQuantizedMatrix(view.format, 1, k);
      ErrorSums sums;
      quantizeRow(view.format, scaled.data(), k, one.codes.data(), one.scales.data(),
                  one.zeroPoints.empty() ? nullptr : one.zeroPoints.data(), sums);
      dequantize(one, std::span(errors).subspan(row * k, k), serialFor);
      for (int64_t j = 0; j < k; ++j)
        errors[row * k + j] = view.w[row * k + j] - errors[row * k + j] / scales[j];
    });
    loss += hessianEnergy(errors, view.n, k, h, parallel);
  }
  return loss;
}

class AwqFolder : public ScaleFolder {
public:
  AwqFolder(const AwqFoldOptions &options, int64_t count)
      : ScaleFolder(options, GroupMoments::Kind::Hessian, "awq", count), search(options.search) {}

protected:
  qrt::Result<std::vector<float>> choose(const LinearGroup &group, const ScaleFold &fold,
                                         const Statistics::Moments &moments,
                                         const GroupWeights &weights, const ParallelFor &parallel,
                                         ScaleReport &report) const override {
    const std::vector<float> &h = moments.hessian;
    AwqScales found =
        searchAwqScales(weights.views, group.features, moments.meanAbs, h, search, parallel);
    report.alpha = found.alpha;
    report.lossPlain = found.lossPlain;
    report.loss = found.loss;
    if (fold.kind == ScaleFold::Kind::Value && fold.heads != fold.kvHeads) {
      tieScales(fold, found.scales);
      report.loss = lossWith(weights, found.scales, h, parallel);
    }
    if (report.loss < report.lossPlain)
      return std::move(found.scales);
    report.skipped = "no scales lower the error";
    report.loss = report.lossPlain;
    return std::vector<float>();
  }

private:
  const AwqOptions &search;
};

} // namespace

qrt::Result<std::vector<ScaleReport>> foldAwqScales(func::FuncOp function, const TokenTable &tokens,
                                                    const AwqFoldOptions &options) {
  return foldScales(function, tokens, options,
                    [&](int64_t count) { return std::make_unique<AwqFolder>(options, count); });
}

} // namespace qopt::calibration
