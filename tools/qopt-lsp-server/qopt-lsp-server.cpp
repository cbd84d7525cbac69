//===- qopt-lsp-server.cpp - Language server for .mlir files ---------------------------------===//
// Completion, hover and errors for qir and qexec in any editor that speaks LSP.
#include "qopt/Pipelines/Pipelines.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  qopt::registerDialects(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
