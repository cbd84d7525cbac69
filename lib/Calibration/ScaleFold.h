//===- ScaleFold.h - Where the inverse of a channel scale can go -----------------------------===//
// Scaling input channel j of linears by s_j leaves the function alone if whatever makes the input
// divides its output channel j by s_j. findScaleFold() says what that is, applyScaleFold() does
// both. Linears and norms get new f32 constants; shared constants are left to their other users.
#ifndef QOPT_LIB_CALIBRATION_SCALEFOLD_H
#define QOPT_LIB_CALIBRATION_SCALEFOLD_H

#include "qopt/Calibration/Sweep.h"

#include <optional>

namespace qopt::calibration {

struct ScaleFold {
  enum class Kind {
    Norm, ///< rms_norm or layer_norm over the whole width: its weight (and bias)
    Up,   ///< swiglu or geglu: the rows of the linear behind `up`
    Value ///< attention: the rows of the linear behind v; heads of one group share scales
  };
  Kind kind;
  mlir::Operation *producer = nullptr; ///< the norm, or the linear whose rows are divided
  int64_t firstRow = 0;                ///< of the linear, for `rows` rows
  int64_t rows = 0;
  int64_t heads = 0, kvHeads = 0, headDim = 0; ///< Value

  /// Index of the producer's channel behind input channel j of the group.
  int64_t producerChannel(int64_t j) const {
    if (kind != Kind::Value)
      return j;
    const int64_t head = j / headDim;
    return head / (heads / kvHeads) * headDim + j % headDim;
  }
};

/// Null, with the reason in `why`, if there is nothing that can take the scales: the input is read
/// by other ops, too, or comes through something that is not linear.
std::optional<ScaleFold> findScaleFold(const LinearGroup &group, std::string &why);

/// scales [K]; equal for channels that share a producer's channel. Changes the group's weights
/// (columns times s) and the producer (divided by s).
void applyScaleFold(const LinearGroup &group, const ScaleFold &fold, std::span<const float> scales);

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_SCALEFOLD_H
