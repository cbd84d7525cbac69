//===- qopt-reduce.cpp - Makes a failing .mlir file small ------------------------------------===//
// mlir-reduce with the dialects and passes of this project:
//   qopt-reduce x.mlir -reduction-tree='traversal-mode=0 test=./still-fails.sh'
#include "qopt/Pipelines/Pipelines.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  qopt::registerDialects(registry);
  qopt::registerPassesAndPipelines();
  mlir::MLIRContext context(registry);
  return mlir::failed(mlir::mlirReduceMain(argc, argv, context));
}
