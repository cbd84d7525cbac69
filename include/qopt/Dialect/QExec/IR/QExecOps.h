//===- QExecOps.h - Types and ops of the qexec dialect ----------------------------------------===//
// Generated classes: qexec.rms_norm is qopt::qexec::RmsNormOp; qexec.tensor is TensorOp (a stored
// tensor), qexec.tensor_op is TensorInstructionOp.
#ifndef QOPT_DIALECT_QEXEC_IR_QEXECOPS_H
#define QOPT_DIALECT_QEXEC_IR_QEXECOPS_H

#include "qopt/Dialect/QExec/IR/QExecDialect.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_TYPEDEF_CLASSES
#include "qopt/Dialect/QExec/IR/QExecTypes.h.inc"

namespace qopt::qexec {
/// The kernel may write its result over an operand that has the same width and dies in the op.
template <typename ConcreteType>
class WorksInPlace : public mlir::OpTrait::TraitBase<ConcreteType, WorksInPlace> {};
} // namespace qopt::qexec

#define GET_OP_CLASSES
#include "qopt/Dialect/QExec/IR/QExecOps.h.inc"

#endif // QOPT_DIALECT_QEXEC_IR_QEXECOPS_H
