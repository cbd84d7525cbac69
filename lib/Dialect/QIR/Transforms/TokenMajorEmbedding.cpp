//===- TokenMajorEmbedding.cpp - Rows of tables, by token or by position ---------------------===//
#include "TokenMajorBuilder.h"

using namespace mlir;

namespace qopt::qir::raise {

LogicalResult TokenMajorBuilder::convertEmbedding(Operation *op) {
  bool quantized = isa<QuantizedEmbeddingOp>(op);
  Value index =
      quantized ? cast<QuantizedEmbeddingOp>(op).getIds() : cast<EmbeddingOp>(op).getIds();
  const TokenValue *ids = find(index);
  if (!ids || ids->kind != Kind::Ids)
    return fail(op, "looks up something other than token ids");
  llvm::SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    Value value = operand == index ? ids_ : cloneConstant(operand);
    if (!value)
      return fail(op, "has a table that is not a constant");
    operands.push_back(value);
  }
  int64_t width = cast<RankedTensorType>(operands[0].getType()).getDimSize(1);
  Operation *created = cloneWith(op, operands, rowsType(width));
  Layout layout = ids->layout;
  layout.dims.push_back({Atom::feature(width, 1)});
  setEmitted(op->getResult(0), created->getResult(0), std::move(layout), false);
  return success();
}

/// x + learned positions: rows of a table, looked up by position plus a constant.
LogicalResult TokenMajorBuilder::addPositions(Operation *op, const TokenValue &x, Value other) {
  Operation *lookup = other.getDefiningOp();
  while (isa_and_nonnull<CastOp, IdentityOp, ReshapeOp, UnsqueezeOp, SqueezeOp, ExpandOp>(lookup))
    lookup = lookup->getOperand(0).getDefiningOp();
  auto gather = dyn_cast_or_null<GatherOp>(lookup);
  auto table = gather ? gather.getX().getDefiningOp<ConstantOp>() : ConstantOp();
  auto type = table ? cast<RankedTensorType>(table.getType()) : RankedTensorType();
  if (!type || type.getRank() != 2 || gather.getAxis() != 0)
    return fail(op, "adds something that depends on the position and is no table lookup");
  std::vector<int64_t> offsets = x.layout.offsets();
  if (static_cast<int64_t>(offsets.size()) != type.getDimSize(1) ||
      x.layout.featureSize(x.layout.rank() - 1) != type.getDimSize(1))
    return fail(op, "adds rows of a table of another width");
  std::optional<int64_t> offset;
  for (size_t run = 0; run < runs_.runs().size(); ++run) {
    auto indices = runs_.integers(gather.getIndices(), run);
    const Sizing &sizing = runs_.runs()[run].sizing;
    if (!indices || indices->empty() || indices->size() % sizing.fresh != 0)
      return fail(op, "adds table rows whose numbers could not be evaluated");
    for (size_t i = 0; i < indices->size(); ++i) {
      int64_t here = (*indices)[i] - (sizing.past + static_cast<int64_t>(i) % sizing.fresh);
      if (offset && *offset != here)
        return fail(op, "adds table rows that are not chosen by the token's position");
      offset = here;
    }
  }
  FailureOr<Value> value = materialize(op, x);
  if (failed(value))
    return failure();
  Value rows =
      EmbeddingOp::create(builder_, gather.getLoc(), value->getType(), cloneConstant(gather.getX()),
                          positions_, builder_.getI64IntegerAttr(*offset), SchemeAttr());
  setEmitted(op->getResult(0),
             AddOp::create(builder_, op->getLoc(), value->getType(), *value, rows), x.layout,
             x.lastOnly);
  return success();
}

} // namespace qopt::qir::raise
