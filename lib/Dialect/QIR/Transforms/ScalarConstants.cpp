//===- ScalarConstants.cpp - Reading small constants while matching ---------------------------===//
#include "ScalarConstants.h"

#include <cmath>

using namespace mlir;

namespace qopt::qir::raise {

Value skipCasts(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<CastOp, IdentityOp>(op))
      break;
    auto isFloat = [](Value v) {
      return isa<FloatType>(cast<TensorType>(v.getType()).getElementType());
    };
    if (isFloat(op->getOperand(0)) != isFloat(value))
      break;
    value = op->getOperand(0);
  }
  return value;
}

std::optional<double> scalarValue(Value value) {
  auto constant = skipCasts(value).getDefiningOp<ConstantOp>();
  if (!constant)
    return std::nullopt;
  auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
  if (!dense || (dense.getNumElements() != 1 && !dense.isSplat()))
    return std::nullopt;
  if (isa<FloatType>(dense.getElementType()))
    return dense.getSplatValue<APFloat>().convertToDouble();
  if (dense.getElementType().isInteger(64) || dense.getElementType().isInteger(32))
    return static_cast<double>(dense.getSplatValue<APInt>().getSExtValue());
  return std::nullopt;
}

bool isScalar(Value value, double expected, double tolerance) {
  std::optional<double> found = scalarValue(value);
  return found && std::abs(*found - expected) <= tolerance * std::abs(expected);
}

Value otherOperand(Operation *op, Value known) {
  if (skipCasts(op->getOperand(0)) == skipCasts(known))
    return op->getOperand(1);
  if (skipCasts(op->getOperand(1)) == skipCasts(known))
    return op->getOperand(0);
  return {};
}

std::optional<ArrayRef<int64_t>> shapeOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return std::nullopt;
  return type.getShape();
}

bool isLastAxis(ArrayRef<int64_t> axes, Value x) {
  if (axes.size() != 1)
    return false;
  auto shape = shapeOf(x);
  return axes[0] == -1 || (shape && axes[0] == static_cast<int64_t>(shape->size()) - 1);
}

} // namespace qopt::qir::raise
