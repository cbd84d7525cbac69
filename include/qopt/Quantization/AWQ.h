//===- AWQ.h - Activation-aware channel scales -----------------------------------------------===//
// AWQ (arXiv 2306.00978, section 3.2): scaling input channel j of a weight by s_j and dividing the
// input by it leaves the function unchanged, and protects the channels with large activations.
//
//   s_j = clamp(a_j^alpha / b_j^(1 - alpha), 1e-4, 1e4), normalised by sqrt(max s * min s)
//
// a: mean |x| of the channel; b: mean over the rows of |W| relative to the group's largest |W|
// ("duo scaling") or 1. The grid over alpha in [0, 1) is scored without any forward pass: the
// output error of all linears that share the input is tr(E H E^T) with E = W - Q(W s) / s, in
// closed form (the original re-runs the block). alpha = 0 without duo scaling is s = 1, so the
// search never loses to plain rounding in that measure.
//
// The original's clip search (auto_clip) shrinks ranges under the error of a group alone. Here that
// is OutputErrorRounding.h, behind the scales: it searches the range of each group under the output
// error of the whole row. GPTQ searches ranges itself.
#ifndef QOPT_QUANTIZATION_AWQ_H
#define QOPT_QUANTIZATION_AWQ_H

#include "qopt/Quantization/QuantizedMatrix.h"

namespace qopt::quantization {

/// One of the linears that share an input.
struct WeightView {
  std::span<const float> w; ///< [n, k]
  int64_t n = 0;
  GroupFormat format; ///< searchScale: quantize with the squared-error search in the loop
};

struct AwqOptions {
  int gridPoints = 20; ///< alpha = i / gridPoints
  bool duoScaling = true;
  int64_t sampleRows = 512; ///< rows of a weight that score an alpha, evenly spread; 0: all
};

struct AwqScales {
  std::vector<float> scales; ///< [k]; W'[:, j] = W[:, j] * s_j, x'_j = x_j / s_j
  float alpha = 0;
  double lossPlain = 0; ///< sum of tr(E H E^T) over all rows with s = 1
  double loss = 0;      ///< with `scales`; <= lossPlain
};

/// Searches the scales for linears [n_i, k] that share the input with meanAbs [k] and H [k, k].
/// `classes` [k], empty or a class index per channel: channels of one class get one scale, from
/// their mean statistics (the inputs of an output projection that come from one channel of a
/// shared value head under grouped-query attention).
AwqScales searchAwqScales(std::span<const WeightView> weights, int64_t k,
                          std::span<const float> meanAbs, std::span<const float> h,
                          const AwqOptions &options, const ParallelFor &parallel,
                          std::span<const int32_t> classes = {});

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_AWQ_H
