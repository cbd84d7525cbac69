//===- FuseNorms.cpp - Recognises RMS norm and layer norm -------------------------------------===//
// Two patterns, both anchored at the product of x with the reciprocal root of its mean square:
// x * rsqrt(mean(x^2) + eps) [* w] and (x - mean x) * rsqrt(mean((x - mean x)^2) + eps) [* w] [+
// b], with or without eps. Casts anywhere between are precision annotations: the fused op reads the
// widest x and computes in the element type of the anchor, and a cast restores the type behind it.
#include "ScalarConstants.h"

#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Support/WeightStore.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>

namespace qopt::qir {
#define GEN_PASS_DEF_FUSENORMS
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt;
using namespace qopt::qir;
using namespace qopt::qir::raise;

namespace {

/// What x^2's mean, plus epsilon, was made of.
struct MeanSquare {
  Value x;
  double epsilon = 0;
};

/// x for x^2 written as pow(x, 2) or mul(x, x).
Value matchSquare(Value value) {
  Operation *op = skipCasts(value).getDefiningOp();
  if (auto pow = dyn_cast_or_null<PowOp>(op))
    return isScalar(pow.getB(), 2.0, 0) ? pow.getA() : Value();
  if (auto mul = dyn_cast_or_null<MulOp>(op))
    return skipCasts(mul.getA()) == skipCasts(mul.getB()) ? mul.getA() : Value();
  return {};
}

/// x for mean(x^2) over the last axis.
Value matchMean(Value value) {
  auto reduce = skipCasts(value).getDefiningOp<ReduceMeanOp>();
  if (!reduce || !reduce.getKeepdims() || !isLastAxis(reduce.getAxes(), reduce.getX()))
    return {};
  return matchSquare(reduce.getX());
}

/// mean(x^2) + eps; or the mean alone, since exporters fold an epsilon of 1e-8 as if it were 0.
std::optional<MeanSquare> matchMeanSquare(Value value) {
  if (Value x = matchMean(value))
    return MeanSquare{x, 0};
  auto add = skipCasts(value).getDefiningOp<AddOp>();
  if (!add)
    return std::nullopt;
  for (auto [mean, epsilon] : {std::pair{add.getA(), add.getB()}, {add.getB(), add.getA()}}) {
    std::optional<double> eps = scalarValue(epsilon);
    Value x = matchMean(mean);
    if (eps && x)
      return MeanSquare{x, *eps};
  }
  return std::nullopt;
}

/// mean(x^2) + eps behind a square root, possibly inverted: pow(0.5), pow(-0.5), 1 / sqrt.
std::optional<MeanSquare> matchRoot(Value value, bool inverted) {
  Operation *op = skipCasts(value).getDefiningOp();
  if (!op)
    return std::nullopt;
  if (auto pow = dyn_cast<PowOp>(op))
    if (isScalar(pow.getB(), inverted ? -0.5 : 0.5, 0))
      return matchMeanSquare(pow.getA());
  if (!inverted) {
    auto root = dyn_cast<SqrtOp>(op);
    return root ? matchMeanSquare(root.getX()) : std::nullopt;
  }
  if (auto reciprocal = dyn_cast<ReciprocalOp>(op))
    return matchRoot(reciprocal.getX(), false);
  if (auto div = dyn_cast<DivOp>(op))
    if (isScalar(div.getA(), 1.0, 0))
      return matchRoot(div.getB(), false);
  return std::nullopt;
}

/// x * rsqrt(mean(x^2) + eps) or x / sqrt(mean(x^2) + eps).
std::optional<MeanSquare> matchNormalised(Operation *op) {
  if (auto div = dyn_cast<DivOp>(op)) {
    auto found = matchRoot(div.getB(), false);
    if (found && skipCasts(found->x) == skipCasts(div.getA()))
      return found;
  }
  if (auto mul = dyn_cast<MulOp>(op))
    for (auto [x, inverse] : {std::pair{mul.getA(), mul.getB()}, {mul.getB(), mul.getA()}}) {
      auto found = matchRoot(inverse, true);
      if (found && skipCasts(found->x) == skipCasts(x))
        return found;
    }
  return std::nullopt;
}

/// x for x - mean(x) over the last axis.
Value matchCentred(Value value) {
  auto sub = skipCasts(value).getDefiningOp<SubOp>();
  if (!sub)
    return {};
  auto mean = skipCasts(sub.getB()).getDefiningOp<ReduceMeanOp>();
  if (!mean || !mean.getKeepdims() || !isLastAxis(mean.getAxes(), mean.getX()) ||
      skipCasts(mean.getX()) != skipCasts(sub.getA()))
    return {};
  return sub.getA();
}

/// A row of constants of `width` elements, or an invalid value.
Value matchRow(Value value, int64_t width) {
  Value row = skipCasts(value);
  auto constant = row.getDefiningOp<ConstantOp>();
  if (!constant)
    return {};
  auto shape = cast<RankedTensorType>(constant.getType()).getShape();
  if (shape.empty() || shape.back() != width ||
      cast<RankedTensorType>(constant.getType()).getNumElements() != width)
    return {};
  return row;
}

/// The one op that uses `value`, past casts; `value` becomes the last cast's result.
Operation *onlyUser(Value &value) {
  while (value.hasOneUse()) {
    Operation *user = *value.getUsers().begin();
    if (!isa<CastOp>(user) ||
        !isa<FloatType>(cast<TensorType>(user->getResult(0).getType()).getElementType()))
      return user;
    value = user->getResult(0);
  }
  return nullptr;
}

class NormRewriter {
public:
  NormRewriter(PatternRewriter &rewriter, Operation *anchor)
      : rewriter(rewriter), anchor(anchor),
        element(cast<TensorType>(anchor->getResult(0).getType()).getElementType()) {}

