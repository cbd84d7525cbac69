//===- ConvertToTokenMajor.cpp - The pass around TokenMajorBuilder ----------------------------===//
#include "TokenMajorBuilder.h"

#include "qopt/Dialect/QIR/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"
#include "mlir/IR/Verifier.h"

namespace qopt::qir {
#define GEN_PASS_DEF_CONVERTTOTOKENMAJOR
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt::qir;

namespace {

using namespace qopt::qir::raise;

struct ConvertToTokenMajorPass : qopt::qir::impl::ConvertToTokenMajorBase<ConvertToTokenMajorPass> {
  using Base::Base;

  void runOnOperation() override {
    auto source = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!source || source->hasAttr("qir.token_major") || source.isExternal())
      return;
    // Tables that change with the length of the text (longrope, dynamic scaling) fit a rotation
    // only up to some length. Such a model is raised for that length.
    Attempt attempt;
    for (int64_t farthest : {int64_t(40000), int64_t(4092), int64_t(2044), int64_t(1020)}) {
      attempt = convert(source, farthest);
      if (attempt.target || !attempt.rotationFailed)
        break;
    }
    if (!attempt.target)
      return refuse(source, attempt.where, attempt.reason);
    for (const std::string &remark : attempt.remarks)
      source.emitRemark() << remark;
    source.erase();
    attempt.target.setName("main");
    attempt.target->setAttr("qir.token_major", UnitAttr::get(&getContext()));
  }

  struct Attempt {
    func::FuncOp target; // null: not raised
    Operation *where = nullptr;
    std::string reason;
    bool rotationFailed = false;
    SmallVector<std::string> remarks;
  };

  Attempt convert(func::FuncOp source, int64_t farthest) {
    Attempt attempt;
    ProbeRuns runs;
    if (failed(runs.evaluate(source, farthest))) {
      attempt.where = runs.where;
      attempt.reason = runs.reason;
      return attempt;
    }
    OpBuilder builder(source);
    auto rows = RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
    auto target = func::FuncOp::create(builder, source.getLoc(), "main_token_major",
                                       builder.getFunctionType({rows, rows}, {}));
    target.setArgAttr(0, "qir.name", builder.getStringAttr("ids"));
    target.setArgAttr(1, "qir.name", builder.getStringAttr("positions"));
    TokenMajorBuilder converter(source, target, runs);
    if (failed(converter.convert())) {
      target.erase();
      attempt.where = converter.failedOp;
      attempt.reason = converter.reason;
      attempt.rotationFailed = converter.rotationFailed;
      return attempt;
    }
    attempt.target = target;
    attempt.remarks = converter.remarks;
    if (farthest < 40000) {
      target->setAttr("qir.max_context", builder.getI64IntegerAttr(runs.longest()));
      attempt.remarks.push_back("raised for texts of at most " + std::to_string(runs.longest()) +
                                " tokens: its rotation changes with the length");
    }
    return attempt;
  }

  /// Leaves the function as it is and says why, at the op that was not understood.
  void refuse(func::FuncOp source, Operation *where, const std::string &reason) {
    Operation *op = where ? where : source;
    std::string text = (where ? "'" + where->getName().getStringRef().str() + "' " : "") + reason;
    source->setAttr("qir.not_raised", StringAttr::get(&getContext(), text));
    op->emitRemark() << "not raised to token-major: " << text;
    remark::missed(op->getLoc(), remark::RemarkOpts::name("TokenMajor").category("raise")) << text;
  }
};

} // namespace
