//===- RotateDownProjection.cpp - A Hadamard transform before each down-projection -----------===//
// An activation function does not commute with a rotation: x R has to be computed from its result.
#include "ContextThreads.h"
#include "ScalarConstants.h"

#include "qopt/Dialect/QIR/Transforms/FloatConstants.h"
#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Quantization/Hadamard.h"

#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"

namespace qopt::qir {
#define GEN_PASS_DEF_ROTATEDOWNPROJECTION
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt;
using namespace qopt::qir;
using quantization::Rotation;

namespace {

bool isActivation(Operation *op) {
  return isa_and_nonnull<GeluOp, QuickGeluOp, SiluOp, ReluOp>(op);
}

/// The (gated) activation that makes `value`, through casts; null if something else does.
Operation *activationOf(Value value) {
  Operation *op = raise::skipCasts(value).getDefiningOp();
  if (isActivation(op) || isa_and_nonnull<SwigluOp, GegluOp>(op))
    return op;
  // relu(gate) * up and the like are not fused.
  auto product = dyn_cast_or_null<MulOp>(op);
  auto isGate = [](Value factor) { return isActivation(raise::skipCasts(factor).getDefiningOp()); };
  return product && (isGate(product.getA()) || isGate(product.getB())) ? op : nullptr;
}

/// The part of a gated activation that is only multiplied; null if there is none.
Value linearPart(Operation *activation) {
  if (isa<SwigluOp, GegluOp>(activation))
    return activation->getOperand(1);
  auto product = dyn_cast<MulOp>(activation);
  if (!product)
    return {};
  const bool first = isActivation(raise::skipCasts(product.getA()).getDefiningOp());
  return first ? product.getB() : product.getA();
}

/// Does nothing read what is between the activation and `x` but the way to `x`?
bool isReadAlone(Operation *activation, Value x) {
  for (Value value = x; value.getDefiningOp() != activation;
       value = value.getDefiningOp()->getOperand(0))
    if (!value.getDefiningOp()->getOperand(0).hasOneUse())
      return false;
  return true;
}

struct RotateDownProjectionPass
    : qopt::qir::impl::RotateDownProjectionBase<RotateDownProjectionPass> {
  using Base::Base;

  void runOnOperation() override {
    llvm::MapVector<Value, SmallVector<Operation *>> readers; // of one value
    getOperation()->walk([&](Operation *op) {
      if (isa<LinearOp, QuantizedLinearOp>(op) && activationOf(op->getOperand(0)))
        readers[op->getOperand(0)].push_back(op);
    });
    int rotated = 0;
    for (auto &[x, linears] : readers)
      rotated += rotate(x, linears);
    if (required && rotated == 0) {
      getOperation().emitError() << "the input of no down-projection can be rotated: "
                                 << (why.empty() ? "no linear reads an activation" : why);
      signalPassFailure();
    }
  }

  int refuse(Operation *linear, StringRef reason) {
    why = reason.str();
    remark::missed(linear->getLoc(), remark::RemarkOpts::name("down").category("rotate"))
        << "the input cannot be rotated: " << why;
    return 0;
  }

  /// How many of the linears that read `x` now read it rotated.
  int rotate(Value x, ArrayRef<Operation *> readers) {
    const int64_t k = widthOf(x);
    SmallVector<LinearOp> linears;
    for (Operation *reader : readers) {
      auto linear = dyn_cast<LinearOp>(reader);
      if (!linear || !isFloatConstant(linear.getW()))
        refuse(reader, "its weight is no constant of floats");
      else if (k < 2 || k % 2 != 0)
        refuse(reader, "a width of " + std::to_string(k) + " has no Hadamard matrix");
      else
        linears.push_back(linear);
    }
    if (linears.empty())
      return 0;
    Rotation rotation(k, seed);
    const bool alone = linears.size() == size_t(llvm::range_size(x.getUsers()));
    Value turned = transform(x, alone, linears, rotation);
    for (LinearOp linear : linears) {
      std::vector<float> w = floatsOf(linear.getW());
      quantization::rotateColumns(w, static_cast<int64_t>(w.size()) / k, k, rotation,
                                  contextThreads(&getContext()));
      linear.getXMutable().assign(turned);
      replaceFloats(linear, 1, w);
      remark::passed(linear.getLoc(), remark::RemarkOpts::name("down").category("rotate"))
          << remark::metric("width", k) << remark::metric("order", rotation.order());
    }
    return static_cast<int>(linears.size());
  }

  /// x R before the first of the linears. `alone`: nothing but they read x.
  Value transform(Value x, bool alone, ArrayRef<LinearOp> linears, const Rotation &rotation) {
    LinearOp first = linears.front();
    OpBuilder builder(first);
    if (!rotation.randomSigns().empty() && !(alone && foldSigns(x, rotation.randomSigns()))) {
      const std::vector<float> signs(rotation.randomSigns().begin(), rotation.randomSigns().end());
      ConstantOp constant = makeFloats(first, named("hadamard.signs"), {rotation.size()}, signs);
      x = MulOp::create(builder, first.getLoc(), x.getType(), x, constant);
    }
    Value base;
    if (rotation.baseOrder() > 1) {
      const std::vector<float> matrix(rotation.baseMatrix().begin(), rotation.baseMatrix().end());
      base = makeFloats(first, named("hadamard.base" + std::to_string(rotation.baseOrder())),
                        {rotation.baseOrder(), rotation.baseOrder()}, matrix);
    }
    return HadamardOp::create(builder, first.getLoc(), x.getType(), x, base,
                              builder.getI64IntegerAttr(rotation.order()))
        .getY();
  }

  /// Into the rows of the linear that makes the part of x that is only multiplied.
  static bool foldSigns(Value x, std::span<const float> signs) {
    Operation *activation = activationOf(x);
    Value part = linearPart(activation);
    std::optional<LinearRows> rows =
        part && isReadAlone(activation, x) ? producingRows(part) : std::nullopt;
    if (!rows || rows->count != static_cast<int64_t>(signs.size()))
      return false;
    LinearOp linear = rows->linear;
    std::vector<float> w = floatsOf(linear.getW());
    const int64_t k = widthOf(linear.getX());
    for (int64_t row = 0; row < rows->count; ++row)
      for (int64_t i = 0; i < k; ++i)
        w[(rows->first + row) * k + i] *= signs[row];
    replaceFloats(linear, 1, w);
    if (!linear.getBias())
      return true;
    std::vector<float> bias = floatsOf(linear.getBias());
    for (int64_t row = 0; row < rows->count; ++row)
      bias[rows->first + row] *= signs[row];
    replaceFloats(linear, 2, bias);
    return true;
  }

  Location named(const std::string &name) {
    return NameLoc::get(StringAttr::get(&getContext(), name));
  }

  std::string why; ///< of the last linear that stays
};

} // namespace
