//===- BalanceKeys.cpp - Factors for keys with outlier features -------------------------------===//
// Looks from each attention back to what makes its keys: an optional rotation, an optional norm per
// head, an optional split, a linear. Numerics: qopt/Quantization/KeyBalance.h.
#include "qopt/Dialect/QIR/Transforms/FloatConstants.h"
#include "qopt/Dialect/QIR/Transforms/Passes.h"

#include "qopt/Dialect/QIR/IR/QIRDialect.h"
#include "qopt/Quantization/KeyBalance.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"

namespace qopt::qir {
#define GEN_PASS_DEF_BALANCEKEYS
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt::qir;
using namespace qopt::quantization;

namespace {

/// Sizes of the features of `keys`; empty and a reason if they cannot be told from weights.
std::vector<float> sizesOf(Value keys, const char *&why) {
  const int64_t width = widthOf(keys);
  if (auto norm = keys.getDefiningOp<RmsNormOp>()) { // of unit variance, times its weights
    std::vector<float> weights = floatsOf(norm.getW()), sizes(width);
    if (weights.empty())
      return why = "the norm of the keys has no constant weights", std::vector<float>();
    for (int64_t i = 0; i < width; ++i)
      sizes[i] = 3 * std::abs(weights[i % weights.size()]);
    return sizes;
  }
  std::optional<LinearRows> made = linearRows(keys);
  const std::vector<float> weights = made ? floatsOf(made->linear.getW()) : std::vector<float>();
  if (weights.empty())
    return why = "no linear with constant weights makes the keys", std::vector<float>();
  LinearOp linear = made->linear;
  std::vector<float> gain, bias = floatsOf(linear.getBias());
  if (auto norm = linear.getX().getDefiningOp<RmsNormOp>())
    gain = floatsOf(norm.getW());
  const int64_t columns = widthOf(linear.getW());
  if (int64_t(gain.size()) != columns)
    gain.clear();
  std::span<const float> rows = std::span(weights).subspan(made->first * columns, width * columns);
  return keySizes(rows, columns, gain,
                  bias.empty() ? std::span<const float>()
                               : std::span(bias).subspan(made->first, width));
}

struct BalanceKeysPass : qopt::qir::impl::BalanceKeysBase<BalanceKeysPass> {
  using Base::Base;

  void balance(AttentionOp op) {
    RotaryPairs pairs;
    Value keys = op.getK();
    if (auto rope = keys.getDefiningOp<RopeOp>()) {
      pairs = {2 * cast<RankedTensorType>(rope.getInvFreq().getType()).getNumElements(),
               rope.getInterleaved() != 0};
      keys = rope.getX();
    }
    const char *why = "";
    const std::vector<float> sizes = sizesOf(keys, why);
    auto options = remark::RemarkOpts::name("balance").category("kv");
    if (sizes.empty()) {
      remark::missed(op.getLoc(), options) << remark::reason(why);
      return;
    }
    const int64_t headDim = op.getHeadDim();
    const std::vector<float> factors = keyBalance(sizes, headDim, pairs);
    const float spread = keySpread(factors, headDim);
    if (spread < minSpread) {
      remark::missed(op.getLoc(), options)
          << remark::reason("the keys are even") << remark::metric("spread", spread);
      return;
    }
    op->setDiscardableAttr(keyBalanceAttr, DenseF32ArrayAttr::get(&getContext(), factors));
    remark::passed(op.getLoc(), options) << remark::metric("spread", spread);
  }

  void runOnOperation() override {
    getOperation().walk([&](AttentionOp op) { balance(op); });
  }
};

} // namespace
