//===- TokenMajorElementwise.cpp - Arithmetic, activations and norms to instructions ---------===//
#include "TokenMajorLowering.h"

using namespace mlir;
using namespace qopt;

LogicalResult TokenMajorLowering::convertBinary(Operation *op, Value a, Value b, StringRef kind) {
  Value left = buffer(a), right = buffer(b);
  bool swapped = !left;
  if (swapped) {
    std::swap(left, right);
    std::swap(a, b);
  }
  if (left && !right)
    right = tensors.vector(b);
  if (!left || !right)
    return lowering.unsupported(op, "of operands that are not activations or constants");
  auto type = cast<qexec::BufferType>(left.getType());
  auto vector = dyn_cast<RankedTensorType>(right.getType());
  bool fits = vector ? vector.getNumElements() == 1 || vector.getNumElements() == type.getWidth()
                     : right.getType() == left.getType();
  if (!fits)
    return lowering.unsupported(op, "of operands of different widths");
  values.map(op->getResult(0),
             qexec::BinaryOp::create(builder, op->getLoc(), type, left, right,
                                     builder.getStringAttr(kind),
                                     builder.getI64IntegerAttr(swapped), IntegerAttr())
                 .getResult());
  return success();
}

LogicalResult TokenMajorLowering::convertUnary(Operation *op, StringRef kind, FloatAttr cap) {
  Value x = buffer(op->getOperand(0));
  if (!x)
    return lowering.unsupported(op, "of something else than an activation");
  values.map(op->getResult(0),
             qexec::UnaryOp::create(builder, op->getLoc(), x.getType(), x,
                                    builder.getStringAttr(kind), cap, IntegerAttr())
                 .getResult());
  return success();
}

LogicalResult TokenMajorLowering::convertGated(Operation *op, Value gate, Value up,
                                               StringRef kind) {
  Value left = buffer(gate), right = buffer(up);
  if (!left || !right)
    return lowering.unsupported(op, "of something else than activations");
  values.map(op->getResult(0),
             qexec::GatedActivationOp::create(builder, op->getLoc(), left.getType(), left, right,
                                              builder.getStringAttr(kind), IntegerAttr())
                 .getResult());
  return success();
}

LogicalResult TokenMajorLowering::convertHadamard(qir::HadamardOp op) {
  Value x = buffer(op.getX()), base = op.getBase() ? tensors.matrix(op.getBase()) : Value();
  if (!x || (op.getBase() && !base))
    return lowering.unsupported(op, "needs an activation and a constant base");
  values.map(op.getY(), qexec::HadamardOp::create(builder, op.getLoc(), x.getType(), x, base,
                                                  op.getBlockAttr(), IntegerAttr())
                            .getResult());
  return success();
}

LogicalResult TokenMajorLowering::convertRmsNorm(qir::RmsNormOp op) {
  Value x = buffer(op.getX()), weight = tensors.vector(op.getW());
  if (!x || !weight)
    return lowering.unsupported(op, "needs an activation and a constant weight");
  values.map(op.getY(), qexec::RmsNormOp::create(builder, op.getLoc(), x.getType(), x, weight,
                                                 op.getEpsilonAttr(), IntegerAttr())
                            .getResult());
  return success();
}

LogicalResult TokenMajorLowering::convertLayerNorm(qir::LayerNormOp op) {
  Value x = buffer(op.getX()), weight = tensors.vector(op.getW());
  Value bias = op.getB() ? tensors.vector(op.getB()) : Value();
  if (!x || !weight || (op.getB() && !bias))
    return lowering.unsupported(op, "needs an activation, a constant weight and a constant bias");
  values.map(op.getY(), qexec::LayerNormOp::create(builder, op.getLoc(), x.getType(), x, weight,
                                                   bias, op.getEpsilonAttr(), IntegerAttr())
                            .getResult());
  return success();
}
