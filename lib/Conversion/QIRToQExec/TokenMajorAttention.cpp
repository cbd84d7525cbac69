//===- TokenMajorAttention.cpp - Rotation by position and attention to instructions ----------===//
#include "TokenMajorLowering.h"

using namespace mlir;
using namespace qopt;

LogicalResult TokenMajorLowering::convertRope(qir::RopeOp op) {
  Value x = buffer(op.getX()), positions = values.lookupOrNull(op.getPositions());
  Value frequencies = tensors.vector(op.getInvFreq());
  if (!x || !frequencies || !positions || !isa<qexec::PositionsType>(positions.getType()))
    return lowering.unsupported(op, "needs an activation, positions and constant frequencies");
  values.map(op.getY(),
             qexec::RopeOp::create(builder, op.getLoc(), x.getType(), x, positions, frequencies,
                                   op.getHeadDimAttr(), op.getInterleavedAttr(),
                                   op.getScalingAttr(), IntegerAttr())
                 .getResult());
  return success();
}

LogicalResult TokenMajorLowering::convertAttention(qir::AttentionOp op) {
  Value q = buffer(op.getQ()), k = buffer(op.getK()), v = buffer(op.getV());
  if (!q || !k || !v)
    return lowering.unsupported(op, "of something else than activations");
  auto type =
      qexec::BufferType::get(builder.getContext(), op.getNumHeads() * op.getValueDim(), false);
  Value balance;
  if (auto factors = op->getAttrOfType<DenseF32ArrayAttr>(qir::keyBalanceAttr))
    balance = tensors.factors(op.getLoc(), factors.asArrayRef(), "key_balance");
  values.map(op.getY(),
             qexec::AttentionOp::create(
                 builder, op.getLoc(), type, q, k, v, balance, op.getNumHeadsAttr(),
                 op.getKvHeadsAttr(), op.getHeadDimAttr(), op.getValueDimAttr(), op.getCacheAttr(),
                 op.getScaleAttr(), op.getSoftcapAttr(), op.getWindowAttr(), IntegerAttr())
                 .getResult());
  return success();
}
