//===- QuantizeCalibratedPass.cpp - Quantize linears under moments of their inputs -----------===//
#include "PassSupport.h"

namespace qopt::calibration {
#define GEN_PASS_DEF_QUANTIZECALIBRATED
#include "qopt/Calibration/Passes.h.inc"
} // namespace qopt::calibration

using namespace mlir;

namespace qopt::calibration {

namespace {
struct QuantizeCalibratedPass : impl::QuantizeCalibratedBase<QuantizeCalibratedPass> {
  using Base::Base;
  friend std::shared_ptr<CalibrationStage> stageFromText<>(const QuantizeCalibratedPass &);
  explicit QuantizeCalibratedPass(std::shared_ptr<CalibrationStage> stage)
      : stage(std::move(stage)) {}

  void runOnOperation() override {
    if (!stage)
      stage = fromText();
    auto run = [&](func::FuncOp function, const TokenTable &table) -> qrt::Status {
      QRT_ASSIGN_OR_RETURN(stage->linears, quantizeCalibrated(function, table, stage->quantizer));
      return qrt::Status::ok();
    };
    if (failed(runStage(getOperation(), *stage, /*needsData=*/true, run)))
      signalPassFailure();
  }

  std::shared_ptr<CalibrationStage> fromText() {
    std::shared_ptr<CalibrationStage> made = stageFromText(*this);
    made->quantizer.gptq.damping = damping;
    made->quantizer.gptq.rounds = static_cast<int>(rounds);
    made->quantizer.targetCorrection = targetCorrection;
    std::optional<SweepArithmetic> known = parseSweepArithmetic(arithmetic);
    made->quantizer.arithmetic = known.value_or(SweepArithmetic::F32);
    made->quantizer.workDirectory = workDirectory;
    made->quantizer.resume = resume;
    made->quantizer.algorithm = algorithm == "scale" ? Algorithm::Scale
                                : algorithm == "rtn" ? Algorithm::Rtn
                                                     : Algorithm::Gptq;
    if (algorithm != "gptq" && algorithm != "scale" && algorithm != "rtn")
      made->status =
          qrt::invalidArgument("algo: expects gptq, scale or rtn, got '" + algorithm + "'");
    if (!known)
      made->status =
          qrt::invalidArgument("arithmetic: expects a8, a16 or f32, got '" + arithmetic + "'");
    return made;
  }

  std::shared_ptr<CalibrationStage> stage;
};
} // namespace

std::unique_ptr<Pass> createQuantizeCalibrated(std::shared_ptr<CalibrationStage> stage) {
  return std::make_unique<QuantizeCalibratedPass>(std::move(stage));
}

} // namespace qopt::calibration
