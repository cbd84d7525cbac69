//===- FoldSmoothScales.h - Activation outliers moved into weights ----------------------------===//
// SmoothQuant (arXiv 2211.10438, equation 4; qopt/Quantization/ChannelScaling.h) for every group of
// calibrated linears whose activations are quantized to 8 bits and whose input can be divided
// exactly (the same places as AWQ's scales). One float sweep measures max |x_j|, then all scales
// are folded; the function that the graph computes does not change. Reports have the largest |x|
// over the mean of the channels' largest, before and after, for losses.
#ifndef QOPT_CALIBRATION_FOLDSMOOTHSCALES_H
#define QOPT_CALIBRATION_FOLDSMOOTHSCALES_H

#include "qopt/Calibration/FoldAwqScales.h"

namespace qopt::calibration {

struct SmoothFoldOptions : ScaleFoldOptions {
  double alpha = 0.5; ///< 0: all difficulty stays in the activations, 1: all goes to the weights
};

/// Errors: those of runSweep(); BadCalibration for inputs that are not finite.
qrt::Result<std::vector<ScaleReport>> foldSmoothScales(mlir::func::FuncOp function,
                                                       const TokenTable &tokens,
                                                       const SmoothFoldOptions &options);

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_FOLDSMOOTHSCALES_H
