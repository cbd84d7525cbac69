//===- Fingerprint.h - Is this still the same model, are these the same tokens? ---------------===//
#ifndef QOPT_LIB_CALIBRATION_FINGERPRINT_H
#define QOPT_LIB_CALIBRATION_FINGERPRINT_H

#include "qopt/Calibration/TokenTable.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <string>

namespace qopt::calibration {

/// XXH64 as 16 hex digits: of the bytes of all constants, of the names of ops and weights (with
/// the schemes of linears if `schemes`), of ids, weights and lengths.
std::string fingerprintWeights(mlir::func::FuncOp function);
std::string fingerprintGraph(mlir::func::FuncOp function, bool schemes);
std::string fingerprintTokens(const TokenTable &tokens);

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_FINGERPRINT_H
