//===- OperandSlots.h - Operands by position, absent ones included ----------------------------===//
// An op's operand list leaves absent optional operands out; lib/Tensor and the .qmod file count
// positions. This is the one place that knows both.
#ifndef QOPT_DIALECT_QIR_IR_OPERANDSLOTS_H
#define QOPT_DIALECT_QIR_IR_OPERANDSLOTS_H

#include "qopt/Dialect/QIR/IR/QIROps.h"

namespace qopt::qir {

/// The operands of a qir op in the order of its definition, a null Value for each absent one.
llvm::SmallVector<mlir::Value> operandSlots(mlir::Operation *op);

/// The attributes by which lib/Tensor evaluates the op: those of its definition, defaults included,
/// without operand segments, schemes and discardable attributes; and `to`, the name of the result's
/// element type ("f32", "i64" ...), where elementToName() says so.
llvm::SmallVector<mlir::NamedAttribute> evaluationAttributes(mlir::Operation *op);

/// The element type of the result, if lib/Tensor must be told it: of qir.cast, and of model and
/// quantization ops whose result is of another type than the operand decides. Null otherwise.
mlir::Type elementToName(mlir::Operation *op);

/// "f32", "bf16", "i64", "u8", "bool" ...: the name that qrt::DType uses. Empty for other types.
llvm::StringRef elementTypeName(mlir::Type element);

} // namespace qopt::qir

#endif // QOPT_DIALECT_QIR_IR_OPERANDSLOTS_H
