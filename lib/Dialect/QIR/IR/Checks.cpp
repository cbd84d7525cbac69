//===- Checks.cpp - What the verifiers have in common ----------------------------------------===//
#include "Checks.h"

#include "llvm/ADT/SmallSet.h"

using namespace mlir;

namespace qopt::qir {

std::optional<Dims> dimsOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return std::nullopt;
  return Dims(type.getShape());
}

std::optional<int64_t> rankOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type ? std::optional<int64_t>(type.getRank()) : std::nullopt;
}

Type elementOf(Value value) { return cast<TensorType>(value.getType()).getElementType(); }

std::optional<int64_t> countOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape())
    return std::nullopt;
  return type.getNumElements();
}

static std::string describe(ArrayRef<int64_t> dims) {
  std::string text = "[";
  for (auto [index, dim] : llvm::enumerate(dims))
    text += (index ? ", " : "") + (dim == unknown ? std::string("?") : std::to_string(dim));
  return text + "]";
}

LogicalResult checkDims(Operation *op, const char *what, Value value,
                        const std::optional<Dims> &expected) {
  std::optional<Dims> dims = dimsOf(value);
  if (!expected || !dims)
    return success();
  bool fits = dims->size() == expected->size();
  for (size_t i = 0; fits && i < dims->size(); ++i)
    fits = agree((*dims)[i], (*expected)[i]);
  if (fits)
    return success();
  return op->emitOpError() << "expects " << what << " of shape " << describe(*expected) << ", got "
                           << describe(*dims);
}

LogicalResult checkSameDims(Operation *op, const char *what, Value value, Value like) {
  return checkDims(op, what, value, dimsOf(like));
}

LogicalResult checkSameElement(Operation *op, const char *what, Value value, Value like) {
  if (elementOf(value) == elementOf(like))
    return success();
  return op->emitOpError() << "expects " << what << " of element type " << elementOf(like)
                           << ", got " << elementOf(value);
}

LogicalResult checkRank(Operation *op, const char *what, Value value, int64_t rank) {
  if (rankOf(value).value_or(rank) == rank)
    return success();
  return op->emitOpError() << "expects " << what << " of rank " << rank << ", got "
                           << *rankOf(value);
}

LogicalResult checkOneElement(Operation *op, const char *what, Value value) {
  if (countOf(value).value_or(1) == 1)
    return success();
  return op->emitOpError() << "expects " << what << " of one element, got " << value.getType();
}

LogicalResult checkAxis(Operation *op, int64_t axis, std::optional<int64_t> rank) {
  if (!rank || (axis >= -*rank && axis < *rank))
    return success();
  return op->emitOpError() << "expects an axis inside rank " << *rank << ", got " << axis;
}

LogicalResult checkAxes(Operation *op, ArrayRef<int64_t> axes, std::optional<int64_t> rank) {
  llvm::SmallSet<int64_t, 8> seen;
  for (int64_t axis : axes) {
    if (failed(checkAxis(op, axis, rank)))
      return failure();
    if (!seen.insert(rank ? fromEnd(axis, *rank) : axis).second)
      return op->emitOpError() << "expects distinct axes, got " << axis << " twice";
  }
  return success();
}

LogicalResult checkFlag(Operation *op, const char *what, int64_t flag) {
  if (flag == 0 || flag == 1)
    return success();
  return op->emitOpError() << "expects " << what << " to be 0 or 1, got " << flag;
}

LogicalResult checkWord(Operation *op, const char *what, StringRef word,
                        ArrayRef<StringRef> words) {
  if (llvm::is_contained(words, word))
    return success();
  InFlightDiagnostic diagnostic = op->emitOpError() << "expects " << what << " to be ";
  for (auto [index, known] : llvm::enumerate(words))
    diagnostic << (index == 0                  ? ""
                   : index + 1 == words.size() ? " or "
                                               : ", ")
               << "'" << known << "'";
  return diagnostic << ", got '" << word << "'";
}

FailureOr<std::optional<Dims>> broadcast(ArrayRef<Value> values) {
  Dims result; // from the last dimension backwards
  for (Value value : values) {
    std::optional<Dims> dims = dimsOf(value);
    if (!dims)
      return std::optional<Dims>();
    for (size_t i = 0; i < dims->size(); ++i) {
      int64_t dim = (*dims)[dims->size() - 1 - i];
      if (i == result.size())
        result.push_back(1);
      int64_t &known = result[i];
      if (dim == 1 || dim == known)
        continue;
      if (known == 1)
        known = dim;
      else if (known == unknown) // a number other than 1 decides
        known = dim;
      else if (dim != unknown)
        return failure();
    }
  }
  std::reverse(result.begin(), result.end());
  return std::optional<Dims>(result);
}

LogicalResult checkBroadcast(Operation *op, ArrayRef<Value> values, Value result) {
  FailureOr<std::optional<Dims>> dims = broadcast(values);
  if (failed(dims)) {
    InFlightDiagnostic diagnostic = op->emitOpError() << "expects shapes that broadcast, got ";
    for (auto [index, value] : llvm::enumerate(values))
      diagnostic << (index ? " and " : "") << value.getType();
    return diagnostic;
  }
  return checkDims(op, "a result", result, *dims);
}

LogicalResult checkMatmul(Operation *op, Value a, Value b, Value result) {
  std::optional<Dims> left = dimsOf(a), right = dimsOf(b);
  if (!left || !right)
    return success();
  if (left->empty() || right->empty())
    return op->emitOpError() << "expects operands of rank 1 or more, got " << a.getType() << " and "
                             << b.getType();
  bool row = left->size() == 1, column = right->size() == 1;
  if (row)
    left->insert(left->begin(), 1);
  if (column)
    right->push_back(1);
  if (!agree(left->back(), (*right)[right->size() - 2]))
    return op->emitOpError() << "expects operands that agree in K, got " << a.getType() << " and "
                             << b.getType();
  Dims expected; // batch dimensions, aligned at their ends
  size_t batches = std::max(left->size(), right->size()) - 2;
  for (size_t i = 0; i < batches; ++i) {
    auto at = [&](const Dims &dims) {
      size_t missing = batches - (dims.size() - 2);
      return i < missing ? 1 : dims[i - missing];
    };
    int64_t l = at(*left), r = at(*right);
    if (l != 1 && r != 1 && !agree(l, r))
      return op->emitOpError() << "expects batch dimensions that broadcast, got " << a.getType()
                               << " and " << b.getType();
    expected.push_back(l == 1 ? r : l == unknown && r != 1 ? r : l);
  }
  if (!row)
    expected.push_back((*left)[left->size() - 2]);
  if (!column)
    expected.push_back(right->back());
  return checkDims(op, "a result", result, expected);
}

} // namespace qopt::qir
