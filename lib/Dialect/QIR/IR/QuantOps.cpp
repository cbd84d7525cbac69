//===- QuantOps.cpp - Verifiers of quantization ops ------------------------------------------===//
#include "Checks.h"

#include "qopt/Dialect/QIR/IR/Outliers.h"

using namespace mlir;
using namespace qopt::qir;

/// C1 to C4 of quantize_linear and dequantize_linear; `stored` is the integer side.
template <typename OpType>
static LogicalResult verifyLinearScales(OpType op, Value stored) {
  if (failed(checkSameDims(op, "a result", op.getY(), op.getX()))) // C1
    return failure();
  std::optional<int64_t> rank = rankOf(op.getScale());
  if (rank && *rank > 1 && *rank != rankOf(op.getX()).value_or(*rank)) // C2
    return op.emitOpError() << "expects a scale of rank 0, 1 or that of x, got " << *rank;
  if (Value zero = op.getZeroPoint())
    if (failed(checkSameDims(op, "a zero point", zero, op.getScale())) || // C3
        failed(checkSameElement(op, "a zero point", zero, stored)))
      return failure();
  if (static_cast<int64_t>(op.getBlockSize()) < 0) // C4
    return op.emitOpError() << "expects a block_size of at least 0";
  return success();
}

LogicalResult DequantizeLinearOp::verify() { return verifyLinearScales(*this, getX()); }
LogicalResult QuantizeLinearOp::verify() { return verifyLinearScales(*this, getY()); }

LogicalResult DynamicQuantizeLinearOp::verify() {
  if (failed(checkSameDims(*this, "a result", getY(), getX())) || // C1
      failed(checkRank(*this, "a scale", getScale(), 0)))         // C2
    return failure();
  return checkRank(*this, "a zero point", getZeroPoint(), 0); // C2
}

LogicalResult MatmulIntegerOp::verify() {
  return checkMatmul(*this, getA(), getB(), getY()); // C1, C2
}

/// C1 to C5 of the ops on codes; `matrix` has the shape [N, K].
static LogicalResult verifyGroups(Operation *op, Value matrix, Value scales, Value zeroPoints,
                                  int64_t bits, int64_t group) {
  if (failed(checkRank(op, "codes", matrix, 2))) // C1
    return failure();
  if (bits != 2 && bits != 3 && bits != 4 && bits != 8) // C2
    return op->emitOpError() << "expects 2, 3, 4 or 8 bits, got " << bits;
  if (group != 0 && group != 32 && group != 64 && group != 128) // C3
    return op->emitOpError() << "expects a group_size of 0, 32, 64 or 128, got " << group;
  std::optional<Dims> dims = dimsOf(matrix), expected;
  if (dims) {
    int64_t k = dims->back();
    int64_t groups = group == 0 ? 1 : k == unknown ? unknown : (k + group - 1) / group;
    expected = Dims{dims->front(), groups};
  }
  if (failed(checkDims(op, "scales", scales, expected))) // C4
    return failure();
  return zeroPoints ? checkDims(op, "zero points", zeroPoints, expected) : success(); // C5
}

LogicalResult DequantizeOp::verify() {
  if (failed(
          verifyGroups(*this, getCodes(), getScales(), getZeroPoints(), getBits(), getGroupSize())))
    return failure();
  return checkSameDims(*this, "a result", getY(), getCodes()); // C6
}

LogicalResult QuantizeOp::verify() {
  if (failed(verifyGroups(*this, getX(), getScales(), getZeroPoints(), getBits(), getGroupSize())))
    return failure();
  return checkSameDims(*this, "a result", getCodes(), getX()); // C1
}

LogicalResult QuantizedLinearOp::verify() {
  if (failed(verifyGroups(*this, getCodes(), getScales(), getZeroPoints(), getBits(),
                          getGroupSize())) ||
      failed(checkWord(*this, "activation", getActivation(), {"f32", "a16", "a8"}))) // C9
    return failure();
  if (failed(verifyOutliers(*this)))
    return failure();
  std::optional<Dims> codes = dimsOf(getCodes()), expected = dimsOf(getX());
  if (!codes)
    return success();
  if (expected && (expected->empty() || !agree(expected->back(), codes->back()))) // C6
    return emitOpError() << "expects x with a last dimension of " << codes->back() << ", got "
                         << getX().getType();
  if (getBias() && failed(checkDims(*this, "a bias", getBias(), Dims{codes->front()}))) // C7
    return failure();
  if (getAlternate() && failed(checkDims(*this, "an alternate", getAlternate(), codes))) // C10
    return failure();
  if (expected)
    expected->back() = codes->front();
  return checkDims(*this, "a result", getY(), expected); // C8
}

LogicalResult QuantizedEmbeddingOp::verify() {
  if (failed(
          verifyGroups(*this, getCodes(), getScales(), getZeroPoints(), getBits(), getGroupSize())))
    return failure();
  if (static_cast<int64_t>(getOffset()) < 0) // C7
    return emitOpError() << "expects an offset of at least 0";
  std::optional<Dims> codes = dimsOf(getCodes()), expected = dimsOf(getIds());
  if (expected)
    expected->push_back(codes ? codes->back() : unknown);
  return checkDims(*this, "a result", getY(), expected); // C6
}
