//===- ConvertToTokenMajor.cpp - The pass around TokenMajorBuilder
//-----------------------------===//
#ifdef QOPT_WITH_TENSOR
#include "TokenMajorBuilder.h"
#endif

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

#ifdef QOPT_WITH_TENSOR
using namespace qopt::qir::raise;

struct ConvertToTokenMajorPass : qopt::qir::impl::ConvertToTokenMajorBase<ConvertToTokenMajorPass> {
  using Base::Base;

  void runOnOperation() override {
    auto source = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!source || source->hasAttr("qir.token_major") || source.isExternal())
      return;
    ProbeRuns runs;
    if (failed(runs.evaluate(source)))
      return refuse(source, runs.where, runs.reason);

    OpBuilder builder(source);
    auto rows = RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
    auto target = func::FuncOp::create(builder, source.getLoc(), "main_token_major",
                                       builder.getFunctionType({rows, rows}, {}));
    target.setArgAttr(0, "qir.name", builder.getStringAttr("ids"));
    target.setArgAttr(1, "qir.name", builder.getStringAttr("positions"));
    TokenMajorBuilder converter(source, target, runs);
    if (failed(converter.convert())) {
      target.erase();
      return refuse(source, converter.failedOp, converter.reason);
    }
    for (const std::string &remark : converter.remarks)
      source.emitRemark() << remark;
    source.erase();
    target.setName("main");
    target->setAttr("qir.token_major", builder.getUnitAttr());
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

#else
struct ConvertToTokenMajorPass : qopt::qir::impl::ConvertToTokenMajorBase<ConvertToTokenMajorPass> {
  using Base::Base;
  void runOnOperation() override {
    getOperation().emitError() << "this build has no tensor library to probe graphs with";
    signalPassFailure();
  }
};
#endif

} // namespace
