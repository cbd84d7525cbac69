//===- FloatConstants.h - Constants that a pass changes ---------------------------------------===//
// What passes that fold something into weights and vectors share. Shared constants are left to
// their other users; a changed constant is f32, keeps name, tied names and attributes, and carries
// `qir.rewritten`: its blob belongs to the graph and may be freed when it is changed again. Blobs
// of the importer stay, since the imported graph, kept for comparison, reads them, too. Thread
// safety: as the IR: one thread.
#ifndef QOPT_DIALECT_QIR_TRANSFORMS_FLOATCONSTANTS_H
#define QOPT_DIALECT_QIR_TRANSFORMS_FLOATCONSTANTS_H

#include "qopt/Dialect/QIR/IR/QIROps.h"

#include <optional>
#include <vector>

namespace qopt::qir {

/// Features of a [tokens, features] value, or elements of a vector; -1 if unknown.
int64_t widthOf(mlir::Value value);

/// No value, or a constant of floats that can be read.
bool isFloatConstant(mlir::Value value);

/// All elements; empty if `value` is no readable float constant.
std::vector<float> floatsOf(mlir::Value value);

/// Gives `op` a changed copy of the constant behind operand `index`. `values` has as many elements.
ConstantOp replaceFloats(mlir::Operation *op, unsigned index, llvm::ArrayRef<float> values);

/// A new f32 constant before `op`.
ConstantOp makeFloats(mlir::Operation *op, mlir::Location location, llvm::ArrayRef<int64_t> shape,
                      llvm::ArrayRef<float> values);

/// Rows of a linear that make a value: all of them, or a piece of a split or a slice.
struct LinearRows {
  LinearOp linear;
  int64_t first = 0, count = 0;
};
/// The linear of constant float weights that makes `value`, whoever else reads it.
std::optional<LinearRows> linearRows(mlir::Value value);
/// The same, if nothing else reads these rows.
std::optional<LinearRows> producingRows(mlir::Value value);

} // namespace qopt::qir

#endif // QOPT_DIALECT_QIR_TRANSFORMS_FLOATCONSTANTS_H
