//===- SelectRows.cpp - Head only for the rows that need logits ------------------------------===//
// A prefill of 512 tokens needs one row of logits. Everything between the last residual add and the
// logits works row by row on one activation (norm, head, softcap), so the rows are selected before
// that chain. The chain ends at an op with two activations, at attention and rope, which need all
// rows, and at a value that something else needs too.
#include "qopt/Dialect/QExec/Transforms/Passes.h"

namespace qopt::qexec {
#define GEN_PASS_DEF_SELECTROWS
#include "qopt/Dialect/QExec/Transforms/Passes.h.inc"
} // namespace qopt::qexec

using namespace mlir;
using namespace qopt::qexec;

namespace {

bool isBuffer(Value value) { return isa<BufferType>(value.getType()); }

/// The only activation that `op` works on, row by row; null if it is not such an op.
Value rowwiseOperand(Operation *op) {
  if (!op || !isa<LinearOp, RmsNormOp, LayerNormOp, UnaryOp, BinaryOp, CopyColumnsOp>(op))
    return {};
  auto buffers = llvm::make_filter_range(op->getOperands(), isBuffer);
  return llvm::hasSingleElement(buffers) ? *buffers.begin() : Value();
}

void markSelected(Value value) {
  auto type = cast<BufferType>(value.getType());
  value.setType(BufferType::get(type.getContext(), type.getWidth(), true));
}

struct SelectRowsPass : qopt::qexec::impl::SelectRowsBase<SelectRowsPass> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    auto kind = function->getAttrOfType<StringAttr>(kindAttr);
    Block &body = function.getBody().front();
    Operation *end = body.getTerminator();
    if (!kind || kind.getValue() != "token_major" || end->getNumOperands() != 1)
      return;
    auto logits = dyn_cast<BufferType>(end->getOperand(0).getType());
    if (!logits || logits.getSelected())
      return;

    SmallVector<Value> chain; // from the logits upwards
    Value top = end->getOperand(0);
    for (Value next; top.hasOneUse() && (next = rowwiseOperand(top.getDefiningOp())); top = next)
      chain.push_back(top);
    OpBuilder builder(end);
    Operation *firstUser = chain.empty() ? end : chain.back().getDefiningOp();
    builder.setInsertionPoint(firstUser);
    auto type = cast<BufferType>(top.getType());
    auto selected = SelectRowsOp::create(builder, firstUser->getLoc(),
                                         BufferType::get(&getContext(), type.getWidth(), true), top,
                                         /*arena=*/IntegerAttr());
    firstUser->replaceUsesOfWith(top, selected.getResult());
    llvm::for_each(chain, markSelected);
    function.setFunctionType(
        builder.getFunctionType(function.getArgumentTypes(), end->getOperand(0).getType()));
  }
};
} // namespace
