//===- ForwardProbe.h - What a change of one group does to the logits ------------------------===//
// Runs a few tokens through the whole graph and keeps every value, so that the effect of other
// weights in one group costs only the ops behind it. Groups are probed from the last to the first:
// what a probe overwrites lies behind it. All weights are held in f32 (bytesNeeded()).
// Not thread-safe.
#ifndef QOPT_LIB_CALIBRATION_FORWARDPROBE_H
#define QOPT_LIB_CALIBRATION_FORWARDPROBE_H

#include "ForwardOps.h"
#include "SweepPlan.h"

#include "qopt/Calibration/Sweep.h"

namespace qopt::calibration {

class ForwardProbe {
public:
  /// Memory that a probe over `tokens` tokens takes.
  static qrt::Result<int64_t> bytesNeeded(mlir::func::FuncOp function, int64_t tokens);

  /// Runs the tokens once. Errors: those of runSweep().
  static qrt::Result<std::unique_ptr<ForwardProbe>> create(mlir::func::FuncOp function,
                                                           TokenTable tokens, int threads);

  int64_t groups() const { return static_cast<int64_t>(plan.groups.size()); }

  /// Mean KL divergence in nats between the logits of the first run and those with `weights` (one
  /// per linear) in group `index`. Call with falling indices. A position counts as its token does,
  /// times the probability that the first run gives to the token that follows: what the model would
  /// write itself counts, a prompt that it was never trained to predict hardly.
  qrt::Result<double> divergence(int64_t index, const std::vector<WeightMatrix> &weights);

private:
  ForwardProbe(SweepPlan plan, TokenTable tokens, int threads);
  qrt::Status run(size_t begin, const std::vector<std::pair<size_t, BoundOp>> &changed);
  double meanDivergence();
  void weighPositions();

  SweepPlan plan;
  TokenTable tokens;
  qrt::kernels::ThreadPool pool;
  qrt::kernels::Workspace workspace;
  KvPages pages;
  RopeTables ropes;
  Chunk chunk;
  std::vector<BoundOp> ops;
  std::vector<std::vector<float>> values; // by slot
  std::vector<float> reference;           // logits of the first run
  std::vector<double> weights;            // by position
};

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_FORWARDPROBE_H
