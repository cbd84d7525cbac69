//===- ForwardColumns.cpp - Splits, concatenations and slices of features --------------------===//
#include "ForwardBinder.h"

#include "qopt/Dialect/QIR/IR/FeatureRange.h"

#include <algorithm>

using namespace mlir;
using qrt::Status;

namespace qopt::calibration {

BoundOp ForwardBinder::copyColumns(int from, int64_t start, int to, int64_t toStart,
                                   int64_t count) {
  const int64_t fromWidth = width(from), toWidth = width(to);
  return [=](Chunk &chunk) {
    for (int64_t t = 0; t < chunk.tokens; ++t)
      std::copy_n(chunk.values[from] + t * fromWidth + start, count,
                  chunk.values[to] + t * toWidth + toStart);
    return Status::ok();
  };
}

static BoundOp inTurn(std::vector<BoundOp> parts) {
  return [parts = std::move(parts)](Chunk &chunk) -> Status {
    for (const BoundOp &part : parts)
      QRT_RETURN_IF_ERROR(part(chunk));
    return Status::ok();
  };
}

BoundOp ForwardBinder::bindSplit(qir::SplitOp op) {
  if (!activations({0}) || !qir::isFeatureAxis(op.getAxis()))
    return refuse("of something else than features");
  std::vector<BoundOp> parts;
  int64_t start = 0;
  for (auto [result, size] : llvm::enumerate(op.getSizes())) {
    if (out(result) >= 0)
      parts.push_back(copyColumns(in(0), start, out(result), 0, size));
    start += size;
  }
  return inTurn(std::move(parts));
}

BoundOp ForwardBinder::bindConcat(qir::ConcatOp op) {
  std::vector<BoundOp> parts;
  int64_t start = 0;
  for (unsigned i = 0; i < op.getInputs().size(); ++i) {
    if (in(i) < 0 || !qir::isFeatureAxis(op.getAxis()))
      return refuse("of something else than features");
    parts.push_back(copyColumns(in(i), 0, out(), start, width(in(i))));
    start += width(in(i));
  }
  return inTurn(std::move(parts));
}

BoundOp ForwardBinder::bindSlice(qir::SliceOp op) {
  if (!activations({0}))
    return refuse("of something else than a constant range of features");
  const std::optional<qir::FeatureRange> range = qir::featureRange(op, width(in(0)));
  if (!range)
    return refuse("of something else than a constant range of features");
  if (range->size() != width(out()))
    return refuse("of another width than its result");
  return copyColumns(in(0), range->first, out(), 0, range->size());
}

} // namespace qopt::calibration
