//===- PassSupport.cpp - What the calibrated passes share ------------------------------------===//
#include "PassSupport.h"

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
  data.vocabulary = vocabularyOf(function);
  QRT_ASSIGN_OR_RETURN(TokenTable table, readCalibration(data, encoder));
  sequences = static_cast<int64_t>(table.sequences.size());
  tokens = table.tokens();
  return table;
}

static Status runAll(ModuleOp module, CalibrationStage &stage, bool needsData,
                     llvm::function_ref<Status(func::FuncOp, const TokenTable &)> body) {
  if (needsData && stage.data.file.empty())
    return qrt::invalidArgument("calibration needs calib=FILE; data is never made up");
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isDeclaration())
      continue;
    TokenTable table;
    if (!stage.data.file.empty()) {
      QRT_ASSIGN_OR_RETURN(table, stage.read(function));
    }
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
