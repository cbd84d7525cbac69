//===- TokenMajorColumns.cpp - Splits, concatenations and slices to copies of columns --------===//
#include "TokenMajorLowering.h"

#include "qopt/Dialect/QIR/IR/FeatureRange.h"

using namespace mlir;
using namespace qopt;

Value TokenMajorLowering::copyColumns(Location loc, ValueRange inputs, ArrayRef<int64_t> starts,
                                      ArrayRef<int64_t> sizes) {
  int64_t width = 0;
  for (int64_t size : sizes)
    width += size;
  auto type = qexec::BufferType::get(builder.getContext(), width, false);
  return qexec::CopyColumnsOp::create(builder, loc, type, inputs, starts, sizes, IntegerAttr())
      .getResult();
}

LogicalResult TokenMajorLowering::convertSplit(qir::SplitOp op) {
  Value x = buffer(op.getX());
  if (!x || !qir::isFeatureAxis(op.getAxis()))
    return lowering.unsupported(op, "of something else than features");
  int64_t start = 0;
  for (auto [result, size] : llvm::zip(op.getOutputs(), op.getSizes())) {
    values.map(result, copyColumns(op.getLoc(), x, start, size));
    start += size;
  }
  return success();
}

LogicalResult TokenMajorLowering::convertConcat(qir::ConcatOp op) {
  SmallVector<Value> inputs;
  SmallVector<int64_t> starts, sizes;
  for (Value input : op.getInputs()) {
    Value mapped = buffer(input);
    if (!mapped || !qir::isFeatureAxis(op.getAxis()))
      return lowering.unsupported(op, "of something else than features");
    inputs.push_back(mapped);
    starts.push_back(0);
    sizes.push_back(cast<qexec::BufferType>(mapped.getType()).getWidth());
  }
  values.map(op.getY(), copyColumns(op.getLoc(), inputs, starts, sizes));
  return success();
}

LogicalResult TokenMajorLowering::convertSlice(qir::SliceOp op) {
  Value x = buffer(op.getX());
  std::optional<qir::FeatureRange> range;
  if (x)
    range = qir::featureRange(op, cast<qexec::BufferType>(x.getType()).getWidth());
  if (!range)
    return lowering.unsupported(op, "of something else than a constant range of features");
  if (range->size() <= 0)
    return lowering.unsupported(op, "that is empty");
  values.map(op.getY(), copyColumns(op.getLoc(), x, range->first, range->size()));
  return success();
}
