//===- WorkEstimate.cpp - What calibration will take -----------------------------------------===//
#include "qopt/Calibration/WorkEstimate.h"

#include "ForwardOps.h"
#include "MemoryPlan.h"
#include "SweepPlan.h"

#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"

#include <algorithm>
#include <chrono>
#include <set>

using namespace mlir;
using qrt::Status;

namespace qopt::calibration {

namespace {

/// Says which linears count; never runs.
struct Calibrated : SweepVisitor {
  bool wants(qir::LinearOp linear) override { return qir::isCalibrated(linear); }
  qrt::Result<bool> begin(const LinearGroup &, qrt::kernels::ThreadPool &) override {
    return false;
  }
  Status observe(const LinearGroup &, const Rows &, qrt::kernels::ThreadPool &) override {
    return Status::ok();
  }
  Status finish(LinearGroup &, qrt::kernels::ThreadPool &) override { return Status::ok(); }
};

/// Ops without an f32 kernel. Weights are not read: matrix products have one.
Status checkKernels(const SweepPlan &plan) {
  std::map<std::string, int> problems;
  for (const SweepPlan::Step &step : plan.steps) {
    std::string why;
    if (!isa<qir::LinearOp, qir::EmbeddingOp>(step.op) &&
        !bindOp(step.op, {step.inputs, step.outputs, plan.widths}, why))
      ++problems[step.op->getName().getStringRef().str() + ": " + why];
  }
  return missingKernels(problems);
}

double forwardOperations(const SweepPlan &plan, const TokenTable &tokens) {
  double perToken = 0, attention = 0, squares = 0;
  for (const TokenTable::Sequence &sequence : tokens.sequences)
    squares += double(sequence.tokens) * double(sequence.tokens);
  for (const SweepPlan::Step &step : plan.steps) {
    if (auto linear = dyn_cast<qir::LinearOp>(step.op))
      perToken += 2.0 * double(cast<RankedTensorType>(linear.getW().getType()).getNumElements());
    if (auto op = dyn_cast<qir::AttentionOp>(step.op))
      attention += double(op.getNumHeads()) * double(op.getHeadDim() + op.getValueDim());
  }
  return perToken * double(tokens.tokens()) + attention * squares;
}

int64_t livingBytes(const SweepPlan &plan, int64_t tokens) {
  int64_t most = 0;
  for (const SweepPlan::Group &group : plan.groups) {
    int64_t width = 0;
    for (size_t slot = 0; slot < plan.widths.size(); ++slot)
      if (plan.madeAt[slot] < group.at && plan.lastUse[slot] >= group.at)
        width += plan.widths[slot];
    most = std::max(most, width);
  }
  return most * tokens * int64_t(sizeof(float));
}

/// Products of one linear under a prepared Hessian (GPTQ.cpp): feedback, losses, refinement.
double gptqProducts(double n, double k, int rounds) {
  return n * k * k * (5 + (rounds > 0 ? 2 + 9.0 * rounds : 0));
}

void addGroup(const LinearGroup &group, double tokens, const CalibrationStage &stage,
              bool quantizes, SweepWork &work) {
  const auto k = static_cast<double>(group.features);
  const bool byHessian = quantizes && stage.quantizer.algorithm == Algorithm::Gptq;
  std::set<int64_t> groupSizes;
  for (qir::LinearOp linear : group.linears)
    groupSizes.insert(qir::schemeOf(linear).getGroupSize());
  const bool known = stage.statisticsKnown();
  const double moments = stage.floatMoments ? 0 : tokens * k * k, factor = 4.0 / 3 * k * k * k;
  if (stage.floatMoments && !known)
    work.moments += tokens * k * k;
  if (stage.foldAwq)
    work.moments += moments;
  if (stage.mixed.enabled())
    work.moments += moments, work.factors += factor;
  if (stage.quantizer.targetCorrection > 0)
    work.moments += 2 * moments;
  if (byHessian)
    work.moments += moments, work.factors += factor * double(groupSizes.size());
  for (qir::LinearOp linear : group.linears) {
    ++work.linears;
    const auto n = double(cast<RankedTensorType>(linear.getW().getType()).getDimSize(0));
    if (stage.foldAwq)
      work.rounding += 2.0 * stage.awq.search.gridPoints *
                       std::min(n, double(stage.awq.search.sampleRows)) * k * k;
    if (stage.mixed.enabled())
      work.rounding += 3 * gptqProducts(n, k, 0) + 6 * n * k * k;
    if (byHessian)
      work.rounding += gptqProducts(n, k, stage.quantizer.gptq.rounds);
    if (quantizes)
      work.search += 8.0 * stage.quantizer.gptq.clipRatios * n * k;
  }
}

} // namespace

qrt::Result<SweepWork> estimateSweeps(func::FuncOp function, const TokenTable &tokens,
                                      const CalibrationStage &stage, bool quantizes) {
  Calibrated visitor;
  QRT_ASSIGN_OR_RETURN(SweepPlan plan, SweepPlan::make(function, visitor));
  QRT_RETURN_IF_ERROR(checkKernels(plan));
  SweepWork work;
  // With statistics one sweep serves all, and none if they are there.
  const bool known = stage.statisticsKnown();
  const int sweeps = stage.floatMoments ? int(!known)
                                        : int(quantizes) + int(stage.foldAwq) +
                                              int(stage.foldSmooth) + int(stage.mixed.enabled());
  const double forward = forwardOperations(plan, tokens);
  work.forward = (sweeps + int(stage.quantizer.targetCorrection > 0)) * forward;
  if (stage.mixed.enabled()) // one run of the rest of the graph per group, on the first tokens
    work.forward += 0.5 * double(plan.groups.size()) * forward *
                    std::min(1.0, double(stage.mixed.sensitivity.probeTokens) /
                                      std::max<double>(1, double(tokens.tokens())));
  std::vector<LinearGroup> groups;
  for (const SweepPlan::Group &group : plan.groups) {
    addGroup(group.linears, double(tokens.tokens()), stage, quantizes, work);
    groups.push_back(group.linears);
  }
  QRT_RETURN_IF_ERROR(activationBytes(groups, stage.quantizer.maxMemory).status());
  work.quantizerBytes = quantizerBytes(groups);
  work.activationBytes = livingBytes(plan, tokens.tokens());
  return work;
}

double measureSpeed(int threads) {
  using Clock = std::chrono::steady_clock;
  constexpr int64_t m = 512, n = 1024, k = 1024;
  const int64_t widths[] = {k, n};
  std::vector<float> x(m * k, 0.25f), y(m * n);
  std::string why;
  BoundOp product = bindLinear({n, k, std::vector<float>(n * k, 0.5f)}, {},
                               {.inputs = {0}, .outputs = {1}, .widths = widths}, why);
  qrt::kernels::ThreadPool pool(threads);
  qrt::kernels::Workspace workspace;
  KvPages pages;
  RopeTables ropes;
  Chunk chunk{pool, workspace, pages, ropes};
  chunk.tokens = m;
  chunk.values = {x.data(), y.data()};
  double best = 1;
  for (int run = 0; run < 6; ++run) {
    const auto start = Clock::now();
    if (!product || !product(chunk))
      return best;
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, 2.0 * m * n * k / seconds);
  }
  return best;
}

double secondsOf(const SweepWork &work, double speed) {
  // How many times slower than the plain product each kind of work runs.
  constexpr double moments = 1.2, factors = 6, rounding = 2.0, search = 6;
  return (work.forward + moments * work.moments + factors * work.factors +
          rounding * work.rounding + search * work.search) /
         speed;
}

} // namespace qopt::calibration
