//===- FoldSmoothScalesPass.cpp - Move activation outliers into weights ---------------------===//
#include "PassSupport.h"

namespace qopt::calibration {
#define GEN_PASS_DEF_FOLDSMOOTHSCALES
#include "qopt/Calibration/Passes.h.inc"
} // namespace qopt::calibration

using namespace mlir;

namespace qopt::calibration {

namespace {
struct FoldSmoothScalesPass : impl::FoldSmoothScalesBase<FoldSmoothScalesPass> {
  using Base::Base;
  friend std::shared_ptr<CalibrationStage> stageFromText<>(const FoldSmoothScalesPass &);
  explicit FoldSmoothScalesPass(std::shared_ptr<CalibrationStage> stage)
      : stage(std::move(stage)) {}

  void runOnOperation() override {
    if (!stage) {
      stage = stageFromText(*this);
      stage->foldSmooth = true;
      stage->smooth.alpha = alpha;
      if (!(alpha >= 0) || alpha > 1)
        stage->status = qrt::invalidArgument("alpha: expects 0 to 1");
    }
    auto run = [&](func::FuncOp function, const TokenTable &table) -> qrt::Status {
      QRT_ASSIGN_OR_RETURN(stage->smoothGroups, foldSmoothScales(function, table, stage->smooth));
      return qrt::Status::ok();
    };
    if (failed(runStage(getOperation(), *stage, /*needsData=*/true, run)))
      signalPassFailure();
  }

  std::shared_ptr<CalibrationStage> stage;
};
} // namespace

std::unique_ptr<Pass> createFoldSmoothScales(std::shared_ptr<CalibrationStage> stage) {
  return std::make_unique<FoldSmoothScalesPass>(std::move(stage));
}

} // namespace qopt::calibration
