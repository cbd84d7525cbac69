//===- QuantizeCalibratedPass.cpp - Quantize linears under moments of their inputs -----------===//
// Reads the tokens and leaves everything else to quantizeCalibrated().
#include "qopt/Calibration/Passes.h"

namespace qopt::calibration {
#define GEN_PASS_DEF_QUANTIZECALIBRATED
#include "qopt/Calibration/Passes.h.inc"
} // namespace qopt::calibration

using namespace mlir;
using qrt::Status;

namespace qopt::calibration {

namespace {

/// Rows of the table that ids are looked up in; 0 if there is none.
int64_t vocabularyOf(func::FuncOp function) {
  int64_t rows = 0;
  function.walk([&](Operation *op) {
    Value ids = isa<qir::EmbeddingOp>(op)            ? cast<qir::EmbeddingOp>(op).getIds()
                : isa<qir::QuantizedEmbeddingOp>(op) ? cast<qir::QuantizedEmbeddingOp>(op).getIds()
                                                     : Value();
    auto argument = ids ? dyn_cast<BlockArgument>(ids) : BlockArgument();
    if (!argument)
      return;
    auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), qir::nameAttr);
    if (name && name.getValue() == "ids")
      rows = cast<RankedTensorType>(op->getOperand(0).getType()).getDimSize(0);
  });
  return rows;
}

struct QuantizeCalibratedPass : impl::QuantizeCalibratedBase<QuantizeCalibratedPass> {
  using Base::Base;
  explicit QuantizeCalibratedPass(std::shared_ptr<CalibrationStage> stage)
      : stage(std::move(stage)) {}

  void runOnOperation() override {
    if (!stage)
      stage = fromText();
    stage->status = stage->status.isOk() ? run() : stage->status;
    if (stage->status.isOk())
      return;
    getOperation().emitError() << stage->status.message();
    signalPassFailure();
  }

  std::shared_ptr<CalibrationStage> fromText() {
    auto made = std::make_shared<CalibrationStage>();
    made->data.file = calib;
    made->data.maskFile = calibMask;
    made->data.samples = samples;
    made->data.length = length;
    made->data.seed = seed;
    made->quantizer.gptq.damping = damping;
    made->quantizer.gptq.rounds = static_cast<int>(rounds);
    made->quantizer.workDirectory = workDirectory;
    made->quantizer.resume = resume;
    made->quantizer.maxMemory = maxMemory;
    made->quantizer.sweep.threads = static_cast<int>(threads);
    if (algorithm != "gptq")
      made->status = qrt::invalidArgument("algo: expects gptq, got '" + algorithm + "'");
    else if (calib.empty())
      made->status = qrt::invalidArgument("qir-quantize-calibrated needs calib=FILE");
    return made;
  }

  Status run() {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isDeclaration())
        continue;
      stage->data.vocabulary = vocabularyOf(function);
      QRT_ASSIGN_OR_RETURN(TokenTable table, readCalibration(stage->data, stage->encoder));
      stage->sequences = static_cast<int64_t>(table.sequences.size());
      stage->tokens = table.tokens();
      QRT_ASSIGN_OR_RETURN(stage->linears, quantizeCalibrated(function, table, stage->quantizer));
    }
    return Status::ok();
  }

  std::shared_ptr<CalibrationStage> stage;
};

} // namespace

std::unique_ptr<Pass> createQuantizeCalibrated(std::shared_ptr<CalibrationStage> stage) {
  return std::make_unique<QuantizeCalibratedPass>(std::move(stage));
}

} // namespace qopt::calibration
