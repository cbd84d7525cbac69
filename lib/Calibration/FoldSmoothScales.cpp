//===- FoldSmoothScales.cpp - Activation outliers moved into weights --------------------------===//
#include "qopt/Calibration/FoldSmoothScales.h"

#include "FoldScales.h"

#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"
#include "qopt/Quantization/ChannelScaling.h"

using namespace mlir;
using namespace qopt::quantization;

namespace qopt::calibration {

namespace {

class SmoothFolder : public ScaleFolder {
public:
  SmoothFolder(const SmoothFoldOptions &options, int64_t count)
      : ScaleFolder(options, GroupMoments::Kind::Channels, "smooth", count),
        alpha(static_cast<float>(options.alpha)) {}

protected:
  std::string refuse(const LinearGroup &group) const override {
    for (qir::LinearOp linear : group.linears)
      if (qir::schemeOf(linear).getActivationBits() == 8)
        return "";
    return "its activations are not quantized";
  }

  qrt::Result<std::vector<float>> choose(const LinearGroup &, const ScaleFold &fold,
                                         const Statistics::Moments &moments,
                                         const GroupWeights &weights, const ParallelFor &,
                                         ScaleReport &report) const override {
    std::vector<MatrixView> views;
    for (const WeightMatrix &matrix : weights.matrices)
      views.push_back({matrix.values, matrix.n});
    std::vector<float> scales = smoothQuantScales(moments.maxAbs, views, alpha);
    if (fold.kind == ScaleFold::Kind::Value && fold.heads != fold.kvHeads)
      tieScales(fold, scales);
    report.alpha = alpha;
    // The largest value against the mean of channels' largest: what one scale per token costs.
    report.lossPlain = spread(moments.maxAbs, {});
    report.loss = spread(moments.maxAbs, scales);
    return scales;
  }

private:
  static double spread(std::span<const float> maxAbs, std::span<const float> scales) {
    double largest = 0, sum = 0;
    for (size_t j = 0; j < maxAbs.size(); ++j) {
      const double value = maxAbs[j] / (scales.empty() ? 1.0 : double(scales[j]));
      largest = std::max(largest, value);
      sum += value;
    }
    return sum > 0 ? largest / sum * double(maxAbs.size()) : 1.0;
  }

  float alpha;
};

} // namespace

qrt::Result<std::vector<ScaleReport>> foldSmoothScales(func::FuncOp function,
                                                       const TokenTable &tokens,
                                                       const SmoothFoldOptions &options) {
  return foldScales(function, tokens, options,
                    [&](int64_t count) { return std::make_unique<SmoothFolder>(options, count); });
}

} // namespace qopt::calibration
