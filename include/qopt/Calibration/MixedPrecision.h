//===- MixedPrecision.h - A precision for every linear under a budget -------------------------===//
// Decides `scheme` (and #qir.critical for what stays f16) of the calibrated linears from
// sensitivity scores: the allocation of least predicted KL divergence. Thread safety: as the IR.
#ifndef QOPT_CALIBRATION_MIXEDPRECISION_H
#define QOPT_CALIBRATION_MIXEDPRECISION_H

#include "qopt/Calibration/Sensitivity.h"

#include <optional>

namespace qopt::calibration {

struct MixedOptions {
  std::optional<double> targetBpw;      ///< bits per weight of the calibrated linears, all included
  std::optional<int64_t> targetBytes;   ///< of the whole file
  int64_t reservedBytes = 0;            ///< of the file, for what is not in the graph
  std::optional<double> criticalPart;   ///< share of the weights that may stay f16
  std::optional<int64_t> criticalCount; ///< how many linears may stay f16
  std::string scoresFile;               ///< read if it is there, else written; "": neither
  SensitivityOptions sensitivity;

  bool enabled() const { return targetBpw || targetBytes || criticalPart || criticalCount; }
};

/// A point that another budget would give.
struct ParetoPoint {
  double bitsPerWeight = 0, kl = 0;
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
};

/// Measures (or reads scores), allocates and sets schemes. TargetUnreachable, with what is
/// possible, where the budget does not hold the smallest candidates; InvalidArgument for scores of
/// another model; errors of measureSensitivity().
qrt::Result<MixedReport> assignMixed(mlir::func::FuncOp function, const TokenTable &tokens,
                                     const MixedOptions &options);

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_MIXEDPRECISION_H
