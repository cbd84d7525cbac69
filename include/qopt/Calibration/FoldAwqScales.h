//===- FoldAwqScales.h - Channel scales chosen by activations ---------------------------------===//
// AWQ's scale search (qopt/Quantization/AWQ.h) for every group of calibrated linears whose input
// can be divided exactly: by the norm before it, by the rows of the up projection (gated MLPs), by
// those of the value projection (also under grouped-query attention, where query heads that share a
// value head share scales). One float sweep measures, then all scales are folded; the function that
// the graph computes does not change. A group keeps its weights where no scales lower the output
// error of round to nearest.
#ifndef QOPT_CALIBRATION_FOLDAWQSCALES_H
#define QOPT_CALIBRATION_FOLDAWQSCALES_H

#include "qopt/Calibration/Statistics.h"
#include "qopt/Quantization/AWQ.h"

#include <functional>
#include <string>
#include <vector>

namespace qopt::calibration {

struct ScaleReport {
  std::string name;     ///< of the group's first weight
  std::string skipped;  ///< why there are no scales, or ""
  double lossPlain = 0; ///< AWQ: sum of tr(E H E^T) of round to nearest
  double loss = 0;      ///< with the scales
  float alpha = 0;
  double seconds = 0;
};

struct ScaleFoldOptions {
  SweepOptions sweep;
  int64_t maxMemory = 0; ///< bytes of the process; 0: what is free
  /// Instead of a sweep; told what the inputs are divided by. Null: sweep.
  std::shared_ptr<Statistics> statistics;
  /// After each group.
  std::function<void(const ScaleReport &, int64_t done, int64_t count)> onGroup;
};

struct AwqFoldOptions : ScaleFoldOptions {
  quantization::AwqOptions search;
};

/// Errors: those of runSweep(); BadCalibration for inputs that are not finite.
qrt::Result<std::vector<ScaleReport>>
foldAwqScales(mlir::func::FuncOp function, const TokenTable &tokens, const AwqFoldOptions &options);

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_FOLDAWQSCALES_H
