//===- Raise.cpp - The qopt-raise pipeline ---------------------------------------------------===//
// Structure first (norms, activations, linears, tables), then the change to token-major, which
// probes what is left. Biases and gates are fused last: by then both operands are plain
// [tokens, features], whatever shapes the exporter gave them. Of a graph that stays batch-major
// they are fused just the same.
#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Pipelines/Pipelines.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

void qopt::buildRaisePipeline(OpPassManager &pm) {
  auto clean = [](OpPassManager &functions) {
    functions.addPass(createCanonicalizerPass());
    functions.addPass(createCSEPass());
  };
  OpPassManager &imported = pm.nest<func::FuncOp>();
  imported.addPass(qir::createFoldConstants());
  clean(imported);
  imported.addPass(qir::createFuseNorms());
  imported.addPass(qir::createFuseActivations());
  imported.addPass(qir::createRaiseLinears());
  imported.addPass(qir::createRaiseEmbeddings());
  clean(imported);
  pm.addPass(qir::createConvertToTokenMajor());
  OpPassManager &raised = pm.nest<func::FuncOp>();
  raised.addPass(qir::createShareWeights());
  raised.addPass(qir::createFuseBias());
  raised.addPass(qir::createFuseGatedActivations());
  clean(raised);
}
