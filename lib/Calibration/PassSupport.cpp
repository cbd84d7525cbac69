//===- PassSupport.cpp - What the calibrated passes share ------------------------------------===//
#include "PassSupport.h"

#include "llvm/Support/FileSystem.h"

using namespace mlir;
using qrt::Status;

namespace qopt::calibration {

/// Rows of the table that ids are looked up in; 0 if there is none.
static int64_t vocabularyOf(func::FuncOp function) {
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

qrt::Result<TokenTable> CalibrationStage::read(func::FuncOp function) {
  if (table)
    return *table;
  data.vocabulary = vocabularyOf(function);
  CalibrationOptions from = data;
  if (!self.prompts.empty())
    from.file = self.prompts;
  QRT_ASSIGN_OR_RETURN(TokenTable made, readCalibration(from, encoder));
  if (!self.prompts.empty()) {
    if (!writeTraces)
      return qrt::unsupported("this driver cannot run the model for traces of its own");
    QRT_ASSIGN_OR_RETURN(made, writeTraces(made));
  }
  if (tokenWeights.isSet()) {
    TokenClasses classes;
    if (encoder.tokenClasses) {
      QRT_ASSIGN_OR_RETURN(classes, encoder.tokenClasses());
    }
    SweepOptions sweep = quantizer.sweep;
    QRT_ASSIGN_OR_RETURN(weightCounts, weighTokens(made, tokenWeights, classes, function, sweep));
  }
  sequences = static_cast<int64_t>(made.sequences.size());
  tokens = made.tokens();
  table = std::move(made);
  return *table;
}

bool CalibrationStage::statisticsKnown() const {
  return statistics || (!statisticsFile.empty() && llvm::sys::fs::exists(statisticsFile));
}

static Status haveStatistics(CalibrationStage &stage, func::FuncOp function,
                             const TokenTable &tokens) {
  if (!stage.floatMoments || stage.statistics)
    return Status::ok();
  const bool hessians = stage.foldAwq || stage.mixed.enabled() || stage.quantizesLinears;
  std::string file = stage.statisticsFile;
  llvm::SmallString<128> temporary;
  if (file.empty()) {
    if (std::error_code error =
            llvm::sys::fs::createTemporaryFile("qopt-statistics", "bin", temporary))
      return qrt::cannotWrite("a temporary file for statistics: " + error.message());
    file = temporary.str();
  }
  Status measured = stage.statisticsKnown()
                        ? Status::ok()
                        : Statistics::measure(file, function, tokens, stage.quantizer.sweep,
                                              stage.quantizer.maxMemory, hessians);
  if (measured) {
    auto opened = Statistics::open(file, function, tokens, hessians);
    measured = opened.status();
    if (opened)
      stage.statistics = *opened;
  }
  if (!temporary.empty())
    llvm::sys::fs::remove(temporary); // stays mapped
  stage.quantizer.statistics = stage.awq.statistics = stage.smooth.statistics = stage.statistics;
  stage.mixed.sensitivity.statistics = stage.statistics;
  return measured;
}

static Status runAll(ModuleOp module, CalibrationStage &stage, bool needsData,
                     llvm::function_ref<Status(func::FuncOp, const TokenTable &)> body) {
  if (needsData && !stage.hasData() && !stage.statisticsKnown())
    return qrt::invalidArgument("calibration needs calib=FILE; data is never made up");
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isDeclaration())
      continue;
    TokenTable table;
    if (stage.hasData()) {
      QRT_ASSIGN_OR_RETURN(table, stage.read(function));
    }
    QRT_RETURN_IF_ERROR(haveStatistics(stage, function, table));
    QRT_RETURN_IF_ERROR(body(function, table));
  }
  return Status::ok();
}

LogicalResult runStage(ModuleOp module, CalibrationStage &stage, bool needsData,
                       llvm::function_ref<Status(func::FuncOp, const TokenTable &)> body) {
  if (stage.status.isOk())
    stage.status = runAll(module, stage, needsData, body);
  if (stage.status.isOk())
    return success();
  return module.emitError() << stage.status.message();
}

} // namespace qopt::calibration
