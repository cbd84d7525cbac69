//===- Passes.h - Passes that run calibration tokens ------------------------------------------===//
// Each takes its options as text in qopt-opt; a driver makes them from one CalibrationStage, which
// also carries callbacks and takes what the passes have to say.
#ifndef QOPT_CALIBRATION_PASSES_H
#define QOPT_CALIBRATION_PASSES_H

#include "qopt/Calibration/CalibrationData.h"
#include "qopt/Calibration/FoldAwqScales.h"
#include "qopt/Calibration/Gate.h"
#include "qopt/Calibration/MixedPrecision.h"
#include "qopt/Calibration/QuantizeCalibrated.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace qopt::calibration {

#define GEN_PASS_DECL
#include "qopt/Calibration/Passes.h.inc"

struct CalibrationStage {
  CalibrationOptions data; ///< `vocabulary` is set by the pass
  TextEncoder encoder;
  CalibratedOptions quantizer;
  bool foldAwq = false; ///< fold AWQ scales before the quantizer runs
  AwqFoldOptions awq;
  MixedOptions mixed;
  Gate gate; ///< checked by the driver

  // Results.
  qrt::Status status; ///< why the pass failed; its code is an exit code
  std::vector<LinearReport> linears;
  std::vector<AwqReport> awqGroups;
  MixedReport mix;
  std::optional<GateMeasure> gateMeasure;
  int64_t sequences = 0, tokens = 0;

  /// The tokens of `data` for this function.
  qrt::Result<TokenTable> read(mlir::func::FuncOp function);
};

std::unique_ptr<mlir::Pass> createAssignMixed(std::shared_ptr<CalibrationStage> stage);
std::unique_ptr<mlir::Pass> createFoldAwqScales(std::shared_ptr<CalibrationStage> stage);
std::unique_ptr<mlir::Pass> createQuantizeCalibrated(std::shared_ptr<CalibrationStage> stage);

#define GEN_PASS_REGISTRATION
#include "qopt/Calibration/Passes.h.inc"

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_PASSES_H
