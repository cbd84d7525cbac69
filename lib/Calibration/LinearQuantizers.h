//===- LinearQuantizers.h - One weight under the moments of its input ------------------------===//
#ifndef QOPT_LIB_CALIBRATION_LINEARQUANTIZERS_H
#define QOPT_LIB_CALIBRATION_LINEARQUANTIZERS_H

#include "Checkpoint.h"
#include "ForwardOps.h"

namespace qopt::calibration {

/// Codes and report (but for name, tokens and seconds) of one weight. `target` [n, k] or empty: the
/// weight itself. `outliers`: the share of the weights that stays in f16. Internal if the result is
/// worse than round to nearest.
qrt::Result<StoredLinear> quantizeByGptq(const WeightMatrix &weight,
                                         const quantization::PreparedHessian &hessian,
                                         const quantization::GptqOptions &options,
                                         const quantization::ParallelFor &parallel,
                                         std::span<const float> target = {}, double outliers = 0);

/// `h` [k, k]: the Hessian, not damped.
qrt::Result<StoredLinear> quantizeByScale(const WeightMatrix &weight, std::span<const float> h,
                                          const quantization::GroupFormat &format,
                                          const quantization::ParallelFor &parallel,
                                          double outliers = 0);

/// Round to nearest of what is left without a share of outliers, the weights whose rounding costs
/// most under `h`.
qrt::Result<StoredLinear> quantizeByRounding(const WeightMatrix &weight, std::span<const float> h,
                                             const quantization::GroupFormat &format,
                                             const quantization::ParallelFor &parallel,
                                             double outliers);

/// Round to nearest of a whole matrix; false for weights that are not finite. With outliers (0:
/// none): as quantizeByRounding().
bool roundToNearest(const WeightMatrix &weight, std::span<const float> h,
                    const quantization::GroupFormat &format, double outliers,
                    const quantization::ParallelFor &parallel, quantization::QuantizedMatrix &out,
                    quantization::SparseWeights &sparse);
bool roundToNearest(const WeightMatrix &weight, const quantization::GroupFormat &format,
                    const quantization::ParallelFor &parallel, quantization::QuantizedMatrix &out);

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_LINEARQUANTIZERS_H
