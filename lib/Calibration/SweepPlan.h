//===- SweepPlan.h - Which op of a function runs when, and what it reads ---------------------===//
// Made once, before anything is rewritten: values are numbered, so that ops can be replaced during
// the sweep without losing track.
#ifndef QOPT_LIB_CALIBRATION_SWEEPPLAN_H
#define QOPT_LIB_CALIBRATION_SWEEPPLAN_H

#include "qopt/Calibration/Sweep.h"

namespace qopt::calibration {

struct SweepPlan {
  struct Step {
    mlir::Operation *op = nullptr;
    std::vector<int> inputs;  ///< slot of each operand, or a special one (ForwardOps.h)
    std::vector<int> outputs; ///< slot of each result
  };
  struct Group {
    LinearGroup linears;
    std::vector<size_t> steps; ///< of the linears
    int input = 0;             ///< slot
    size_t at = 0;             ///< the first of its steps: what stands before runs before
  };

  std::vector<Step> steps; ///< only those that the groups and, if wanted, the result need
  std::vector<Group> groups;
  std::vector<int64_t> widths; ///< by slot
  std::vector<size_t> madeAt;  ///< by slot: the step
  std::vector<size_t> lastUse; ///< by slot: the last step that reads it; steps.size(): the result
  int result = -1;             ///< slot of the function's result, -1 if it is not wanted

  /// Unsupported if the function is not token-major.
  static qrt::Result<SweepPlan> make(mlir::func::FuncOp function, SweepVisitor &visitor);
};

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_SWEEPPLAN_H
