//===- ShapeOps.cpp - Verifiers of shape ops -------------------------------------------------===//
#include "Checks.h"

#include <numeric>

using namespace mlir;
using namespace qopt::qir;

/// `shape` has rank 1 and one entry per dimension of `result`.
static LogicalResult checkShapeOperand(Operation *op, Value shape, Value result) {
  if (failed(checkRank(op, "a shape", shape, 1)))
    return failure();
  std::optional<Dims> entries = dimsOf(shape);
  std::optional<int64_t> rank = rankOf(result);
  if (!entries || !rank || agree(entries->front(), *rank))
    return success();
  return op->emitOpError() << "expects a result of rank " << entries->front() << ", got " << *rank;
}

LogicalResult ShapeOfOp::verify() {
  std::optional<int64_t> rank = rankOf(getX());
  int64_t length = unknown;
  if (rank) {
    auto clamp = [&](int64_t at) { return std::clamp<int64_t>(fromEnd(at, *rank), 0, *rank); };
    length = std::max<int64_t>(0, clamp(getEnd().value_or(*rank)) - clamp(getStart()));
  }
  return checkDims(*this, "a result", getShape(), Dims{length}); // C1
}

LogicalResult SizeOfOp::verify() { return checkRank(*this, "a result", getSize(), 0); } // C1

LogicalResult RangeOp::verify() {
  for (Value operand : getOperands())
    if (failed(checkOneElement(*this, "an operand", operand)) ||        // C1
        failed(checkSameElement(*this, "an operand", operand, getY()))) // C3
      return failure();
  return checkRank(*this, "a result", getY(), 1); // C2
}

LogicalResult FullOp::verify() {
  if (failed(checkShapeOperand(*this, getShape(), getY())) || // C1
      failed(checkOneElement(*this, "a value", getValue())))  // C2
    return failure();
  return checkSameElement(*this, "a value", getValue(), getY()); // C2
}

LogicalResult ReshapeOp::verify() {
  if (failed(checkShapeOperand(*this, getShape(), getY())) || // C1
      failed(checkFlag(*this, "allowzero", getAllowzero())))  // C3
    return failure();
  std::optional<int64_t> before = countOf(getX()), after = countOf(getY());
  if (before && after && *before != *after) // C2
    return emitOpError() << "expects a result of " << *before << " elements, got " << *after;
  return checkSameElement(*this, "a result", getY(), getX()); // C4
}

LogicalResult FlattenOp::verify() {
  int64_t axis = getAxis();
  std::optional<Dims> dims = dimsOf(getX()), expected;
  if (dims && axis != static_cast<int64_t>(dims->size()) && // C1
      failed(checkAxis(*this, axis, dims->size())))
    return failure();
  if (dims) {
    axis = fromEnd(axis, dims->size());
    auto product = [](ArrayRef<int64_t> part) {
      if (llvm::is_contained(part, unknown))
        return unknown;
      return std::accumulate(part.begin(), part.end(), int64_t(1), std::multiplies<>());
    };
    ArrayRef<int64_t> all = *dims;
    expected = Dims{product(all.take_front(axis)), product(all.drop_front(axis))};
  }
  if (failed(checkDims(*this, "a result", getY(), expected))) // C2
    return failure();
  return checkSameElement(*this, "a result", getY(), getX()); // C3
}

LogicalResult TransposeOp::verify() {
  std::optional<Dims> dims = dimsOf(getX()), expected;
  if (dims) {
    Dims sorted(getPerm());
    llvm::sort(sorted);
    bool permutation = sorted.size() == dims->size();
    for (size_t i = 0; permutation && i < sorted.size(); ++i)
      permutation = sorted[i] == static_cast<int64_t>(i);
    if (!permutation) // C1
      return emitOpError() << "expects a permutation of " << dims->size() << " axes, got ["
                           << getPerm() << "]";
    expected.emplace();
    for (int64_t axis : getPerm())
      expected->push_back((*dims)[axis]);
  }
  if (failed(checkDims(*this, "a result", getY(), expected))) // C2
    return failure();
  return checkSameElement(*this, "a result", getY(), getX()); // C3
}

LogicalResult SqueezeOp::verify() {
  std::optional<Dims> dims = dimsOf(getX()), expected;
  if (failed(checkAxes(*this, getAxes(), rankOf(getX())))) // C1
    return failure();
  if (dims && !getAxes().empty()) {
    llvm::SmallVector<bool> dropped(dims->size());
    for (int64_t axis : getAxes()) {
      int64_t at = fromEnd(axis, dims->size());
      if (!agree((*dims)[at], 1)) // C1
        return emitOpError() << "expects axes of size 1, got " << (*dims)[at] << " at axis "
                             << axis;
      dropped[at] = true;
    }
    expected.emplace();
    for (auto [dim, drop] : llvm::zip(*dims, dropped))
      if (!drop)
        expected->push_back(dim);
  }
  if (failed(checkDims(*this, "a result", getY(), expected))) // C2
    return failure();
  return checkSameElement(*this, "a result", getY(), getX()); // C3
}

