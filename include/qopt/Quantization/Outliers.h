//===- Outliers.h - Weights and channels that must not be rounded -----------------------------===//
// Super weights (arXiv 2411.07191, section 3): single weights, mostly in early down projections,
// found without data from a spike in the input and in the output of a linear during one forward
// pass: row = output channel, column = input channel. A spike is a channel whose largest |x| is at
// least `ratio` times the median of all channels' largest |x|.
//
// Sparse outliers (SpQR, arXiv 2306.03078, section 4): the elements whose rounding costs most in
// the output, (w - x')^2 H_jj, kept beside the codes in f16.
#ifndef QOPT_QUANTIZATION_OUTLIERS_H
#define QOPT_QUANTIZATION_OUTLIERS_H

#include "qopt/Quantization/QuantizedMatrix.h"

namespace qopt::quantization {

struct WeightPosition {
  int64_t row = 0, column = 0;
  float value = 0;  ///< the weight
  double score = 0; ///< how far it stands out: of spikes the product of both ratios, of sparse
                    ///< outliers the error it saves
};

/// Channels with a spike, the largest first.
std::vector<int32_t> outlierChannels(std::span<const float> maxAbs, float ratio);

/// Candidates of w [n, k]: among the weights that join a spiking input to a spiking output, per
/// spiking output the one that moves it most, |w_ij| max|x_j|. maxAbsInput [k], maxAbsOutput [n].
std::vector<WeightPosition> findSuperWeights(std::span<const float> w, int64_t n, int64_t k,
                                             std::span<const float> maxAbsInput,
                                             std::span<const float> maxAbsOutput, float ratio);

/// The `count` elements of the highest (w - x')^2 diagonal_j, by falling score (ties: row, column).
std::vector<WeightPosition> costliestWeights(std::span<const float> w,
                                             const QuantizedMatrix &matrix,
                                             std::span<const float> diagonal, int64_t count,
                                             const ParallelFor &parallel);

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_OUTLIERS_H
