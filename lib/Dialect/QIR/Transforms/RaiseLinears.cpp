//===- RaiseLinears.cpp - Products with constant matrices become linears ----------------------===//
#include "ScalarConstants.h"
#include "WeightMatching.h"

#include "qopt/Dialect/QIR/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt::qir {
#define GEN_PASS_DEF_RAISELINEARS
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt::qir;
using namespace qopt::qir::raise;

namespace {

struct RaiseLinear : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatmulOp op, PatternRewriter &rewriter) const override {
    if (!isa<FloatType>(cast<TensorType>(op.getType()).getElementType()))
      return rewriter.notifyMatchFailure(op, "multiplies integers");
    // A constant times a constant is for folding, a constant on the left is no linear.
    if (skipCasts(op.getA()).getDefiningOp<ConstantOp>())
      return rewriter.notifyMatchFailure(op, "has a constant on the left");
    std::optional<WeightSource> source = matchWeight(op.getB());
    if (!source)
      return rewriter.notifyMatchFailure(op, "has no constant matrix on the right");
    if (source->dequantize) {
      auto weight = quantizedWeight(rewriter, *source, /*rowsAreOutputs=*/false);
      if (!weight)
        return rewriter.notifyMatchFailure(op, "has codes of another form than the file's");
      rewriter.replaceOpWithNewOp<QuantizedLinearOp>(
          op, op.getType(), op.getA(), weight->codes, weight->scales, weight->zeroPoints, Value(),
          Value(), weight->bits, weight->groupSize, "f32");
      return success();
    }
    Value weight = turnedConstant(rewriter, source->constant, /*turn=*/!source->transposed);
    if (!weight)
      return rewriter.notifyMatchFailure(op, "has a weight that cannot be read");
    rewriter.replaceOpWithNewOp<LinearOp>(op, op.getType(), op.getA(), weight, Value(),
                                          SchemeAttr(), StringAttr());
    return success();
  }
};

struct RaiseLinearsPass : qopt::qir::impl::RaiseLinearsBase<RaiseLinearsPass> {
  using Base::Base;
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseLinear>(&getContext());
    GreedyRewriteConfig config;
    config.enableFolding(false); // weights would be hashed as attributes
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace
