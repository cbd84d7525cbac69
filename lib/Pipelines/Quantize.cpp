//===- Quantize.cpp - The qopt-assign and qopt-quantize pipelines ----------------------------===//
#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Pipelines/Pipelines.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace qopt {

void buildAssignPipeline(OpPassManager &pm, const SchemeOptions &options,
                         std::shared_ptr<calibration::CalibrationStage> stage) {
  qir::AssignSchemeOptions assign;
  assign.scheme = options.scheme;
  assign.headScheme = options.headScheme;
  assign.embedScheme = options.embedScheme;
  llvm::append_range(assign.tensorType, options.tensorType);
  llvm::append_range(assign.keepFp16, options.keepFp16);
  llvm::append_range(assign.ignore, options.ignore);
  assign.fallbackGroup = options.fallbackGroup;
  pm.addNestedPass<func::FuncOp>(qir::createAssignScheme(std::move(assign)));
  if (stage && stage->floatMoments)
    pm.addPass(calibration::createCollectStatistics(stage)); // before anything is quantized
  if (stage && stage->mixed.enabled())
    pm.addPass(calibration::createAssignMixed(std::move(stage)));
  if (options.outliers > 0) {
    calibration::AssignOutliersOptions outliers;
    outliers.share = options.outliers;
    pm.addNestedPass<func::FuncOp>(calibration::createAssignOutliers(outliers));
  }
  if (options.alternates)
    pm.addNestedPass<func::FuncOp>(qir::createAssignAlternates());
}

void buildQuantizePipeline(OpPassManager &pm, const SchemeOptions &options,
                           std::shared_ptr<calibration::CalibrationStage> stage) {
  qir::QuantizeWeightsOptions quantize;
  quantize.searchScale = options.mse;
  quantize.halfQuadratic = options.algorithm == "hqq";
  if (stage && options.calibrates() && stage->foldAwq)
    pm.addPass(calibration::createFoldAwqScales(stage));
  if (stage && options.calibrates() && stage->foldSmooth)
    pm.addPass(calibration::createFoldSmoothScales(stage));
  if (stage && stage->activations)
    pm.addPass(calibration::createCalibrateActivations(stage));
  if (stage && stage->runsQuantizer(options.calibrates())) {
    qir::QuantizeWeightsOptions rest = quantize;
    rest.exceptCalibrated = true;
    pm.addNestedPass<func::FuncOp>(qir::createQuantizeWeights(rest));
    pm.addPass(calibration::createQuantizeCalibrated(std::move(stage)));
    return;
  }
  if (!options.quantizePasses.empty())
    (void)parsePassPipeline(options.quantizePasses, pm.nest<func::FuncOp>());
  pm.addNestedPass<func::FuncOp>(qir::createQuantizeWeights(quantize));
}

} // namespace qopt
