//===- ScalarConstants.h - Reading small constants while matching -----------------------------===//
#ifndef QOPT_LIB_DIALECT_QIR_TRANSFORMS_SCALARCONSTANTS_H
#define QOPT_LIB_DIALECT_QIR_TRANSFORMS_SCALARCONSTANTS_H

#include "qopt/Dialect/QIR/IR/QIROps.h"

#include <optional>

namespace qopt::qir::raise {

/// The value of a constant of one floating-point or integer element, through casts; else nothing.
std::optional<double> scalarValue(mlir::Value value);
/// True if `value` is a scalar constant within `tolerance` (relative) of `expected`.
bool isScalar(mlir::Value value, double expected, double tolerance = 1e-3);

/// The value behind casts between floats and identities.
mlir::Value skipCasts(mlir::Value value);

/// The operand of a commutative op that is not `known` (casts aside), null if `known` is neither.
mlir::Value otherOperand(mlir::Operation *op, mlir::Value known);

/// The shape of a value, or nothing where it is unranked.
std::optional<llvm::ArrayRef<int64_t>> shapeOf(mlir::Value value);

/// True if the axes name exactly the last axis of x (`rank - 1` needs the rank, -1 does not).
bool isLastAxis(llvm::ArrayRef<int64_t> axes, mlir::Value x);

} // namespace qopt::qir::raise

#endif // QOPT_LIB_DIALECT_QIR_TRANSFORMS_SCALARCONSTANTS_H
