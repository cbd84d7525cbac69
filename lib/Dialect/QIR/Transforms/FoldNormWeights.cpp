//===- FoldNormWeights.cpp - Gains and biases of norms into linears --------------------------===//
// A norm's gain does not commute with a rotation of its input; in the linears behind it, it does
// not have to. The weight of a head that shares it with the embedding becomes one of its own.
#include "ContextThreads.h"
#include "ScalarConstants.h"

#include "qopt/Dialect/QIR/Transforms/FloatConstants.h"
#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Quantization/Hadamard.h"

#include "mlir/IR/Remarks.h"

namespace qopt::qir {
#define GEN_PASS_DEF_FOLDNORMWEIGHTS
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt;
using namespace qopt::qir;

namespace {

remark::RemarkOpts remarkOptions() { return remark::RemarkOpts::name("norm").category("rotate"); }

/// The linears that read `value`, through casts. False if anything else does, which is then
/// `other`.
bool readersOf(Value value, SmallVectorImpl<LinearOp> &linears, Operation *&other) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (isa<CastOp, IdentityOp>(user) &&
        raise::skipCasts(user->getResult(0)) != user->getResult(0)) {
      if (!readersOf(user->getResult(0), linears, other))
        return false;
      continue;
    }
    auto linear = dyn_cast<LinearOp>(user);
    if (!linear || use.getOperandNumber() != 0 || !isFloatConstant(linear.getW()) ||
        !isFloatConstant(linear.getBias())) {
      other = user;
      return false;
    }
    linears.push_back(linear);
  }
  return !linears.empty();
}

struct FoldNormWeightsPass : qopt::qir::impl::FoldNormWeightsBase<FoldNormWeightsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> norms; // folding erases constants, so not while walking
    getOperation()->walk([&](Operation *op) {
      if (isa<RmsNormOp, LayerNormOp>(op))
        norms.push_back(op);
    });
    for (Operation *norm : norms)
      foldNorm(norm);
  }

  void foldNorm(Operation *norm) {
    std::vector<float> gain = floatsOf(norm->getOperand(1)), shift;
    const bool shifted = norm->getNumOperands() == 3;
    if (shifted)
      shift = floatsOf(norm->getOperand(2));
    if (gain.empty() || (shifted && shift.empty())) {
      remark::missed(norm->getLoc(), remarkOptions()) << "the norm's weights are no constants";
      return;
    }
    if (!shifted && llvm::all_of(gain, [](float g) { return g == 1.0f; }))
      return;
    SmallVector<LinearOp> linears;
    Operation *other = nullptr;
    if (!readersOf(norm->getResult(0), linears, other)) {
      if (other)
        remark::missed(norm->getLoc(), remarkOptions())
            << "keeps its gain: '" + other->getName().getStringRef().str() + "' reads it, too";
      return;
    }
    for (LinearOp linear : linears)
      foldInto(linear, gain, shift);
    OpBuilder builder(norm);
    auto type = RankedTensorType::get({static_cast<int64_t>(gain.size())}, builder.getF32Type());
    norm->setOperand(1, ConstantOp::create(builder, builder.getUnknownLoc(), type,
                                           DenseElementsAttr::get(type, 1.0f)));
    if (shifted)
      norm->eraseOperand(2);
    remark::passed(norm->getLoc(), remarkOptions())
        << remark::metric("linears", static_cast<int>(linears.size()));
  }

  void foldInto(LinearOp linear, const std::vector<float> &gain, const std::vector<float> &shift) {
    quantization::ParallelFor parallel = contextThreads(&getContext());
    std::vector<float> w = floatsOf(linear.getW());
    const auto k = widthOf(linear.getX()), n = static_cast<int64_t>(w.size()) / k;
    // A norm over chunks of the features has one gain for all of them.
    std::vector<float> columns(k), shifts(shift.empty() ? 0 : k);
    for (int64_t j = 0; j < k; ++j) {
      columns[j] = gain[j % gain.size()];
      if (!shift.empty())
        shifts[j] = shift[j % shift.size()];
    }
    if (!shift.empty()) {
      std::vector<float> bias =
          linear.getBias() ? floatsOf(linear.getBias()) : std::vector<float>(n);
      quantization::foldNormBias(w, n, k, shifts, bias, parallel);
      if (linear.getBias())
        replaceFloats(linear, 2, bias);
      else
        linear.getBiasMutable().assign(makeFloats(linear, linear.getLoc(), {n}, bias));
    }
    quantization::foldNormWeight(w, n, k, columns, parallel);
    untie(linear);
    replaceFloats(linear, 1, w);
  }

  /// Says so where the linear gives up a weight that it shares with an embedding, and takes one of
  /// the tied names along.
  void untie(LinearOp linear) {
    auto constant = linear.getW().getDefiningOp<ConstantOp>();
    if (llvm::none_of(constant->getUsers(), [](Operation *user) { return isa<EmbeddingOp>(user); }))
      return;
    remark::passed(linear.getLoc(), remark::RemarkOpts::name("untied").category("rotate"))
        << "no longer shares its weight with the embedding: the file holds both"
        << remark::metric("elements", cast<RankedTensorType>(constant.getType()).getNumElements());
    auto own = cast<ConstantOp>(OpBuilder(linear).clone(*constant));
    own->removeAttr(aliasesAttr);
    auto aliases = constant->getAttrOfType<ArrayAttr>(aliasesAttr);
    Builder builder(&getContext());
    if (!aliases) {
      auto name = constant->getLoc()->findInstanceOf<NameLoc>();
      own->setLoc(NameLoc::get(builder.getStringAttr(
          (name ? name.getName().getValue() : StringRef("embedding")) + ".head")));
    } else {
      auto alias = cast<DictionaryAttr>(aliases[0]);
      own->setLoc(NameLoc::get(alias.getAs<StringAttr>("name")));
      own->removeAttr(transposedAttr);
      if (alias.getAs<BoolAttr>("transposed").getValue())
        own->setAttr(transposedAttr, builder.getUnitAttr());
      constant->removeAttr(aliasesAttr);
      if (aliases.size() > 1)
        constant->setAttr(aliasesAttr, builder.getArrayAttr(aliases.getValue().drop_front()));
    }
    linear->setOperand(1, own);
  }
};

} // namespace
