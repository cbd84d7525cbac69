//===- WorkEstimate.h - What calibration will take --------------------------------------------===//
// Operations and bytes of sweeps that have not run, from shapes and token counts alone, and seconds
// from them through the speed of each kind of work, measured here and now on small matrices. Thread
// safety: free functions; measureSpeeds() wants an idle machine.
#ifndef QOPT_CALIBRATION_WORKESTIMATE_H
#define QOPT_CALIBRATION_WORKESTIMATE_H

#include "qopt/Calibration/Passes.h"

namespace qopt::calibration {

/// Floating-point operations by kind; a multiplication and an addition are two.
struct SweepWork {
  int64_t linears = 0;
  double forward = 0;          ///< linears in f32, all tokens up to the last group, all sweeps
  double coded = 0;            ///< linears that the sweep has quantized already
  double attention = 0;        ///< of queries with keys and of weights with values
  double elements = 0;         ///< floats that all other ops make
  double moments = 0;          ///< second moments of inputs, in f32
  double byteMoments = 0;      ///< from inputs of 8 bits
  double factors = 0;          ///< factorisations
  double gptq = 0;             ///< products of GPTQ
  double products = 0;         ///< other products in f32
  double search = 0;           ///< element-wise work of scale searches
  int64_t quantizerBytes = 0;  ///< of the largest group, besides activations
  int64_t activationBytes = 0; ///< most that lives between two groups
};

/// The sweeps that `stage` asks for (scales, scores, quantization, gate) over `tokens`. Errors:
/// those of linearGroups(); Unsupported, all named, for ops without an f32 kernel;
/// ResourceExhausted if the quantizer does not fit below the stage's limit.
qrt::Result<SweepWork> estimateSweeps(mlir::func::FuncOp function, const TokenTable &tokens,
                                      const CalibrationStage &stage, bool quantizes);

/// Operations per second by kind, of the code that a sweep runs.
struct SweepSpeeds {
  double forward = 1, coded = 1, moments = 1, byteMoments = 1, factors = 1, gptq = 1;
};

/// Each kind of work that there is, on 1024 tokens and matrices of 2048 columns; under a second.
SweepSpeeds measureSpeeds(const SweepWork &work, const CalibratedOptions &options, int threads);

/// Seconds of `work`. What is not measured is taken from the speed of f32 products by factors that
/// were (docs/cli.md, --dry-run).
double secondsOf(const SweepWork &work, const SweepSpeeds &speeds);

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_WORKESTIMATE_H
