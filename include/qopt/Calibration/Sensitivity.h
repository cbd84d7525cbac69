//===- Sensitivity.h - What each precision of each linear costs -------------------------------===//
// A unit is a group of linears that read one value (q/k/v, gate/up): they get one precision. Every
// unit and candidate precision has a
//
//   loss = sum of tr(E H E^T) of GPTQ with one round of refinement (from 8 bits on, or where the
//          model will be rounded to nearest: of that), H from one float sweep over all tokens
//   kl   = loss * kappa, kappa = KL(logits || logits with this unit quantized) / its loss, the
//          geometric mean over the candidates below 8 bits
//
// The KL is measured on a sample of the tokens (ForwardProbe.h says how positions count). Close to
// the float model it is quadratic in the error, so kappa serves all candidates; that of one set of
// errors alone is off by chance. Errors of different units add up or make up for each other by
// chance, too, so that units count as if they were alone. Where the model, its values and the
// candidates' codes do not fit into half of the memory, kappa is 1 / tr(W H W^T), which compares
// relative output errors; `probed` says which. Thread safety: one call at a time per function.
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
  int64_t maxMemory = 0;        ///< bytes of the process; 0: what is free
  int64_t probeTokens = 0;      ///< 0: as many as minutes and memory allow, 256 to 4096
  bool roundsToNearest = false; ///< what will quantize the weights: not GPTQ
  std::shared_ptr<const Statistics> statistics; ///< instead of a sweep; the probe still runs
  std::function<void(const UnitScore &, int64_t done, int64_t count)> onUnit;
};

/// Shares of outliers that are tried where a part of the weights may stay in f16: about that part,
/// for units that gain as much as others, and several times it for those that gain more.
std::vector<double> criticalOutlierShares(double part);

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
