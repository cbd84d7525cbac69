//===- Stages.cpp - Registration, and the stages that are lists of passes --------------------===//
#include "qopt/Calibration/Passes.h"
#include "qopt/Conversion/Passes.h"
#include "qopt/Dialect/QExec/Transforms/Passes.h"
#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Pipelines/Pipelines.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace qopt {

void buildTransformPipeline(OpPassManager &pm, const RotationOptions &rotation) {
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(createCSEPass());
  if (rotation.residual) {
    functions.addPass(qir::createFoldNormWeights());
    functions.addPass(qir::createRotateResidual({rotation.seed, /*required=*/true}));
  }
  if (rotation.values)
    functions.addPass(qir::createRotateValues({rotation.seed, /*required=*/true}));
  if (rotation.down)
    functions.addPass(qir::createRotateDownProjection({rotation.seed, /*required=*/true}));
  if (rotation.any()) {
    functions.addPass(qir::createShareWeights()); // a tied head that needed no fold still is
    functions.addPass(createCSEPass());
  }
  functions.addPass(qir::createBalanceKeys());
}

void registerDialects(DialectRegistry &registry) {
  registry.insert<func::FuncDialect, qir::QIRDialect, qexec::QExecDialect>();
}

namespace {
/// The scheme options of the registered pipelines, for qopt-opt.
struct TextOptions : PassPipelineOptions<TextOptions> {
  Option<std::string> scheme{*this, "scheme", llvm::cl::desc("scheme text of all linears")};
  Option<std::string> headScheme{*this, "head-scheme", llvm::cl::desc("scheme text of the head")};
  Option<std::string> embedScheme{*this, "embed-scheme",
                                  llvm::cl::desc("scheme text of the embedding")};
  Option<bool> mse{*this, "mse", llvm::cl::desc("search scales"), llvm::cl::init(false)};

  SchemeOptions schemes() const {
    SchemeOptions options;
    options.scheme = scheme;
    options.headScheme = headScheme;
    options.embedScheme = embedScheme;
    options.mse = mse;
    return options;
  }
};
} // namespace

void registerPassesAndPipelines() {
  registerTransformsPasses();
  qir::registerQIRPasses();
  qexec::registerQExecPasses();
  calibration::registerCalibrationPasses();
  registerConversionPasses();
  PassPipelineRegistration<>("qopt-raise", "Imported tensor ops to named, token-major ops",
                             buildRaisePipeline);
  PassPipelineRegistration<>("qopt-transform", "Simplify the raised graph",
                             [](OpPassManager &pm) { buildTransformPipeline(pm); });
  PassPipelineRegistration<TextOptions>("qopt-assign", "Decide how each weight is stored",
                                        [](OpPassManager &pm, const TextOptions &options) {
                                          buildAssignPipeline(pm, options.schemes());
                                        });
  PassPipelineRegistration<TextOptions>("qopt-quantize", "Replace weights by codes as decided",
                                        [](OpPassManager &pm, const TextOptions &options) {
                                          buildQuantizePipeline(pm, options.schemes());
                                        });
  PassPipelineRegistration<>("qopt-lower", "Graph ops to the instructions of a .qmod program",
                             buildLowerPipeline);
}

} // namespace qopt
