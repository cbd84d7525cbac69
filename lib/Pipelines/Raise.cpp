//===- Raise.cpp - The qopt-raise pipeline ---------------------------------------------------===//
// Structure first (norms, activations, linears, tables), then the change to token-major, which
// probes what is left. Constants are folded before each step that looks for them.
#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Pipelines/Pipelines.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

void qopt::buildRaisePipeline(OpPassManager &pm) {
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(qir::createFoldConstants());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(qir::createFuseNorms());
  functions.addPass(qir::createRaiseLinears());
  functions.addPass(qir::createFuseBias());
  functions.addPass(qir::createFuseActivations());
  functions.addPass(qir::createFuseGatedActivations());
  functions.addPass(qir::createRaiseEmbeddings());
  functions.addPass(qir::createShareWeights());
  functions.addPass(createCanonicalizerPass());
  pm.addPass(qir::createConvertToTokenMajor());
  OpPassManager &raised = pm.nest<func::FuncOp>();
  raised.addPass(createCanonicalizerPass());
  raised.addPass(createCSEPass());
}