LogicalResult UnsqueezeOp::verify() {
  std::optional<Dims> dims = dimsOf(getX()), expected;
  if (dims) {
    size_t rank = dims->size() + getAxes().size();
    if (failed(checkAxes(*this, getAxes(), rank))) // C1
      return failure();
    expected = Dims(rank, 0);
    for (int64_t axis : getAxes())
      (*expected)[fromEnd(axis, rank)] = 1;
    auto next = dims->begin();
    for (int64_t &dim : *expected)
      if (dim == 0)
        dim = *next++;
  }
  if (failed(checkDims(*this, "a result", getY(), expected))) // C2
    return failure();
  return checkSameElement(*this, "a result", getY(), getX()); // C3
}

LogicalResult ExpandOp::verify() {
  if (failed(checkRank(*this, "a shape", getShape(), 1))) // C1
    return failure();
  std::optional<Dims> dims = dimsOf(getX()), result = dimsOf(getY()), entries = dimsOf(getShape());
  if (dims && result && entries && entries->front() != unknown) {
    int64_t rank = std::max<int64_t>(dims->size(), entries->front());
    if (static_cast<int64_t>(result->size()) != rank) // C2
      return emitOpError() << "expects a result of rank " << rank << ", got " << result->size();
    for (size_t i = 0; i < dims->size(); ++i) {
      int64_t from = (*dims)[dims->size() - 1 - i], to = (*result)[result->size() - 1 - i];
      if (from != 1 && !agree(from, to)) // C2
        return emitOpError() << "expects to keep dimension " << from << ", got " << to;
    }
  }
  return checkSameElement(*this, "a result", getY(), getX()); // C3
}

LogicalResult TileOp::verify() {
  std::optional<int64_t> rank = rankOf(getX());
  if (rank && failed(checkDims(*this, "repeats", getRepeats(), Dims{*rank}))) // C1
    return failure();
  if (rank && failed(checkRank(*this, "a result", getY(), *rank))) // C2
    return failure();
  return checkSameElement(*this, "a result", getY(), getX()); // C2
}

LogicalResult ConcatOp::verify() {
  if (getInputs().empty()) // C1
    return emitOpError() << "expects at least one operand";
  int64_t total = 0;
  std::optional<Dims> expected;
  for (Value input : getInputs()) {
    if (failed(checkSameElement(*this, "a result", getY(), input))) // C1
      return failure();
    std::optional<Dims> dims = dimsOf(input);
    if (!dims)
      return success();
    if (failed(checkAxis(*this, getAxis(), dims->size()))) // C2
      return failure();
    int64_t &along = (*dims)[fromEnd(getAxis(), dims->size())];
    total = along == unknown || total == unknown ? unknown : total + along;
    along = unknown;
    if (!expected)
      expected = dims;
    bool fits = dims->size() == expected->size(); // C1
    for (size_t i = 0; fits && i < dims->size(); ++i) {
      fits = agree((*dims)[i], (*expected)[i]); // C3
      if ((*expected)[i] == unknown)
        (*expected)[i] = (*dims)[i];
    }
    if (!fits)
      return emitOpError() << "expects operands that agree outside the axis, got "
                           << getInputs().front().getType() << " and " << input.getType();
  }
  (*expected)[fromEnd(getAxis(), expected->size())] = total;
  return checkDims(*this, "a result", getY(), expected); // C3
}

LogicalResult SplitOp::verify() {
  if (getSizes().size() != getOutputs().size() ||
      llvm::any_of(getSizes(), [](int64_t size) { return size < 0; })) // C1
    return emitOpError() << "expects one size per result, got " << getSizes().size() << " for "
                         << getOutputs().size();
  std::optional<Dims> dims = dimsOf(getX());
  if (!dims)
    return success();
  if (failed(checkAxis(*this, getAxis(), dims->size()))) // C2
    return failure();
  int64_t &along = (*dims)[fromEnd(getAxis(), dims->size())];
  int64_t total = std::accumulate(getSizes().begin(), getSizes().end(), int64_t(0));
  if (!agree(along, total)) // C3
    return emitOpError() << "expects sizes that add up to " << along << ", got " << total;
  for (auto [output, size] : llvm::zip(getOutputs(), getSizes())) {
    along = size;
    if (failed(checkDims(*this, "a result", output, dims)) || // C4
        failed(checkSameElement(*this, "a result", output, getX())))
      return failure();
  }
  return success();
}

LogicalResult SliceOp::verify() {
  Dims count{static_cast<int64_t>(getAxes().size())};
  if (failed(checkDims(*this, "starts", getStarts(), count)) || // C1
      failed(checkDims(*this, "ends", getEnds(), count)) ||     // C1
      failed(checkAxes(*this, getAxes(), rankOf(getX()))))      // C2
    return failure();
  if (getSteps().size() != getAxes().size() || llvm::is_contained(getSteps(), 0)) // C3
    return emitOpError() << "expects one step per axis, none of them 0, got [" << getSteps() << "]";
  std::optional<Dims> expected = dimsOf(getX());
  if (expected)
    for (int64_t axis : getAxes())
      (*expected)[fromEnd(axis, expected->size())] = unknown;
  if (failed(checkDims(*this, "a result", getY(), expected))) // C4
    return failure();
  return checkSameElement(*this, "a result", getY(), getX()); // C5
}
