//===- SparseOutliers.h - Quantization with some weights kept in f16 --------------------------===//
// A share of the weights is taken out of the grid and kept as a sparse f16 matrix S beside the
// codes (SpQR, arXiv 2306.03078, section 4; SqueezeLLM, arXiv 2306.07629, section 4.2):
//
//  1. Chosen are the weights whose rounding costs most in the output, (w - x')^2 H_jj, x' from
//     ranges searched under diag(H) (costliestWeights() of Outliers.h).
//  2. The rest, W with zeros in their places, is quantized: ranges no longer see the outliers.
//  3. S becomes the best one for these codes: coordinate descent over its f16 values in
//     tr((W - Q - S) H (W - Q - S)^T), so it also takes up what rounding its neighbours did to the
//     output (their error feedback).
//  4. gptqWithOutliers: scales and codes are refined again for W - S (Refine.cpp), then S, twice.
//
// Each step is kept per row only where the damped objective falls. Deterministic for any number of
// threads. K at most 65536, since columns are stored in 16 bits.
#ifndef QOPT_QUANTIZATION_SPARSEOUTLIERS_H
#define QOPT_QUANTIZATION_SPARSEOUTLIERS_H

#include "qopt/Quantization/GPTQ.h"

#include <vector>

namespace qopt::quantization {

/// A sparse matrix [n, k] by rows.
struct SparseWeights {
  std::vector<int32_t> rows;     ///< [n + 1]; empty: no outliers
  std::vector<uint16_t> columns; ///< ascending in a row
  std::vector<uint16_t> values;  ///< f16 bits

  bool empty() const { return rows.empty(); }
};

/// Most columns of a weight with outliers.
inline constexpr int64_t maxOutlierColumns = 65536;

/// How many weights of [n, k] a share is: at least 1.
int64_t outlierCount(double share, int64_t n, int64_t k);

/// Bits that so many outliers take in the file: 16 for the value and 16 for the column of each, and
/// 32 per row.
int64_t outlierBits(int64_t count, int64_t n);

/// Step 1: positions as a sparse matrix, values those of w. importance [k]: diag(H).
SparseWeights chooseOutliers(std::span<const float> w, int64_t n, int64_t k,
                             const GroupFormat &format, std::span<const float> importance,
                             int64_t count, const ParallelFor &parallel);

/// w with zeros where outliers are.
std::vector<float> withoutOutliers(std::span<const float> w, int64_t k,
                                   const SparseWeights &outliers);

/// x' with the outliers, into out [n, k].
void dequantize(const QuantizedMatrix &matrix, const SparseWeights &outliers, std::span<float> out,
                const ParallelFor &parallel);

/// tr(E H E^T) for E = w - x' - S.
double hessianLoss(std::span<const float> w, const QuantizedMatrix &matrix,
                   const SparseWeights &outliers, std::span<const float> h,
                   const ParallelFor &parallel);

/// Step 3 for the codes of `matrix`: sets the values of `outliers`, whose positions stay.
/// `target` [n, k] is what codes and outliers together should be.
void fitOutliers(std::span<const float> target, const PreparedHessian &hessian,
                 const QuantizedMatrix &matrix, SparseWeights &outliers,
                 const ParallelFor &parallel);

struct SparseGptqResult {
  GptqResult dense; ///< its losses are those of codes and outliers together
  SparseWeights outliers;
};

/// gptq() of GPTQ.h with a share of outliers, in (0, 0.5]. lossRtn is that of round to nearest
/// without outliers; loss is never above it. InvalidArgument as gptq(), and for more than
/// maxOutlierColumns columns or another share.
qrt::Result<SparseGptqResult> gptqWithOutliers(std::span<const float> w, int64_t n,
                                               const PreparedHessian &hessian,
                                               const GptqOptions &options, double share,
                                               const ParallelFor &parallel,
                                               std::span<const float> target = {});

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_SPARSEOUTLIERS_H
