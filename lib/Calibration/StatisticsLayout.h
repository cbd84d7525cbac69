//===- StatisticsLayout.h - What reader and writer of statistics agree on ---------------------===//
#ifndef QOPT_LIB_CALIBRATION_STATISTICSLAYOUT_H
#define QOPT_LIB_CALIBRATION_STATISTICSLAYOUT_H

#include "qopt/Calibration/TokenTable.h"

#include "Support/Json.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qopt::calibration {

inline constexpr int64_t statisticsVersion = 1;

/// f32 numbers of a group of k features.
inline size_t groupFloats(int64_t k, bool hessian) {
  const auto size = static_cast<size_t>(k);
  return 3 * size + (hessian ? size * (size + 1) / 2 : 0);
}

qrt::OrderedJson statisticsFingerprint(mlir::func::FuncOp function, const TokenTable &tokens);

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_STATISTICSLAYOUT_H
