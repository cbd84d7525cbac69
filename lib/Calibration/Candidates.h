//===- Candidates.h - The precisions that a linear may get -----------------------------------===//
#ifndef QOPT_LIB_CALIBRATION_CANDIDATES_H
#define QOPT_LIB_CALIBRATION_CANDIDATES_H

#include "qopt/Calibration/Sensitivity.h"
#include "qopt/Dialect/QIR/IR/QIROps.h"

namespace qopt::calibration {

/// `base` with other bits: its group and activation, symmetric as a scheme of these bits is unless
/// the bits are its own. 8 bits: per channel.
qir::SchemeAttr candidateScheme(qir::SchemeAttr base, unsigned bits);

/// Bits that the weight of `linear` takes in the file under `scheme`, with a share of outliers.
int64_t storedBits(qir::LinearOp linear, qir::SchemeAttr scheme, double outliers = 0);

struct CandidateKind {
  unsigned bits; ///< 16: f16
  double outliers;
};
/// What is scored for a unit whose scheme is `base`, in the order of UnitScore::candidates.
std::vector<CandidateKind> candidateKinds(qir::SchemeAttr base, const SensitivityOptions &options);

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_CANDIDATES_H
