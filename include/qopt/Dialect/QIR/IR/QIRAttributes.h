//===- QIRAttributes.h - Scheme and critical attributes ---------------------------------------===//
#ifndef QOPT_DIALECT_QIR_IR_QIRATTRIBUTES_H
#define QOPT_DIALECT_QIR_IR_QIRATTRIBUTES_H

#include "qopt/Dialect/QIR/IR/QIRDialect.h"

#include "mlir/IR/BuiltinAttributes.h"

#include <string>

#include "qopt/Dialect/QIR/IR/QIREnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "qopt/Dialect/QIR/IR/QIRAttributes.h.inc"

#endif // QOPT_DIALECT_QIR_IR_QIRATTRIBUTES_H
