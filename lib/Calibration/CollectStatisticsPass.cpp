//===- CollectStatisticsPass.cpp - Moments of the float model, before anything is quantized ---===//
#include "PassSupport.h"

namespace qopt::calibration {
#define GEN_PASS_DEF_COLLECTSTATISTICS
#include "qopt/Calibration/Passes.h.inc"
} // namespace qopt::calibration

using namespace mlir;

namespace qopt::calibration {

namespace {
struct CollectStatisticsPass : impl::CollectStatisticsBase<CollectStatisticsPass> {
  using Base::Base;
  friend std::shared_ptr<CalibrationStage> stageFromText<>(const CollectStatisticsPass &);
  explicit CollectStatisticsPass(std::shared_ptr<CalibrationStage> stage)
      : stage(std::move(stage)) {}

  void runOnOperation() override {
    if (!stage) {
      stage = stageFromText(*this);
      if (!stage->floatMoments)
        stage->status = qrt::invalidArgument("qir-collect-statistics needs stats=FILE");
    }
    // What is to be done is done before the body of every calibrated pass.
    auto nothing = [](func::FuncOp, const TokenTable &) { return qrt::Status::ok(); };
    if (failed(runStage(getOperation(), *stage, /*needsData=*/true, nothing)))
      signalPassFailure();
  }

  std::shared_ptr<CalibrationStage> stage;
};
} // namespace

std::unique_ptr<Pass> createCollectStatistics(std::shared_ptr<CalibrationStage> stage) {
  return std::make_unique<CollectStatisticsPass>(std::move(stage));
}

} // namespace qopt::calibration