  /// The row in the anchor's element type, as a tensor of rank 1.
  Value row(Value value, int64_t width) {
    auto type = RankedTensorType::get({width}, element);
    if (value.getType() == type)
      return value;
    auto constant = value.getDefiningOp<ConstantOp>();
    auto flat =
        RankedTensorType::get({width}, cast<RankedTensorType>(value.getType()).getElementType());
    SmallVector<char> scratch;
    FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(constant, scratch);
    if (failed(bytes))
      return {};
    Value reshaped = ConstantOp::create(rewriter, constant.getLoc(), flat,
                                        WeightStore::insertCopy(flat, "norm", *bytes));
    if (flat == type)
      return reshaped;
    return CastOp::create(rewriter, constant.getLoc(), type, reshaped);
  }

  Value ones(int64_t width) {
    auto type = RankedTensorType::get({width}, element);
    return ConstantOp::create(rewriter, anchor->getLoc(), type,
                              DenseElementsAttr::get(type, rewriter.getFloatAttr(element, 1.0)));
  }

  /// x in the anchor's element type.
  Value input(Value x) {
    auto type = cast<TensorType>(x.getType());
    if (type.getElementType() == element)
      return x;
    return CastOp::create(rewriter, anchor->getLoc(), type.clone(element), x);
  }

  void replace(Value old, Value y) {
    rewriter.setInsertionPointAfterValue(y);
    if (y.getType() != old.getType())
      y = CastOp::create(rewriter, old.getLoc(), old.getType(), y);
    rewriter.replaceAllUsesWith(old, y);
  }

  PatternRewriter &rewriter;
  Operation *anchor;
  Type element;
};

template <typename AnchorOp>
struct FuseNorm : OpRewritePattern<AnchorOp> {
  using OpRewritePattern<AnchorOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(AnchorOp op, PatternRewriter &rewriter) const override {
    std::optional<MeanSquare> norm = matchNormalised(op);
    if (!norm)
      return rewriter.notifyMatchFailure(op, "is no x / sqrt(mean(x^2) + epsilon)");
    auto shape = shapeOf(op.getResult());
    if (!shape || shape->empty())
      return rewriter.notifyMatchFailure(op, "has an unknown rank");
    Value centred = matchCentred(norm->x);
    Value x = centred ? centred : norm->x;

    // The weight and, for layer norm, the bias behind.
    Value result = op.getResult(), end = result, weight, bias;
    Operation *user = onlyUser(result);
    if (isa_and_nonnull<MulOp>(user)) {
      Value other = user->getOperand(user->getOperand(0) == result ? 1 : 0);
      int64_t width = rowWidth(other, shape->back());
      weight = width > 0 ? matchRow(other, width) : Value();
      if (weight)
        end = user->getResult(0);
    }
    if (centred && weight) {
      Value scaled = end;
      Operation *add = onlyUser(scaled);
      if (isa_and_nonnull<AddOp>(add)) {
        Value other = add->getOperand(add->getOperand(0) == scaled ? 1 : 0);
        bias = matchRow(other, cast<RankedTensorType>(weight.getType()).getNumElements());
        if (bias)
          end = add->getResult(0);
      }
    }
    int64_t width =
        weight ? cast<RankedTensorType>(weight.getType()).getNumElements() : shape->back();
    if (ShapedType::isDynamic(width))
      return rewriter.notifyMatchFailure(op, "has no weight and an unknown width");

    NormRewriter norms(rewriter, op);
    rewriter.setInsertionPointAfterValue(end);
    Value w = weight ? norms.row(weight, width) : norms.ones(width);
    Value b = bias ? norms.row(bias, width) : Value();
    if (!w || (bias && !b))
      return rewriter.notifyMatchFailure(op, "has a weight that was released");
    Value input = norms.input(skipWidening(x, norms.element));
    Type type = op.getResult().getType();
    APFloat epsilon(norm->epsilon);
    Value y = centred
                  ? LayerNormOp::create(rewriter, end.getLoc(), type, input, w, b, epsilon).getY()
                  : RmsNormOp::create(rewriter, end.getLoc(), type, input, w, epsilon).getY();
    norms.replace(end, y);
    return success();
  }

private:
  /// Elements of a row that can scale the last axis: its own size where the axis is dynamic.
  static int64_t rowWidth(Value row, int64_t last) {
    auto type = dyn_cast<RankedTensorType>(skipCasts(row).getType());
    if (!type || !type.hasStaticShape() || type.getRank() == 0)
      return 0;
    return ShapedType::isDynamic(last) || type.getShape().back() == last ? type.getShape().back()
                                                                         : 0;
  }

  /// x before a cast to `element`: the same numbers, and one op less.
  static Value skipWidening(Value x, Type element) {
    Value source = skipCasts(x);
    auto from = cast<TensorType>(source.getType()).getElementType();
    return from == element ? source : x;
  }
};

struct FuseNormsPass : qopt::qir::impl::FuseNormsBase<FuseNormsPass> {
  using Base::Base;
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseNorm<MulOp>, FuseNorm<DivOp>>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
