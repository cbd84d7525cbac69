//===- CalibrateActivationsPass.cpp - Static scales of 8-bit activations ----------------------===//
#include "PassSupport.h"

namespace qopt::calibration {
#define GEN_PASS_DEF_CALIBRATEACTIVATIONS
#include "qopt/Calibration/Passes.h.inc"
} // namespace qopt::calibration

using namespace mlir;

namespace qopt::calibration {

namespace {
struct CalibrateActivationsPass : impl::CalibrateActivationsBase<CalibrateActivationsPass> {
  using Base::Base;
  friend std::shared_ptr<CalibrationStage> stageFromText<>(const CalibrateActivationsPass &);
  explicit CalibrateActivationsPass(std::shared_ptr<CalibrationStage> stage)
      : stage(std::move(stage)) {}

  void runOnOperation() override {
    if (!stage)
      stage = fromText();
    auto run = [&](func::FuncOp function, const TokenTable &table) {
      return calibrateActivations(function, table, *stage->activations);
    };
    if (failed(runStage(getOperation(), *stage, /*needsData=*/true, run)))
      signalPassFailure();
  }

  std::shared_ptr<CalibrationStage> fromText() {
    std::shared_ptr<CalibrationStage> made = stageFromText(*this);
    made->activations.emplace();
    made->activations->sweep = made->quantizer.sweep;
    made->activations->maxMemory = made->quantizer.maxMemory;
    if (auto known = activationObserver(observer))
      made->activations->observer = *known;
    else
      made->status = qrt::invalidArgument("observer: expects absmax, percentile or mse, got '" +
                                          observer + "'");
    return made;
  }

  std::shared_ptr<CalibrationStage> stage;
};
} // namespace

std::unique_ptr<Pass> createCalibrateActivations(std::shared_ptr<CalibrationStage> stage) {
  return std::make_unique<CalibrateActivationsPass>(std::move(stage));
}

} // namespace qopt::calibration
