//===- ChannelScaling.h - Moving a scale from an input to the weights -------------------------===//
// y = W x = (W diag(s)) (diag(1/s) x). The division is folded into whatever produces x: the rows
// (and bias) of a linear, or the weight of a norm. Also the scales of SmoothQuant (arXiv
// 2211.10438, equation 4), which moves activation outliers into weights:
//
//   s_j = max(1e-5, max|x_j|^alpha / max_i|W_ij|^(1 - alpha))
//
// with W all linears that read x. Channels that are never active or have no weight keep s = 1.
#ifndef QOPT_QUANTIZATION_CHANNELSCALING_H
#define QOPT_QUANTIZATION_CHANNELSCALING_H

#include "qopt/Quantization/Parallel.h"

#include <span>
#include <vector>

namespace qopt::quantization {

/// w[:, j] *= s[j], in place.
void scaleColumns(std::span<float> w, int64_t n, int64_t k, std::span<const float> s,
                  const ParallelFor &parallel);
/// w[i, :] /= s[i], in place. k = 1 for a bias or a norm's weight.
void divideRows(std::span<float> w, int64_t n, int64_t k, std::span<const float> s,
                const ParallelFor &parallel);

/// A weight [n, k] that reads the input.
struct MatrixView {
  std::span<const float> w;
  int64_t n = 0;
};

std::vector<float> smoothQuantScales(std::span<const float> maxAbs,
                                     std::span<const MatrixView> weights, float alpha);

/// Classes (AWQ.h) of an output projection's inputs [heads * headDim] under grouped-query
/// attention: channel d of head h belongs to channel d of value head h / (heads / kvHeads).
std::vector<int32_t> valueChannelClasses(int64_t heads, int64_t kvHeads, int64_t headDim);

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_CHANNELSCALING_H
