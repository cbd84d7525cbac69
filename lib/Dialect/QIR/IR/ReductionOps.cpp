//===- ReductionOps.cpp - Verifiers of contractions and reductions ---------------------------===//
#include "Checks.h"

using namespace mlir;
using namespace qopt::qir;

/// Dimensions of x without `axes` (empty: all), or with size 1 there.
static std::optional<Dims> reducedDims(Value x, ArrayRef<int64_t> axes, bool keep) {
  std::optional<Dims> dims = dimsOf(x);
  if (!dims)
    return std::nullopt;
  Dims result;
  for (auto [index, dim] : llvm::enumerate(*dims)) {
    bool reduced = axes.empty() || llvm::any_of(axes, [&](int64_t axis) {
                     return fromEnd(axis, dims->size()) == static_cast<int64_t>(index);
                   });
    if (!reduced)
      result.push_back(dim);
    else if (keep)
      result.push_back(1);
  }
  return result;
}

static LogicalResult verifyReduce(Operation *op, Value x, Value y, ArrayRef<int64_t> axes,
                                  int64_t keepdims) {
  if (failed(checkAxes(op, axes, rankOf(x))) ||                             // C1
      failed(checkFlag(op, "keepdims", keepdims)) ||                        // C3
      failed(checkDims(op, "a result", y, reducedDims(x, axes, keepdims)))) // C2
    return failure();
  return checkSameElement(op, "a result", y, x); // C4
}

#define VERIFY_REDUCE(Op)                                                                          \
  LogicalResult Op::verify() {                                                                     \
    return verifyReduce(*this, getX(), getY(), getAxes(), getKeepdims());                          \
  }
VERIFY_REDUCE(ReduceMeanOp)
VERIFY_REDUCE(ReduceSumOp)
VERIFY_REDUCE(ReduceMaxOp)
VERIFY_REDUCE(ReduceMinOp)
VERIFY_REDUCE(ReduceProdOp)
VERIFY_REDUCE(ReduceL2Op)

LogicalResult MatmulOp::verify() {
  if (failed(checkMatmul(*this, getA(), getB(), getY())) ||                // C1, C2
      failed(checkSameElement(*this, "a second operand", getB(), getA()))) // C3
    return failure();
  return checkSameElement(*this, "a result", getY(), getA()); // C3
}

LogicalResult EinsumOp::verify() {
  auto [terms, result] = getEquation().split("->");
  size_t count = terms.count(',') + 1;
  if (!getEquation().contains("->") || count != getInputs().size()) // C1
    return emitOpError() << "expects an equation of " << getInputs().size()
                         << " terms and a result, got '" << getEquation() << "'";
  for (Value input : getInputs())
    if (failed(checkSameElement(*this, "an operand", input, getY()))) // C2
      return failure();
  return success();
}

/// C1 and C2 of softmax, log_softmax and cumsum.
static LogicalResult verifyAlongAxis(Operation *op, Value x, Value y, int64_t axis) {
  if (failed(checkAxis(op, axis, rankOf(x))) ||    // C1
      failed(checkSameDims(op, "a result", y, x))) // C2
    return failure();
  return checkSameElement(op, "a result", y, x); // C2
}

LogicalResult SoftmaxOp::verify() { return verifyAlongAxis(*this, getX(), getY(), getAxis()); }
LogicalResult LogSoftmaxOp::verify() { return verifyAlongAxis(*this, getX(), getY(), getAxis()); }

LogicalResult CumsumOp::verify() {
  if (failed(checkFlag(*this, "exclusive", getExclusive())) || // C3
      failed(checkFlag(*this, "reverse", getReverse())))       // C3
    return failure();
  return verifyAlongAxis(*this, getX(), getY(), getAxis());
}

LogicalResult ArgMaxOp::verify() {
  int64_t axis = getAxis();
  if (failed(checkAxis(*this, axis, rankOf(getX()))) ||         // C1
      failed(checkFlag(*this, "keepdims", getKeepdims())) ||    // C3
      failed(checkFlag(*this, "select_last", getSelectLast()))) // C3
    return failure();
  return checkDims(*this, "a result", getY(), reducedDims(getX(), axis, getKeepdims())); // C2
}

LogicalResult TopKOp::verify() {
  if (failed(checkAxis(*this, getAxis(), rankOf(getX()))) || // C1
      failed(checkOneElement(*this, "k", getK())))           // C2
    return failure();
  std::optional<Dims> expected = dimsOf(getX());
  if (expected)
    (*expected)[fromEnd(getAxis(), expected->size())] = unknown;
  if (failed(checkDims(*this, "values", getValues(), expected)) || // C3
      failed(checkDims(*this, "indices", getIndices(), expected))) // C3
    return failure();
  return checkSameElement(*this, "values", getValues(), getX()); // C4
}
