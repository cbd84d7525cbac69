//===- TargetCorrection.h - Weights that make up for quantized inputs -------------------------===//
// Behind quantized layers a linear sees xq instead of xf. The least-squares answer to
// min |W xf - W' xq|^2 is W' = W + W D (H + d I)^-1 with D = sum (xf - xq) xq^T (Hessian.h) and
// H = sum xq xq^T; rounding W' under H then minimises the same objective as the asymmetric
// calibration of GPTAQ (arXiv 2504.02692, section 3), whose P-matrix applies the same correction
// column by column. `strength` 0 ... 1 scales the correction.
#ifndef QOPT_QUANTIZATION_TARGETCORRECTION_H
#define QOPT_QUANTIZATION_TARGETCORRECTION_H

#include "qopt/Quantization/GPTQ.h"

namespace qopt::quantization {

/// The corrected target [n, k] of w [n, k], D [k, k] and the prepared Hessian of xq.
qrt::Result<std::vector<float>> correctTarget(std::span<const float> w, int64_t n,
                                              std::span<const float> d,
                                              const PreparedHessian &hessian, float strength,
                                              const ParallelFor &parallel);

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_TARGETCORRECTION_H
