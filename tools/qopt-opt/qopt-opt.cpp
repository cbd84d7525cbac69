//===- qopt-opt.cpp - Runs passes on .mlir files ---------------------------------------------===//
// mlir-opt with the dialects, passes and pipelines of this project. Weights are elided from dumps
// unless --mlir-elide-resource-strings-if-larger says otherwise: a printed model is gigabytes.
#include "qopt/Conversion/Passes.h"
#include "qopt/Dialect/QExec/Transforms/Passes.h"
#include "qopt/Dialect/QIR/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::func::FuncDialect, qopt::qir::QIRDialect, qopt::qexec::QExecDialect>();
  mlir::registerTransformsPasses();
  qopt::qir::registerQIRPasses();
  qopt::qexec::registerQExecPasses();
  qopt::registerConversionPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "qopt pass driver\n", registry));
}
