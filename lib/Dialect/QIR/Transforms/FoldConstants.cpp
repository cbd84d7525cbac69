//===- FoldConstants.cpp - Evaluates ops whose operands are constants -------------------------===//

#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Interpreter/OpEvaluation.h"
#include "qopt/Support/WeightStore.h"

namespace qopt::qir {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt;
using namespace qopt::qir;

namespace {

using namespace qopt::interpreter;
using qrt::tensor::Tensor;

/// Raising looks through these and keeps the weight's own bytes.
constexpr int64_t kWeightElements = 4096;

bool keepsWeight(Operation *op, int64_t elements) {
  return elements > kWeightElements &&
         isa<TransposeOp, CastOp, DequantizeLinearOp, DequantizeOp>(op);
}

int64_t elementsOf(const Tensor &tensor) {
  int64_t count = 1;
  for (int64_t size : tensor.shape)
    count *= size;
  return count;
}

struct FoldConstantsPass : qopt::qir::impl::FoldConstantsBase<FoldConstantsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> order;
    getOperation()->walk([&](Operation *op) {
      if (isa_and_nonnull<QIRDialect>(op->getDialect()))
        order.push_back(op);
    });
    for (Operation *op : order)
      if (!foldIdentity(op))
        foldConstant(op);
    // What only fed folded ops is dead now.
    for (Operation *op : llvm::reverse(order))
      if (!llvm::is_contained(erased, op) && isOpTriviallyDead(op))
        op->erase();
  }

  void replace(Operation *op, ValueRange values) {
    op->replaceAllUsesWith(values);
    op->erase();
    erased.insert(op);
  }

  bool foldIdentity(Operation *op) {
    // Tracing joins a cache with an empty one that the exporter then leaves out.
    bool joinsOne = isa<ConcatOp>(op) && op->getNumOperands() == 1;
    if (isa<IdentityOp>(op) || joinsOne ||
        (isa<CastOp>(op) && op->getOperand(0).getType() == op->getResult(0).getType())) {
      replace(op, op->getOperand(0));
      return true;
    }
    return false;
  }

  void foldConstant(Operation *op) {
    if (isa<ConstantOp, IfOp, YieldOp>(op) || op->getNumOperands() == 0)
      return;
    TensorMap values;
    for (Value operand : op->getOperands()) {
      auto constant = operand.getDefiningOp<ConstantOp>();
      if (!constant)
        return;
      auto type = cast<RankedTensorType>(constant.getType());
      if (keepsWeight(op, type.getNumElements()))
        return;
      auto tensor = tensorOf(constant);
      if (!tensor)
        return;
      values[operand] = std::move(*tensor);
    }
    for (Value result : op->getResults()) {
      auto type = dyn_cast<RankedTensorType>(result.getType());
      if (type && type.hasStaticShape() && type.getNumElements() > maxElements)
        return;
    }
    std::string why;
    if (failed(evaluateOp(op, values, why)))
      return; // reported where the value is needed
    OpBuilder builder(op);
    SmallVector<Value> constants;
    for (Value result : op->getResults()) {
      const Tensor &tensor = values[result];
      if (!tensor.data || elementsOf(tensor) > maxElements)
        return;
      auto type = RankedTensorType::get(tensor.shape, elementTypeOf(&getContext(), tensor.dtype));
      ArrayRef<char> bytes(static_cast<const char *>(tensor.data.get()),
                           elementsOf(tensor) * qrt::byteWidth(tensor.dtype));
      if (type.getElementType() != cast<TensorType>(result.getType()).getElementType())
        return;
      ElementsAttr value = WeightStore::insertCopy(type, "folded", bytes);
      // A moved or converted weight is still known by its initializer's name.
      Location loc = op->getLoc();
      if (op->getNumOperands() == 1 || isa<ReshapeOp, UnsqueezeOp, SqueezeOp>(op))
        loc = op->getOperand(0).getDefiningOp()->getLoc();
      constants.push_back(ConstantOp::create(builder, loc, type, value));
    }
    replace(op, constants);
  }

  llvm::DenseSet<Operation *> erased;
};

} // namespace
