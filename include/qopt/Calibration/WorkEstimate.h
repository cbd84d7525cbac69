//===- WorkEstimate.h - What calibration will take --------------------------------------------===//
// Operations and bytes of sweeps that have not run, from shapes and token counts alone, and seconds
// from them through the speed of an f32 matrix product, measured here and now. Thread safety: free
// functions; measureSpeed() wants an idle machine.
#ifndef QOPT_CALIBRATION_WORKESTIMATE_H
#define QOPT_CALIBRATION_WORKESTIMATE_H

#include "qopt/Calibration/Passes.h"

namespace qopt::calibration {

/// Floating-point operations by kind; a multiplication and an addition are two.
struct SweepWork {
  int64_t linears = 0;
  double forward = 0;          ///< all tokens up to the last group, all sweeps together
  double moments = 0;          ///< second moments of inputs
  double factors = 0;          ///< f64 factorisations
  double rounding = 0;         ///< matrix products of rounding and scale searches
  double search = 0;           ///< element-wise work of scale searches
  int64_t quantizerBytes = 0;  ///< of the largest group, besides activations
  int64_t activationBytes = 0; ///< most that lives between two groups
};

/// The sweeps that `stage` asks for (scales, scores, quantization, gate) over `tokens`. Errors:
/// those of linearGroups(); Unsupported, all named, for ops without an f32 kernel;
/// ResourceExhausted if the quantizer does not fit below the stage's limit.
qrt::Result<SweepWork> estimateSweeps(mlir::func::FuncOp function, const TokenTable &tokens,
                                      const CalibrationStage &stage, bool quantizes);

/// Operations per second of the f32 linear kernel on [512, 1024] x [1024, 1024]; about 0.1 s.
double measureSpeed(int threads);

/// Seconds of `work`. The factors between kinds of work are measured (docs/cli.md, --dry-run).
double secondsOf(const SweepWork &work, double speed);

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_WORKESTIMATE_H
