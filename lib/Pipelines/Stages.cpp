//===- Stages.cpp - Registration, and the stages that are lists of passes --------------------===//
#include "qopt/Conversion/Passes.h"
#include "qopt/Dialect/QExec/Transforms/Passes.h"
#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Pipelines/Pipelines.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace qopt {

void buildTransformPipeline(OpPassManager &pm) { pm.addPass(createCSEPass()); }

void buildAssignPipeline(OpPassManager &, const SchemeOptions &) {}

void buildQuantizePipeline(OpPassManager &, const SchemeOptions &) {}

void registerDialects(DialectRegistry &registry) {
  registry.insert<func::FuncDialect, qir::QIRDialect, qexec::QExecDialect>();
}

void registerPassesAndPipelines() {
  registerTransformsPasses();
  qir::registerQIRPasses();
  qexec::registerQExecPasses();
  registerConversionPasses();
  PassPipelineRegistration<>("qopt-raise", "Imported tensor ops to named, token-major ops",
                             buildRaisePipeline);
  PassPipelineRegistration<>("qopt-transform", "Simplify the raised graph", buildTransformPipeline);
  PassPipelineRegistration<>("qopt-lower", "Graph ops to the instructions of a .qmod program",
                             buildLowerPipeline);
}

} // namespace qopt
