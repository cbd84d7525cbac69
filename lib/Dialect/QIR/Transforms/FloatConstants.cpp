//===- FloatConstants.cpp - Constants that a pass changes ------------------------------------===//
#include "qopt/Dialect/QIR/Transforms/FloatConstants.h"

#include "qopt/Dialect/QIR/IR/FeatureRange.h"
#include "qopt/Support/FloatElements.h"
#include "qopt/Support/WeightStore.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace qopt::qir {

static constexpr StringLiteral rewrittenAttr = "qir.rewritten";

int64_t widthOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() >= 1 ? type.getDimSize(type.getRank() - 1) : -1;
}

bool isFloatConstant(Value value) {
  auto constant = value ? value.getDefiningOp<ConstantOp>() : ConstantOp();
  return !value || (constant && isa<FloatType>(constant.getValue().getElementType()));
}

std::vector<float> floatsOf(Value value) {
  auto constant = value ? value.getDefiningOp<ConstantOp>() : ConstantOp();
  FailureOr<std::vector<float>> floats = failure();
  if (constant)
    floats = readFloats(constant.getValue());
  return succeeded(floats) ? std::move(*floats) : std::vector<float>();
}

ConstantOp makeFloats(Operation *op, Location location, ArrayRef<int64_t> shape,
                      ArrayRef<float> values) {
  OpBuilder builder(op);
  auto type = RankedTensorType::get(shape, builder.getF32Type());
  auto name = location->findInstanceOf<NameLoc>();
  ArrayRef<char> bytes(reinterpret_cast<const char *>(values.data()),
                       values.size() * sizeof(float));
  return ConstantOp::create(
      builder, location, type,
      WeightStore::insertCopy(type, name ? name.getName().getValue() : StringRef("weight"), bytes));
}

/// Erases a constant without users, with its blob if that belongs to this graph alone.
static void eraseIfUnused(ConstantOp constant) {
  if (!constant->use_empty())
    return;
  bool owned = constant->hasAttr(rewrittenAttr) || constant->hasAttr(transposedAttr);
  constant->getParentOp()->walk([&](ConstantOp other) {
    owned &= other == constant || other.getValue() != constant.getValue();
  });
  if (owned)
    WeightStore::release(constant.getValue());
  constant->erase();
}

ConstantOp replaceFloats(Operation *op, unsigned index, ArrayRef<float> values) {
  auto old = op->getOperand(index).getDefiningOp<ConstantOp>();
  ConstantOp made =
      makeFloats(op, old.getLoc(), cast<RankedTensorType>(old.getType()).getShape(), values);
  made->setDiscardableAttrs(old->getDiscardableAttrDictionary());
  made->setAttr(rewrittenAttr, UnitAttr::get(op->getContext()));
  op->setOperand(index, made);
  eraseIfUnused(old);
  return made;
}

static std::optional<FeatureRange> featuresOf(SliceOp slice) {
  return featureRange(slice, widthOf(slice.getX()));
}

/// Is `slice` the only one of the pieces of its operand that has any of its features?
static bool isPieceOfItsOwn(SliceOp slice) {
  const auto own = featuresOf(slice);
  return own && llvm::all_of(slice.getX().getUsers(), [&](Operation *user) {
           auto other = dyn_cast<SliceOp>(user);
           const auto range = other ? featuresOf(other) : std::nullopt;
           return range && (other == slice || range->end <= own->first || own->end <= range->first);
         });
}

std::optional<LinearRows> linearRows(Value value) {
  LinearRows rows{nullptr, 0, widthOf(value)};
  if (auto split = value.getDefiningOp<SplitOp>()) {
    for (auto [output, size] : llvm::zip(split.getOutputs(), split.getSizes())) {
      if (output == value)
        break;
      rows.first += size;
    }
    value = split.getX();
  } else if (auto slice = value.getDefiningOp<SliceOp>()) {
    const auto features = featuresOf(slice);
    if (!features)
      return std::nullopt;
    rows.first = features->first;
    value = slice.getX();
  }
  rows.linear = value.getDefiningOp<LinearOp>();
  if (!rows.linear || !isFloatConstant(rows.linear.getW()) ||
      !isFloatConstant(rows.linear.getBias()))
    return std::nullopt;
  return rows;
}

std::optional<LinearRows> producingRows(Value value) {
  auto slice = value.getDefiningOp<SliceOp>();
  if (!value.hasOneUse() || (slice && !isPieceOfItsOwn(slice)))
    return std::nullopt;
  std::optional<LinearRows> rows = linearRows(value);
  // Other slices, of other features, may read the linear, too; other pieces of a split do.
  if (!rows || (!slice && !rows->linear.getY().hasOneUse()))
    return std::nullopt;
  return rows;
}

} // namespace qopt::qir
