//===- TokenMajorLinear.cpp - Linears and norms on token data --------------------------------===//
#include "TokenMajorBuilder.h"

#include <cstdio>
#include <cstdlib>

using namespace mlir;

namespace qopt::qir::raise {

LogicalResult TokenMajorBuilder::convertLinear(Operation *op, const TokenValue &x) {
  size_t last = x.layout.rank() - 1;
  if (x.kind != Kind::Features || !x.layout.onlyFeatures(last))
    return fail(op, "multiplies something that is not token features with a weight");
  for (size_t dim = 0; dim < last; ++dim)
    if (x.layout.featureSize(dim) != 1)
      return fail(op, "applies one weight to several groups of features");
  FailureOr<Value> value = materialize(op, x);
  if (failed(value))
    return failure();
  llvm::SmallVector<Value> operands{*value};
  for (Value weight : op->getOperands().drop_front()) {
    Value clone = cloneConstant(weight);
    if (!clone)
      return fail(op, "has a weight that is not a constant");
    operands.push_back(clone);
  }
  int64_t width = cast<RankedTensorType>(operands[1].getType()).getDimSize(0);
  Operation *created = cloneWith(op, operands, rowsType(width));
  Layout layout = x.layout;
  layout.dims[last] = {Atom::feature(width, 1)};
  setEmitted(op->getResult(0), created->getResult(0), std::move(layout), x.lastOnly);
  return success();
}

/// f32 attributes widened to f64 print as 9.99999997e-07; the decimal number was meant.
static llvm::APFloat decimalEpsilon(const llvm::APFloat &value) {
  double epsilon = value.convertToDouble();
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", epsilon);
  double rounded = std::strtod(text, nullptr);
  return llvm::APFloat(static_cast<float>(rounded) == static_cast<float>(epsilon) ? rounded
                                                                                  : epsilon);
}

/// The last dimension as the innermost features in row-major order, which materialize() makes it.
LogicalResult TokenMajorBuilder::convertNorm(Operation *op, const TokenValue &x) {
  if (x.kind != Kind::Features)
    return fail(op, "normalises something that is not token features");
  FailureOr<Value> value = materialize(op, x);
  if (failed(value))
    return failure();
  auto smallWeight = [&](Value weight) -> Value {
    if (!weight)
      return {};
    const qrt::tensor::Tensor *tensor = runs_.data(0, weight);
    if (!tensor)
      return {};
    int64_t count = 1;
    for (int64_t size : tensor->shape)
      count *= size;
    std::vector<float> values(count);
    for (int64_t i = 0; i < count; ++i)
      values[i] = static_cast<float>(elementAt(*tensor, i));
    return constantF32(weight.getDefiningOp() ? weight.getDefiningOp()->getLoc() : op->getLoc(),
                       values, {count});
  };
  Value weight = smallWeight(op->getOperand(1));
  Value bias = op->getNumOperands() > 2 ? smallWeight(op->getOperand(2)) : Value();
  if (!weight || (op->getNumOperands() > 2 && !bias))
    return fail(op, "has a weight that is not a constant");
  int64_t chunk = cast<RankedTensorType>(weight.getType()).getDimSize(0);
  int64_t last = x.layout.featureSize(x.layout.rank() - 1);
  if (last % chunk != 0 || !x.layout.onlyFeatures(x.layout.rank() - 1))
    return fail(op, "normalises other features than its weight has");
  Value result;
  if (auto rms = dyn_cast<RmsNormOp>(op)) {
    result = RmsNormOp::create(builder_, op->getLoc(), value->getType(), *value, weight,
                               decimalEpsilon(rms.getEpsilon()));
  } else {
    int64_t width = cast<RankedTensorType>(value->getType()).getDimSize(1);
    if (chunk != width)
      return fail(op, "layer norm of single heads");
    result = LayerNormOp::create(builder_, op->getLoc(), value->getType(), *value, weight, bias,
                                 decimalEpsilon(cast<LayerNormOp>(op).getEpsilon()));
  }
  setEmitted(op->getResult(0), result, x.layout, x.lastOnly);
  return success();
}

} // namespace qopt::qir::raise
