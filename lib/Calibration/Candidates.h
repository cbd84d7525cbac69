//===- Candidates.h - The precisions that a linear may get -----------------------------------===//
#ifndef QOPT_LIB_CALIBRATION_CANDIDATES_H
#define QOPT_LIB_CALIBRATION_CANDIDATES_H

#include "qopt/Dialect/QIR/IR/QIROps.h"

namespace qopt::calibration {

/// `base` with other bits: its group and activation, symmetric as a scheme of these bits is unless
/// the bits are its own. 8 bits: per channel.
qir::SchemeAttr candidateScheme(qir::SchemeAttr base, unsigned bits);

/// Bits that the weight of `linear` takes in the file under `scheme`.
int64_t storedBits(qir::LinearOp linear, qir::SchemeAttr scheme);

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_CANDIDATES_H
