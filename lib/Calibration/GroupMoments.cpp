//===- GroupMoments.cpp - Moments of a group's input, accumulated or known --------------------===//
#include "GroupMoments.h"

namespace qopt::calibration {

qrt::Status runVisitor(mlir::func::FuncOp function, const TokenTable &tokens,
                       const SweepOptions &options, SweepVisitor &visitor,
                       const Statistics *statistics) {
  if (!statistics)
    return runSweep(function, tokens, options, visitor);
  QRT_ASSIGN_OR_RETURN(std::vector<LinearGroup> groups, linearGroups(function, visitor));
  qrt::kernels::ThreadPool pool(options.threads);
  for (LinearGroup &group : groups) {
    if (options.interrupted && options.interrupted->load())
      return qrt::Status::error(qrt::StatusCode::Interrupted, "interrupted during calibration");
    QRT_RETURN_IF_ERROR(visitor.begin(group, pool).status());
    QRT_RETURN_IF_ERROR(visitor.finish(group, pool));
  }
  return qrt::Status::ok();
}

} // namespace qopt::calibration
