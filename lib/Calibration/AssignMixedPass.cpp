//===- AssignMixedPass.cpp - Decide the bits of each linear under a budget -------------------===//
#include "PassSupport.h"

#include "llvm/Support/FileSystem.h"

namespace qopt::calibration {
#define GEN_PASS_DEF_ASSIGNMIXED
#include "qopt/Calibration/Passes.h.inc"
} // namespace qopt::calibration

using namespace mlir;

namespace qopt::calibration {

namespace {
struct AssignMixedPass : impl::AssignMixedBase<AssignMixedPass> {
  using Base::Base;
  friend std::shared_ptr<CalibrationStage> stageFromText<>(const AssignMixedPass &);
  explicit AssignMixedPass(std::shared_ptr<CalibrationStage> stage) : stage(std::move(stage)) {}

  void runOnOperation() override {
    if (!stage)
      stage = fromText();
    auto run = [&](func::FuncOp function, const TokenTable &table) -> qrt::Status {
      QRT_ASSIGN_OR_RETURN(stage->mix, assignMixed(function, table, stage->mixed));
      return qrt::Status::ok();
    };
    const std::string &scoresFile = stage->mixed.scoresFile;
    const bool known = !scoresFile.empty() && llvm::sys::fs::exists(scoresFile);
    if (failed(runStage(getOperation(), *stage, /*needsData=*/!known, run)))
      signalPassFailure();
  }

  std::shared_ptr<CalibrationStage> fromText() {
    std::shared_ptr<CalibrationStage> made = stageFromText(*this);
    made->mixed.scoresFile = scores;
    SensitivityOptions &scored = made->mixed.sensitivity;
    llvm::append_range(scored.outlierShares, outlierShares);
    scored.outliersOfOwnBits = keepCritical > 0;
    for (double share : scored.outlierShares)
      if (!(share > 0 && share <= 0.5))
        made->status = qrt::invalidArgument("outliers: expects shares in (0, 0.5]");
    if (targetBpw > 0)
      made->mixed.targetBpw = targetBpw;
    if (keepCritical > 0)
      made->mixed.critical.part = keepCritical;
    if (alternates > 0)
      made->mixed.alternates.part = alternates;
    if (made->mixed.targetBpw && made->mixed.critical.isSet())
      made->status = qrt::invalidArgument("qir-assign-mixed takes target-bpw or keep-critical");
    if (!made->mixed.enabled())
      made->status =
          qrt::invalidArgument("qir-assign-mixed needs target-bpw, keep-critical or alternates");
    return made;
  }

  std::shared_ptr<CalibrationStage> stage;
};
} // namespace

std::unique_ptr<Pass> createAssignMixed(std::shared_ptr<CalibrationStage> stage) {
  return std::make_unique<AssignMixedPass>(std::move(stage));
}

} // namespace qopt::calibration
