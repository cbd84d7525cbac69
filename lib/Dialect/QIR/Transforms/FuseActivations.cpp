//===- FuseActivations.cpp - Recognises silu, gelu and softcap --------------------------------===//
// Exporters multiply the factors of a gelu in every order and place the constants anywhere, so a
// product is first flattened to its factors and one constant; the activation is then a question
// about the factors: x and 1 + erf(x / sqrt 2) with constant 1/2, and so on.
#include "ScalarConstants.h"

#include "qopt/Dialect/QIR/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>

namespace qopt::qir {
#define GEN_PASS_DEF_FUSEACTIVATIONS
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt::qir;
using namespace qopt::qir::raise;

namespace {

/// factor * product of values.
struct Product {
  double factor = 1;
  SmallVector<Value, 4> values;
};

void flatten(Value value, Product &product, int depth) {
  Value source = skipCasts(value);
  Operation *op = source.getDefiningOp();
  if (std::optional<double> scalar = scalarValue(source)) {
    product.factor *= *scalar;
    return;
  }
  if (isa_and_nonnull<MulOp>(op) && depth > 0) {
    flatten(op->getOperand(0), product, depth - 1);
    flatten(op->getOperand(1), product, depth - 1);
    return;
  }
  if (isa_and_nonnull<DivOp>(op) && depth > 0)
    if (std::optional<double> divisor = scalarValue(op->getOperand(1))) {
      product.factor /= *divisor;
      flatten(op->getOperand(0), product, depth - 1);
      return;
    }
  product.values.push_back(source);
}

Product flattened(Value value) {
  Product product;
  flatten(value, product, /*depth=*/5);
  return product;
}

bool near(double value, double expected) {
  return std::abs(value - expected) <= 2e-3 * std::abs(expected); // f16 constants
}

/// The value that is left of a list when `value` is taken out once.
bool takeOut(SmallVectorImpl<Value> &values, Value value) {
  auto it = llvm::find(values, value);
  if (it == values.end())
    return false;
  values.erase(it);
  return true;
}

/// u for 1 + f(u) where f is Op.
template <typename Op>
Value matchOnePlus(Value value) {
  auto add = value.getDefiningOp<AddOp>();
  if (!add)
    return {};
  for (auto [one, other] : {std::pair{add.getA(), add.getB()}, {add.getB(), add.getA()}})
    if (isScalar(one, 1.0, 1e-6))
      if (auto op = skipCasts(other).template getDefiningOp<Op>())
        return op->getOperand(0);
  return {};
}

/// True if `value` is factor * x^power as a product or a pow.
bool isMonomial(Value value, Value x, int power, double factor) {
  Product product = flattened(value);
  int found = 0;
  for (Value v : product.values) {
    auto pow = v.getDefiningOp<PowOp>();
    if (v == x)
      ++found;
    else if (pow && skipCasts(pow.getA()) == x && isScalar(pow.getB(), 3.0, 0))
      found += 3;
    else if (pow && skipCasts(pow.getA()) == x && isScalar(pow.getB(), 2.0, 0))
      found += 2;
    else
      return false;
  }
  return found == power && near(product.factor, factor);
}

/// sqrt(2 / pi) * (x + 0.044715 x^3), also as sqrt(2/pi) x (1 + 0.044715 x^2).
bool isTanhArgument(Value value, Value x) {
  const double root = std::sqrt(2 / M_PI);
  Product outer = flattened(value);
  if (!near(outer.factor, root))
    return false;
  if (outer.values.size() == 2 && takeOut(outer.values, x)) {
    auto add = outer.values[0].getDefiningOp<AddOp>();
    if (!add)
      return false;
    return (isScalar(add.getA(), 1.0) && isMonomial(add.getB(), x, 2, 0.044715)) ||
           (isScalar(add.getB(), 1.0) && isMonomial(add.getA(), x, 2, 0.044715));
  }
  if (outer.values.size() != 1)
    return false;
  auto add = outer.values[0].getDefiningOp<AddOp>();
  if (!add)
    return false;
  return (skipCasts(add.getA()) == x && isMonomial(add.getB(), x, 3, 0.044715)) ||
         (skipCasts(add.getB()) == x && isMonomial(add.getA(), x, 3, 0.044715));
}

/// `op` computes `activation` of x: replace it.
template <typename Activation, typename... Args>
void replaceBy(PatternRewriter &rewriter, Operation *op, Value x, Args &&...args) {
  Type type = op->getResult(0).getType();
  Value input = x;
  auto element = cast<TensorType>(type).getElementType();
  if (cast<TensorType>(x.getType()).getElementType() != element)
    input = CastOp::create(rewriter, op->getLoc(), cast<TensorType>(x.getType()).clone(element), x);
  rewriter.replaceOpWithNewOp<Activation>(op, type, input, std::forward<Args>(args)...);
}

template <typename ProductOp>
struct FuseProduct : OpRewritePattern<ProductOp> {
  using OpRewritePattern<ProductOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(ProductOp op, PatternRewriter &rewriter) const override {
    Product product = flattened(op.getResult());
    for (Value value : product.values) {
      SmallVector<Value, 4> rest = product.values;
      takeOut(rest, value);
      if (auto sigmoid = value.getDefiningOp<SigmoidOp>()) {
        Product inner = flattened(sigmoid.getX());
        if (rest.size() != 1 || inner.values.size() != 1 || inner.values[0] != rest[0] ||
            !near(product.factor, 1))
          continue;
        if (near(inner.factor, 1))
          replaceBy<SiluOp>(rewriter, op, rest[0]);
        else
          replaceBy<QuickGeluOp>(rewriter, op, rest[0], llvm::APFloat(inner.factor));
        return success();
      }
      if (Value u = matchOnePlus<ErfOp>(value)) {
        Product inner = flattened(u);
        if (rest.size() == 1 && inner.values.size() == 1 && inner.values[0] == rest[0] &&
            near(inner.factor, M_SQRT1_2) && near(product.factor, 0.5)) {
          replaceBy<GeluOp>(rewriter, op, rest[0], "none");
          return success();
        }
      }
      if (Value u = matchOnePlus<TanhOp>(value)) {
        if (rest.size() == 1 && near(product.factor, 0.5) && isTanhArgument(u, rest[0])) {
          replaceBy<GeluOp>(rewriter, op, rest[0], "tanh");
          return success();
        }
      }
      if (auto tanh = value.getDefiningOp<TanhOp>()) {
        Product inner = flattened(tanh.getX());
        double cap = product.factor;
        if (rest.empty() && inner.values.size() == 1 && cap != 1 && near(inner.factor * cap, 1)) {
          replaceBy<SoftcapOp>(rewriter, op, inner.values[0], llvm::APFloat(cap));
          return success();
        }
      }
    }
    return rewriter.notifyMatchFailure(op, "is no product of an activation");
  }
};

/// quick_gelu with alpha 1 is silu: what ONNX Runtime's optimiser writes.
struct QuickGeluToSilu : OpRewritePattern<QuickGeluOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(QuickGeluOp op, PatternRewriter &rewriter) const override {
    if (op.getAlpha().convertToDouble() != 1.0)
      return rewriter.notifyMatchFailure(op, "has another alpha");
    rewriter.replaceOpWithNewOp<SiluOp>(op, op.getType(), op.getX());
    return success();
  }
};

struct FuseActivationsPass : qopt::qir::impl::FuseActivationsBase<FuseActivationsPass> {
  using Base::Base;
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseProduct<MulOp>, FuseProduct<DivOp>, QuickGeluToSilu>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
