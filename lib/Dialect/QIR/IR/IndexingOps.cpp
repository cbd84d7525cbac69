//===- IndexingOps.cpp - Verifiers of indexing ops -------------------------------------------===//
#include "Checks.h"

using namespace mlir;
using namespace qopt::qir;

LogicalResult GatherOp::verify() {
  if (failed(checkAxis(*this, getAxis(), rankOf(getX())))) // C1
    return failure();
  std::optional<Dims> dims = dimsOf(getX()), indices = dimsOf(getIndices()), expected;
  if (dims && indices) {
    int64_t axis = fromEnd(getAxis(), dims->size());
    expected.emplace(dims->begin(), dims->begin() + axis);
    expected->append(indices->begin(), indices->end());
    expected->append(dims->begin() + axis + 1, dims->end());
  }
  if (failed(checkDims(*this, "a result", getY(), expected))) // C2
    return failure();
  return checkSameElement(*this, "a result", getY(), getX()); // C3
}

LogicalResult GatherElementsOp::verify() {
  std::optional<int64_t> rank = rankOf(getX());
  if (failed(checkAxis(*this, getAxis(), rank))) // C1
    return failure();
  if (rank && failed(checkRank(*this, "indices", getIndices(), *rank))) // C2
    return failure();
  if (failed(checkSameDims(*this, "a result", getY(), getIndices()))) // C2
    return failure();
  return checkSameElement(*this, "a result", getY(), getX()); // C3
}

LogicalResult GatherNdOp::verify() {
  std::optional<Dims> dims = dimsOf(getX()), indices = dimsOf(getIndices());
  const int64_t batch = getBatchDims();
  if (dims && indices) {
    int64_t limit = std::min(dims->size(), indices->size());
    if (batch < 0 || batch >= limit) // C1
      return emitOpError() << "expects batch_dims below " << limit << ", got " << batch;
    int64_t depth = indices->back();
    int64_t rank = static_cast<int64_t>(dims->size() + indices->size()) - batch - 1 - depth;
    if (depth != unknown && failed(checkRank(*this, "a result", getY(), rank))) // C2
      return failure();
  }
  return checkSameElement(*this, "a result", getY(), getX()); // C3
}

LogicalResult ScatterNdOp::verify() {
  if (failed(checkWord(*this, "reduction", getReduction(),
                       {"none", "add", "mul", "min", "max"})) ||  // C1
      failed(checkSameDims(*this, "a result", getY(), getX())) || // C2
      failed(checkSameElement(*this, "a result", getY(), getX())))
    return failure();
  return checkSameElement(*this, "updates", getUpdates(), getX()); // C3
}

LogicalResult PadOp::verify() {
  if (failed(checkWord(*this, "mode", getMode(), {"constant", "reflect", "edge", "wrap"}))) // C1
    return failure();
  std::optional<int64_t> rank = rankOf(getX());
  std::optional<int64_t> axes = getAxes().empty() ? rank : getAxes().size();
  if (axes && failed(checkDims(*this, "pads", getPads(), Dims{2 * *axes}))) // C2
    return failure();
  if (rank && failed(checkRank(*this, "a result", getY(), *rank))) // C3
    return failure();
  if (getValue() && (failed(checkOneElement(*this, "a value", getValue())) || // C4
                     failed(checkSameElement(*this, "a value", getValue(), getX()))))
    return failure();
  return checkSameElement(*this, "a result", getY(), getX()); // C3
}

LogicalResult TriluOp::verify() {
  if (rankOf(getX()).value_or(2) < 2) // C1
    return emitOpError() << "expects an operand of rank 2 or more, got " << getX().getType();
  if (getK() && failed(checkOneElement(*this, "k", getK()))) // C3
    return failure();
  if (failed(checkFlag(*this, "upper", getUpper())) ||          // C4
      failed(checkSameDims(*this, "a result", getY(), getX()))) // C2
    return failure();
  return checkSameElement(*this, "a result", getY(), getX()); // C2
}

LogicalResult NonZeroOp::verify() {
  std::optional<int64_t> rank = rankOf(getX());
  return checkDims(*this, "a result", getIndices(), Dims{rank.value_or(unknown), unknown}); // C1
}
