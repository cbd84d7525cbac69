//===- QIROps.td - All ops of the qir dialect --------------------------------------------------===//
// Families live in files of their own; this one only collects them.
#ifndef QOPT_DIALECT_QIR_IR_QIROPS_TD
#define QOPT_DIALECT_QIR_IR_QIROPS_TD

include "qopt/Dialect/QIR/IR/QIRAttributes.td"
include "qopt/Dialect/QIR/IR/QIRStructureOps.td"
include "qopt/Dialect/QIR/IR/QIRElementwiseOps.td"
include "qopt/Dialect/QIR/IR/QIRReductionOps.td"
include "qopt/Dialect/QIR/IR/QIRShapeOps.td"
include "qopt/Dialect/QIR/IR/QIRIndexingOps.td"
include "qopt/Dialect/QIR/IR/QIRQuantOps.td"
include "qopt/Dialect/QIR/IR/QIRModelOps.td"

#endif // QOPT_DIALECT_QIR_IR_QIROPS_TD
