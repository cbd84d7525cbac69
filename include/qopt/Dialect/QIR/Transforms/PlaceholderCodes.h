//===- PlaceholderCodes.h - Quantized ops without their codes ---------------------------------===//
// For questions that only shapes and schemes answer: how large is the file, what does the program
// need? Thread safety: as the IR: one thread.
#ifndef QOPT_DIALECT_QIR_TRANSFORMS_PLACEHOLDERCODES_H
#define QOPT_DIALECT_QIR_TRANSFORMS_PLACEHOLDERCODES_H

#include "qrt/Status.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qopt::qir {

/// Replaces every linear and embedding with an integer scheme as quantizing would, weights shared
/// where it would share them. Codes are zeros that take address space, not memory. InvalidArgument
/// for weights that are not constant; ResourceExhausted without address space.
qrt::Status putPlaceholderCodes(mlir::func::FuncOp function);

} // namespace qopt::qir

#endif // QOPT_DIALECT_QIR_TRANSFORMS_PLACEHOLDERCODES_H
