//===- FeatureRange.h - Which features a slice of token-major data takes ----------------------===//
#ifndef QOPT_DIALECT_QIR_IR_FEATURERANGE_H
#define QOPT_DIALECT_QIR_IR_FEATURERANGE_H

#include "qopt/Dialect/QIR/IR/ConstantIndex.h"

#include <algorithm>

namespace qopt::qir {

/// The features of [tokens, features].
inline bool isFeatureAxis(int64_t axis) { return axis == 1 || axis == -1; }

/// Features first .. end - 1; none if end <= first.
struct FeatureRange {
  int64_t first, end;
  int64_t size() const { return end - first; }
};

/// Of a slice of [tokens, width] that takes one constant range of features without gaps; nothing if
/// it is another one.
inline std::optional<FeatureRange> featureRange(SliceOp slice, int64_t width) {
  const std::optional<int64_t> start = constantIndex(slice.getStarts()),
                               end = constantIndex(slice.getEnds());
  const bool dense = llvm::all_of(slice.getSteps(), [](int64_t step) { return step == 1; });
  if (!start || !end || !dense || slice.getAxes().size() != 1 || !isFeatureAxis(slice.getAxes()[0]))
    return std::nullopt;
  auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + width : at, 0, width); };
  return FeatureRange{clamp(*start), clamp(*end)};
}

} // namespace qopt::qir

#endif // QOPT_DIALECT_QIR_IR_FEATURERANGE_H
