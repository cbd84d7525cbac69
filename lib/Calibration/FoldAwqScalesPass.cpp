//===- FoldAwqScalesPass.cpp - Scale input channels by their activations ---------------------===//
#include "PassSupport.h"

namespace qopt::calibration {
#define GEN_PASS_DEF_FOLDAWQSCALES
#include "qopt/Calibration/Passes.h.inc"
} // namespace qopt::calibration

using namespace mlir;

namespace qopt::calibration {

namespace {
struct FoldAwqScalesPass : impl::FoldAwqScalesBase<FoldAwqScalesPass> {
  using Base::Base;
  friend std::shared_ptr<CalibrationStage> stageFromText<>(const FoldAwqScalesPass &);
  explicit FoldAwqScalesPass(std::shared_ptr<CalibrationStage> stage) : stage(std::move(stage)) {}

  void runOnOperation() override {
    if (!stage) {
      stage = stageFromText(*this);
      stage->awq.search.gridPoints = static_cast<int>(gridPoints);
    }
    auto run = [&](func::FuncOp function, const TokenTable &table) -> qrt::Status {
      QRT_ASSIGN_OR_RETURN(stage->awqGroups, foldAwqScales(function, table, stage->awq));
      return qrt::Status::ok();
    };
    if (failed(runStage(getOperation(), *stage, /*needsData=*/true, run)))
      signalPassFailure();
  }

  std::shared_ptr<CalibrationStage> stage;
};
} // namespace

std::unique_ptr<Pass> createFoldAwqScales(std::shared_ptr<CalibrationStage> stage) {
  return std::make_unique<FoldAwqScalesPass>(std::move(stage));
}

} // namespace qopt::calibration
