//===- FuseGatedActivations.cpp - Recognises swiglu and geglu ---------------------------------===//
#include "qopt/Dialect/QIR/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt::qir {
#define GEN_PASS_DEF_FUSEGATEDACTIVATIONS
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt::qir;

namespace {

struct FuseGate : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp op, PatternRewriter &rewriter) const override {
    for (auto [activation, up] :
         {std::pair{op.getA(), op.getB()}, std::pair{op.getB(), op.getA()}}) {
      // A gate that broadcasts is no gated activation of one shape.
      if (activation.getType() != up.getType() || activation.getType() != op.getType())
        continue;
      if (auto silu = activation.getDefiningOp<SiluOp>()) {
        rewriter.replaceOpWithNewOp<SwigluOp>(op, op.getType(), silu.getX(), up);
        return success();
      }
      if (auto gelu = activation.getDefiningOp<GeluOp>()) {
        rewriter.replaceOpWithNewOp<GegluOp>(op, op.getType(), gelu.getX(), up,
                                             gelu.getApproximate());
        return success();
      }
    }
    return rewriter.notifyMatchFailure(op, "is no product with an activation of its shape");
  }
};

struct FuseGatedActivationsPass
    : qopt::qir::impl::FuseGatedActivationsBase<FuseGatedActivationsPass> {
  using Base::Base;
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseGate>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
