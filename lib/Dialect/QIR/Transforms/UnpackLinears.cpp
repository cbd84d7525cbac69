//===- UnpackLinears.cpp - Splits a linear whose result is only cut into columns --------------===//
#include "qopt/Dialect/QIR/IR/ConstantIndex.h"
#include "qopt/Dialect/QIR/IR/Outliers.h"
#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Support/WeightStore.h"

namespace qopt::qir {
#define GEN_PASS_DEF_UNPACKLINEARS
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt;
using namespace qopt::qir;

namespace {

/// Columns [first, end) of a slice with constant bounds.
struct Columns {
  SliceOp slice;
  int64_t first, end;
};

std::optional<Columns> columnsOf(Operation *user) {
  auto slice = dyn_cast<SliceOp>(user);
  if (!slice || slice.getAxes() != ArrayRef<int64_t>{1} || slice.getSteps() != ArrayRef<int64_t>{1})
    return std::nullopt;
  auto first = constantIndex(slice.getStarts()), end = constantIndex(slice.getEnds());
  if (!first || !end || *first < 0 || *end <= *first)
    return std::nullopt;
  return Columns{slice, *first, *end};
}

/// Rows [first, end) of a constant, as a constant of the same name.
Value rowsOf(OpBuilder &builder, Value value, int64_t first, int64_t end) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto type = constant ? cast<RankedTensorType>(constant.getType()) : RankedTensorType();
  if (!type || type.getRank() == 0 || type.getDimSize(0) < end)
    return {};
  SmallVector<char> scratch;
  FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(constant, scratch);
  if (failed(bytes))
    return {};
  SmallVector<int64_t> shape(type.getShape());
  size_t rowBytes = bytes->size() / shape[0];
  shape[0] = end - first;
  auto part = RankedTensorType::get(shape, type.getElementType());
  auto result = ConstantOp::create(
      builder, constant.getLoc(), part,
      WeightStore::insertCopy(part, "rows",
                              bytes->slice(first * rowBytes, (end - first) * rowBytes)));
  result->setAttr("qir.rows", builder.getI64ArrayAttr({first, type.getDimSize(0)}));
  if (constant->hasAttr("qir.transposed"))
    result->setAttr("qir.transposed", builder.getUnitAttr());
  return result;
}

struct UnpackLinearsPass : qopt::qir::impl::UnpackLinearsBase<UnpackLinearsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> linears;
    getOperation()->walk([&](Operation *op) {
      if (isa<LinearOp, QuantizedLinearOp>(op))
        linears.push_back(op);
    });
    for (Operation *op : linears)
      unpack(op);
  }

  void unpack(Operation *op) {
    // Rows of outliers are not rows of a tensor.
    if (outliersOf(op))
      return;
    SmallVector<Columns> parts;
    for (Operation *user : op->getUsers()) {
      std::optional<Columns> columns = columnsOf(user);
      if (!columns)
        return;
      parts.push_back(*columns);
    }
    if (parts.size() < 2)
      return;
    llvm::sort(parts, [](const Columns &a, const Columns &b) { return a.first < b.first; });
    OpBuilder builder(op);
    SmallVector<Operation *> made;
    for (Columns &part : parts) {
      SmallVector<Value> operands{op->getOperand(0)};
      for (Value weight : op->getOperands().drop_front()) {
        operands.push_back(rowsOf(builder, weight, part.first, part.end));
        if (!operands.back()) {
          for (Operation *unused : llvm::reverse(made))
            unused->erase();
          return;
        }
      }
      Operation *linear = op->cloneWithoutRegions();
      linear->setOperands(operands);
      linear->getResult(0).setType(part.slice.getType());
      made.push_back(builder.insert(linear));
    }
    for (auto [part, linear] : llvm::zip(parts, made)) {
      part.slice.replaceAllUsesWith(linear->getResult(0));
      part.slice->erase();
    }
    op->erase();
  }
};

} // namespace
