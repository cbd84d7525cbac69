//===- MixedPrecision.h - A precision for every linear under a budget -------------------------===//
// Decides `scheme` (and #qir.critical for what stays f16) of the calibrated linears from
// sensitivity scores: the allocation of least predicted KL divergence. The same scores choose the
// critical linears of the second weight set. Thread safety: as the IR.
#ifndef QOPT_CALIBRATION_MIXEDPRECISION_H
#define QOPT_CALIBRATION_MIXEDPRECISION_H

#include "qopt/Calibration/Sensitivity.h"

#include <optional>

namespace qopt::calibration {

/// How much may be chosen for being critical: a share of the weights, or so many linears.
struct CriticalAllowance {
  std::optional<double> part;
  std::optional<int64_t> count;

  bool isSet() const { return part || count; }
};

/// Weights, KV cache and activations together, when one sequence of `context` tokens runs.
struct FitTarget {
  int64_t bytes = 0;   ///< 0: not a target
  int64_t context = 0; ///< 0: what the model was made for
};

struct MixedOptions {
  std::optional<double> targetBpw;    ///< bits per weight of the calibrated linears, all included
  std::optional<int64_t> targetBytes; ///< of the whole file
  FitTarget fit;
  std::optional<int64_t> fitFileBytes; ///< what `fit` leaves for the file: a driver finds out
  int64_t reservedBytes = 0;           ///< of the file, for what is not in the graph
  CriticalAllowance critical;          ///< what may stay f16
  CriticalAllowance alternates;        ///< what also enters the second weight set (qir.alternate)
  bool allAlternates = false;          ///< a later pass puts every quantized linear into that set
  std::string scoresFile;              ///< read if it is there, else written; "": neither
  SensitivityOptions sensitivity;
  bool assumeScores = false; ///< for plans: no measurement, every halving of the error costs alike

  /// Does it change schemes?
  bool mixes() const { return fit.bytes || targetBpw || targetBytes || critical.isSet(); }
  bool enabled() const { return mixes() || alternates.isSet(); }
};

/// A point that another budget would give.
struct ParetoPoint {
  double bitsPerWeight = 0, kl = 0;
  int64_t fileBytes = 0; ///< about
};

struct MixedReport {
  struct Unit {
    std::vector<std::string> weights;
    std::string scheme;
    double bitsPerWeight = 0, kl = 0;
  };
  std::vector<Unit> units;
  double bitsPerWeight = 0; ///< of the calibrated linears
  double kl = 0;            ///< predicted: the sum over units
  double klUniform = 0;     ///< of the schemes as they were
  double lowerBound = 0;    ///< no allocation of this budget has less
  bool probed = false;      ///< KL at the logits, else sums of relative output errors
  std::vector<ParetoPoint> pareto;
  std::vector<std::string> alternates; ///< weights of the second set, if it holds critical ones
};

/// Measures (or reads scores), allocates and sets schemes. TargetUnreachable, with what is
/// possible, where the budget does not hold the smallest candidates; InvalidArgument for scores of
/// another model; errors of measureSensitivity().
qrt::Result<MixedReport> assignMixed(mlir::func::FuncOp function, const TokenTable &tokens,
                                     const MixedOptions &options);

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_MIXEDPRECISION_H
