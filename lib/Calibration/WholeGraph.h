//===- WholeGraph.h - A sweep for the logits only ---------------------------------------------===//
#ifndef QOPT_LIB_CALIBRATION_WHOLEGRAPH_H
#define QOPT_LIB_CALIBRATION_WHOLEGRAPH_H

#include "qopt/Calibration/Sweep.h"

namespace qopt::calibration {

/// Stops at every linear, so that the weights of one segment at a time are in memory; what counts
/// is the result.
struct WholeGraph : SweepVisitor {
  bool wants(qir::LinearOp) override { return true; }
  bool wantsResult() override { return true; }
};

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_WHOLEGRAPH_H
