//===- QIROps.h - The ops of the qir dialect --------------------------------------------------===//
// Generated classes: qir.rms_norm is qopt::qir::RmsNormOp, and so on. Build them with
// Op::create(builder, loc, resultType, operands..., attributes...); absent optional operands are
// null Values. Shape tables, formulas and constraints: the .td files, or QIR.md in the build's
// docs.
#ifndef QOPT_DIALECT_QIR_IR_QIROPS_H
#define QOPT_DIALECT_QIR_IR_QIROPS_H

#include "qopt/Dialect/QIR/IR/QIRAttributes.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "qopt/Dialect/QIR/IR/QIROps.h.inc"

#endif // QOPT_DIALECT_QIR_IR_QIROPS_H
