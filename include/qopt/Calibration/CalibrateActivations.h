//===- CalibrateActivations.h - Static scales of 8-bit activations ----------------------------===//
// One sweep over the calibration tokens counts the magnitudes of the inputs of all linears whose
// scheme has 8-bit activations, per block of features that shares a scale in the kernel (the group
// of the weight, 128 with one scale per row), and fixes a scale for each
// (qopt/Quantization/ActivationScales.h): `qir.activation_scales`. Tokens of weight 0 do not count.
// Results do not depend on the number of threads. Thread safety: as the IR.
#ifndef QOPT_CALIBRATION_CALIBRATEACTIVATIONS_H
#define QOPT_CALIBRATION_CALIBRATEACTIVATIONS_H

#include "qopt/Calibration/Sweep.h"
#include "qopt/Quantization/ActivationScales.h"

#include <optional>
#include <string>

namespace qopt::calibration {

struct ActivationOptions {
  quantization::ActivationObserver observer = quantization::ActivationObserver::MeanSquare;
  SweepOptions sweep;
  int64_t maxMemory = 0; ///< bytes of the process; 0: what is free
};

/// "absmax", "percentile", "mse"; nothing for other words.
std::optional<quantization::ActivationObserver> activationObserver(llvm::StringRef word);
llvm::StringRef activationObserverName(quantization::ActivationObserver observer);

/// Errors: those of runSweep(); InvalidArgument: no tokens, or no linear with 8-bit activations;
/// BadCalibration for inputs that are not finite.
qrt::Status calibrateActivations(mlir::func::FuncOp function, const TokenTable &tokens,
                                 const ActivationOptions &options);

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_CALIBRATEACTIVATIONS_H
