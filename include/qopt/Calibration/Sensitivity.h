//===- Sensitivity.h - What each precision of each linear costs -------------------------------===//
// A unit is a group of linears that read one value (q/k/v, gate/up): they get one precision. For
// every unit and candidate precision
//
//   loss = sum of tr(E H E^T) of GPTQ without refinement (from 8 bits on: of round to nearest)
//   kl   = loss * kappa        kappa = KL(logits || logits with 3-bit weights in this unit) / its
//   loss
//
// with H from one float sweep over all tokens and the KL measured on the first `probeTokens` of
// them. Close to the float model the KL is quadratic in the error, so one probe per unit serves all
// its candidates. Where the model does not fit into half of the memory in f32, kappa is 1 / tr(W H
// W^T) for all units, which compares relative output errors; `probed` says which. Thread safety:
// one call at a time per function.
#ifndef QOPT_CALIBRATION_SENSITIVITY_H
#define QOPT_CALIBRATION_SENSITIVITY_H

#include "qopt/Calibration/Statistics.h"
#include "qopt/Quantization/GPTQ.h"

#include <functional>
#include <string>
#include <vector>

namespace qopt::calibration {

struct CandidateScore {
  std::string scheme;  ///< the same for all linears of the unit, but for groups that do not divide
  double outliers = 0; ///< share of the weights that is kept in f16 beside the codes
  int64_t bits = 0;    ///< stored, scales, outliers and padding included
  double loss = 0, kl = 0;
};

struct UnitScore {
  std::vector<std::string> weights; ///< names
  int64_t elements = 0;
  double kappa = 0;
  bool probed = false;
  std::vector<CandidateScore> candidates; ///< fewest bits first, each without outliers before those
                                          ///< with; the last is f16
};

struct SensitivityOptions {
  std::vector<unsigned> bits = {2, 3, 4, 8};
  /// Shares of outliers that are tried with less than 8 bits, ascending; with the bits of the
  /// unit's own scheme only, or with all.
  std::vector<double> outlierShares;
  bool outliersOfOwnBits = false;
  quantization::GptqOptions gptq;
  SweepOptions sweep;
  int64_t maxMemory = 0; ///< bytes of the process; 0: what is free
  int64_t probeTokens = 512;
  std::shared_ptr<const Statistics> statistics; ///< instead of a sweep; the probe still runs
  std::function<void(const UnitScore &, int64_t done, int64_t count)> onUnit;
};

/// In the order of the graph. Group size, activation precision and, for the base's own bits,
/// symmetry are those of the schemes that the linears have. Errors: those of runSweep().
qrt::Result<std::vector<UnitScore>> measureSensitivity(mlir::func::FuncOp function,
                                                       const TokenTable &tokens,
                                                       const SensitivityOptions &options);

/// The same units and candidates without a measurement: elements * 4^-bits. Says which budgets can
/// be met, not what is best.
qrt::Result<std::vector<UnitScore>> assumedScores(mlir::func::FuncOp function,
                                                  const SensitivityOptions &options);

/// Scores as JSON, to solve for another target without calibration.
std::string scoresToJson(const std::vector<UnitScore> &units);
/// InvalidArgument, beginning with `what`, for anything that scoresToJson() did not make.
qrt::Result<std::vector<UnitScore>> scoresFromJson(const std::string &text,
                                                   const std::string &what);

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_SENSITIVITY_H
