//===- QIRDialect.cpp - Registration of the qir dialect --------------------------------------===//
#include "qopt/Dialect/QIR/IR/QIRDialect.h"
#include "qopt/Dialect/QIR/IR/QIROps.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt::qir;

#include "qopt/Dialect/QIR/IR/QIRDialect.cpp.inc"

#define GET_OP_CLASSES
#include "qopt/Dialect/QIR/IR/QIROps.cpp.inc"

void QIRDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "qopt/Dialect/QIR/IR/QIROps.cpp.inc"
      >();
}

Operation *QIRDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                           Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, type, elements);
}
