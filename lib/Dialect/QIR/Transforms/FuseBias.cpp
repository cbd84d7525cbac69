//===- FuseBias.cpp - Makes the row added to a linear its bias --------------------------------===//
#include "qopt/Dialect/QIR/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt::qir {
#define GEN_PASS_DEF_FUSEBIAS
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt::qir;

namespace {

struct FuseBiasPattern : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AddOp op, PatternRewriter &rewriter) const override {
    for (auto [product, bias] :
         {std::pair{op.getA(), op.getB()}, std::pair{op.getB(), op.getA()}}) {
      Operation *linear = product.getDefiningOp();
      auto row = dyn_cast<RankedTensorType>(bias.getType());
      if (!isa_and_nonnull<LinearOp, QuantizedLinearOp>(linear) || !product.hasOneUse() ||
          product.getType() != op.getType() || !bias.getDefiningOp<ConstantOp>() || !row)
        continue;
      int64_t width = cast<RankedTensorType>(linear->getOperand(1).getType()).getDimSize(0);
      if (row.getRank() != 1 || row.getDimSize(0) != width)
        continue;
      auto setBias = [&](auto typed) {
        if (typed.getBias())
          return false;
        rewriter.modifyOpInPlace(typed, [&] {
          // The bias may be defined after the product.
          typed->moveBefore(op);
          typed.getBiasMutable().assign(bias);
        });
        return true;
      };
      bool done = isa<LinearOp>(linear) ? setBias(cast<LinearOp>(linear))
                                        : setBias(cast<QuantizedLinearOp>(linear));
      if (!done)
        continue;
      rewriter.replaceOp(op, product);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "adds no row to a linear of one use");
  }
};

struct FuseBiasPass : qopt::qir::impl::FuseBiasBase<FuseBiasPass> {
  using Base::Base;
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseBiasPattern>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
