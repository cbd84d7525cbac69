//===- qopt-opt.cpp - Runs passes on .mlir files ---------------------------------------------===//
// mlir-opt with the dialects, passes and pipelines of this project. Weights are elided from dumps
// unless asked for, since a printed model is gigabytes.
#include "qopt/Dialect/QIR/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AsmState.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::func::FuncDialect, qopt::qir::QIRDialect>();
  mlir::registerTransformsPasses();
  qopt::qir::registerQIRPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "qopt pass driver\n", registry));
}
