//===- QExecDialect.cpp - Registration of the qexec dialect ----------------------------------===//
#include "qopt/Dialect/QExec/IR/QExecDialect.h"
#include "qopt/Dialect/QExec/IR/QExecOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt::qexec;

#include "qopt/Dialect/QExec/IR/QExecDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "qopt/Dialect/QExec/IR/QExecTypes.cpp.inc"

#define GET_OP_CLASSES
#include "qopt/Dialect/QExec/IR/QExecOps.cpp.inc"

void QExecDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "qopt/Dialect/QExec/IR/QExecTypes.cpp.inc"
      >();
}

void QExecDialect::initialize() {
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "qopt/Dialect/QExec/IR/QExecOps.cpp.inc"
      >();
}

LogicalResult BufferType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t width,
                                 bool selected) {
  if (width < 1)
    return emitError() << "expects a buffer of at least one feature, got " << width;
  return success();
}

Type BufferType::parse(AsmParser &parser) {
  int64_t width = 0;
  bool selected = false;
  if (parser.parseLess() || parser.parseInteger(width))
    return {};
  if (succeeded(parser.parseOptionalComma())) {
    if (parser.parseKeyword("selected"))
      return {};
    selected = true;
  }
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(), width, selected);
}

void BufferType::print(AsmPrinter &printer) const {
  printer << "<" << getWidth() << (getSelected() ? ", selected>" : ">");
}
