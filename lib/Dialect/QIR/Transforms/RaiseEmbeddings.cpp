//===- RaiseEmbeddings.cpp - Lookups by token id become embeddings ----------------------------===//
#include "ArgumentRoles.h"
#include "WeightMatching.h"

#include "qopt/Dialect/QIR/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt::qir {
#define GEN_PASS_DEF_RAISEEMBEDDINGS
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt::qir;
using namespace qopt::qir::raise;

namespace {

/// True if the index is the ids argument, reshaped or cast at most.
bool isTokenIds(Value index) {
  while (Operation *op = index.getDefiningOp()) {
    if (!isa<CastOp, IdentityOp, ReshapeOp, UnsqueezeOp, SqueezeOp>(op))
      return false;
    index = op->getOperand(0);
  }
  auto argument = dyn_cast<BlockArgument>(index);
  auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
  return function && roleOf(function, argument.getArgNumber()) == ArgumentRole::Ids;
}

struct RaiseEmbedding : OpRewritePattern<GatherOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GatherOp op, PatternRewriter &rewriter) const override {
    if (op.getAxis() != 0 || !isTokenIds(op.getIndices()))
      return rewriter.notifyMatchFailure(op, "is no lookup by token id");
    std::optional<WeightSource> source = matchWeight(op.getX());
    if (!source)
      return rewriter.notifyMatchFailure(op, "looks up something other than a constant matrix");
    if (source->dequantize) {
      auto table = quantizedWeight(rewriter, *source, /*rowsAreOutputs=*/true);
      if (!table)
        return rewriter.notifyMatchFailure(op, "has codes of another form than the file's");
      rewriter.replaceOpWithNewOp<QuantizedEmbeddingOp>(
          op, op.getType(), table->codes, table->scales, table->zeroPoints, op.getIndices(),
          table->bits, table->groupSize, 0);
      return success();
    }
    Value table = turnedConstant(rewriter, source->constant, /*turn=*/source->transposed);
    if (!table)
      return rewriter.notifyMatchFailure(op, "has a table that cannot be read");
    rewriter.replaceOpWithNewOp<EmbeddingOp>(op, op.getType(), table, op.getIndices(),
                                             rewriter.getI64IntegerAttr(0), SchemeAttr());
    return success();
  }
};

struct RaiseEmbeddingsPass : qopt::qir::impl::RaiseEmbeddingsBase<RaiseEmbeddingsPass> {
  using Base::Base;
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseEmbedding>(&getContext());
    GreedyRewriteConfig config;
    config.enableFolding(false); // weights would be hashed as attributes
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace
