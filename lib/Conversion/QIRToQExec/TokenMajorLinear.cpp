//===- TokenMajorLinear.cpp - Embeddings and linears to instructions -------------------------===//
#include "TokenMajorLowering.h"

#include "qopt/Dialect/QIR/IR/Outliers.h"

using namespace mlir;
using namespace qopt;

LogicalResult TokenMajorLowering::convertEmbedding(Operation *op, Value weight, Value ids,
                                                   int64_t offset) {
  Value index = values.lookupOrNull(ids);
  if (!weight)
    return failure();
  if (!index || !isa<qexec::IdsType, qexec::PositionsType>(index.getType()))
    return lowering.unsupported(op, "of something else than ids and positions");
  int64_t columns = cast<qexec::WeightType>(weight.getType()).getK();
  auto type = qexec::BufferType::get(builder.getContext(), columns, false);
  values.map(op->getResult(0),
             qexec::EmbedOp::create(builder, op->getLoc(), type, weight, index,
                                    builder.getI64IntegerAttr(offset), IntegerAttr())
                 .getResult());
  return success();
}

/// `quantized`: brings outliers and static scales.
LogicalResult TokenMajorLowering::convertLinear(Operation *op, Value x, Value weight, Value bias,
                                                StringRef activation, Value alternate,
                                                Operation *quantized) {
  Value input = buffer(x);
  if (!weight)
    return failure();
  if (!input)
    return lowering.unsupported(op, "of something else than an activation");
  Value vector = bias ? tensors.vector(bias) : Value();
  if (bias && !vector)
    return lowering.unsupported(op, "with a bias that is not constant");
  SmallVector<Value> outliers;
  if (quantized)
    tensors.outliers(quantized, outliers);
  int64_t rows = cast<qexec::WeightType>(weight.getType()).getN();
  auto type = qexec::BufferType::get(builder.getContext(), rows, false);
  values.map(
      op->getResult(0),
      qexec::LinearOp::create(builder, op->getLoc(), type, input, weight, vector, alternate,
                              outliers, builder.getStringAttr(activation),
                              quantized ? qir::activationScalesOf(quantized) : DenseF64ArrayAttr(),
                              IntegerAttr())
          .getResult());
  return success();
}
