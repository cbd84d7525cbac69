//===- ProbeCandidates.h - What candidates do to the logits -----------------------------------===//
#ifndef QOPT_LIB_CALIBRATION_PROBECANDIDATES_H
#define QOPT_LIB_CALIBRATION_PROBECANDIDATES_H

#include "qopt/Calibration/Sensitivity.h"
#include "qopt/Quantization/SparseOutliers.h"

namespace qopt::calibration {

/// The weights of a candidate.
struct ProbedWeight {
  quantization::QuantizedMatrix matrix;
  quantization::SparseWeights outliers;
};
/// Of a unit: by linear, by candidate of UnitScore (empty: not probed).
using ProbedUnit = std::vector<std::vector<ProbedWeight>>;

/// Tokens that a probe of all candidates takes, so many that the work stays within minutes and the
/// model, its values and `kept` bytes of weights within half of the memory; 0: they do not fit.
qrt::Result<int64_t> probeTokens(mlir::func::FuncOp function, const TokenTable &tokens,
                                 const SensitivityOptions &options, int64_t probes, int64_t kept);

/// Sets `kappa` of all units: the geometric mean over the probed candidates of KL / loss, each with
/// the unit alone quantized so. One set of errors may happen to hurt or not; several tell how much
/// errors in this place hurt.
qrt::Status probeCandidates(mlir::func::FuncOp function, TokenTable sample,
                            const SensitivityOptions &options,
                            const std::vector<LinearGroup> &groups,
                            const std::vector<ProbedUnit> &weights, std::vector<UnitScore> &units);

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_PROBECANDIDATES_H
