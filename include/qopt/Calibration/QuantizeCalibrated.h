//===- QuantizeCalibrated.h - Linears quantized in a sweep ------------------------------------===//
// Quantizes every linear for which qir::isCalibrated() holds, group by group, in one sweep: the
// Hessian of the group's input (behind the layers that are quantized already) is accumulated once,
// the weights are quantized under it, and the sweep goes on with what they became.
//
// With a work directory, each finished group is a file there (written under a temporary name, then
// renamed), and `resume` takes finished groups from it; their layers are then only run forward. A
// process killed at any moment and resumed gives the bytes of one that was not.
// Results do not depend on the number of threads nor on memory limits.
// Thread safety: one call at a time per function.
#ifndef QOPT_CALIBRATION_QUANTIZECALIBRATED_H
#define QOPT_CALIBRATION_QUANTIZECALIBRATED_H

#include "qopt/Calibration/Statistics.h"
#include "qopt/Quantization/GPTQ.h"

#include <functional>
#include <string>
#include <vector>

namespace qopt::calibration {

enum class Algorithm {
  Gptq,  ///< error feedback under the Hessian (qopt/Quantization/GPTQ.h)
  Scale, ///< scales searched under the Hessian, no error feedback (OutputErrorRounding.h)
  Rtn,   ///< round to nearest of what outliers leave, which the Hessian chooses
};

/// What a report says about one linear.
struct LinearReport {
  std::string name;   ///< of the weight
  std::string scheme; ///< "w4a16-g128-sym"
  int64_t rows = 0, columns = 0;
  int64_t tokens = 0; ///< with a weight above 0 that its Hessian has seen
  double energy = 0;  ///< tr(W H W^T), the mean squared length of the output, from 64 rows
  double lossRtn = 0; ///< tr(E H E^T) of round to nearest, E the error of the weight and
                      ///< H the moments of its input, undamped
  double loss = 0;    ///< of the result; never above lossRtn
  double rmsError = 0;
  double bits = 0;       ///< per weight, scales, zero points and outliers included
  int64_t outliers = 0;  ///< weights that stay in f16 beside the codes
  double damping = 0;    ///< added to the diagonal, as a part of its mean
  double seconds = 0;    ///< of this linear, its share of the Hessian included
  int64_t peakBytes = 0; ///< resident memory of the process so far
  bool resumed = false;  ///< taken from the work directory
};

struct CalibratedOptions {
  Algorithm algorithm = Algorithm::Gptq;
  quantization::GptqOptions gptq; ///< `format` is that of each linear's scheme
  SweepOptions sweep;             ///< its `arithmetic` is the one below
  /// A16, A8: Hessians are accumulated from inputs of 8 bits (MomentPrecision::Int8), too. Float
  /// linears stay in f32, and what gate and scores run as well.
  SweepArithmetic arithmetic = SweepArithmetic::F32;
  std::string workDirectory; ///< "": no checkpoints
  bool resume = false;
  int64_t maxMemory = 0; ///< bytes of the process (0: what is free): sets the sweep's own limit
  bool force = false;    ///< resume even though the checkpoints are of another run
  /// Gptq: how far targets are corrected for what quantized layers before did to the input
  /// (TargetCorrection.h); 0: not at all. The float model then runs beside the sweep.
  double targetCorrection = 0;
  /// Moments of the float model in place of a sweep; null: sweep.
  std::shared_ptr<const Statistics> statistics;
  /// After each linear: how many are done, and an estimate of the seconds that are left.
  std::function<void(const LinearReport &, int64_t done, int64_t count, double secondsLeft)>
      onLinear;
};

/// Errors: those of runSweep(); BadCalibration: a Hessian that is not finite or that no damping
/// makes positive definite; ResumeMismatch: checkpoints of another model, data or command;
/// Internal: a result worse than round to nearest.
qrt::Result<std::vector<LinearReport>> quantizeCalibrated(mlir::func::FuncOp function,
                                                          const TokenTable &tokens,
                                                          const CalibratedOptions &options);

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_QUANTIZECALIBRATED_H
