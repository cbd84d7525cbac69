//===- PassSupport.h - What the calibrated passes share --------------------------------------===//
#ifndef QOPT_LIB_CALIBRATION_PASSSUPPORT_H
#define QOPT_LIB_CALIBRATION_PASSSUPPORT_H

#include "qopt/Calibration/Passes.h"

namespace qopt::calibration {

/// Runs `body` on every function with the stage's tokens (none where `needsData` is false, or
/// statistics are known, and there is no file), with statistics at hand if the stage wants them.
/// The status goes into the stage; an error is also emitted at the module.
mlir::LogicalResult
runStage(mlir::ModuleOp module, CalibrationStage &stage, bool needsData,
         llvm::function_ref<qrt::Status(mlir::func::FuncOp, const TokenTable &)> body);

/// The stage of a pass whose options came as text. All calibrated passes have these options.
template <typename PassType>
std::shared_ptr<CalibrationStage> stageFromText(const PassType &pass) {
  auto made = std::make_shared<CalibrationStage>();
  made->data.file = pass.calib;
  made->data.maskFile = pass.calibMask;
  made->statisticsFile = pass.stats;
  made->floatMoments = !made->statisticsFile.empty();
  made->data.samples = pass.samples;
  made->data.length = pass.length;
  made->data.seed = pass.seed;
  const auto threads = static_cast<int>(pass.threads);
  made->quantizer.maxMemory = made->awq.maxMemory = made->smooth.maxMemory =
      made->mixed.sensitivity.maxMemory = pass.maxMemory;
  made->quantizer.sweep.threads = made->awq.sweep.threads = made->smooth.sweep.threads =
      made->mixed.sensitivity.sweep.threads = threads;
  return made;
}

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_PASSSUPPORT_H
