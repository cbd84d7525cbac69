//===- ForwardProbe.cpp - What a change of one group does to the logits ----------------------===//
#include "ForwardProbe.h"

#include "Divergence.h"

#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"

#include <numeric>

using namespace mlir;
using qrt::Status;

namespace qopt::calibration {

namespace {

/// Groups of calibrated linears, and the result.
struct PlanVisitor : SweepVisitor {
  bool wants(qir::LinearOp linear) override { return qir::isCalibrated(linear); }
  bool wantsResult() override { return true; }
};

qrt::Result<SweepPlan> makePlan(func::FuncOp function) {
  PlanVisitor visitor;
  return SweepPlan::make(function, visitor);
}

} // namespace

qrt::Result<int64_t> ForwardProbe::bytesNeeded(func::FuncOp function, int64_t tokens) {
  QRT_ASSIGN_OR_RETURN(SweepPlan plan, makePlan(function));
  int64_t floats = 0;
  for (int64_t width : plan.widths)
    floats += width * tokens;
  floats += plan.widths[plan.result] * tokens;
  for (const SweepPlan::Step &step : plan.steps)
    if (isa<qir::LinearOp, qir::QuantizedLinearOp>(step.op))
      floats += plan.widths[step.inputs[0]] * plan.widths[step.outputs[0]];
  return floats * static_cast<int64_t>(sizeof(float));
}

ForwardProbe::ForwardProbe(SweepPlan madePlan, TokenTable table, int threads)
    : plan(std::move(madePlan)), tokens(std::move(table)), pool(threads),
      chunk{pool, workspace, pages, ropes} {
  chunk.tokens = tokens.tokens();
  chunk.ids = tokens.ids;
  for (const TokenTable::Sequence &sequence : tokens.sequences) {
    chunk.sequences.push_back(sequence);
    for (int64_t i = 0; i < sequence.tokens; ++i)
      chunk.positions.push_back(static_cast<int32_t>(i));
  }
  ropes.setPositions(chunk.positions);
  for (int64_t width : plan.widths) {
    values.emplace_back(width * chunk.tokens);
    chunk.values.push_back(values.back().data());
  }
}

qrt::Result<std::unique_ptr<ForwardProbe>> ForwardProbe::create(func::FuncOp function,
                                                                TokenTable tokens, int threads) {
  QRT_ASSIGN_OR_RETURN(SweepPlan plan, makePlan(function));
  if (plan.result < 0 || tokens.ids.empty())
    return qrt::invalidArgument("a probe needs tokens and a function that returns logits");
  std::unique_ptr<ForwardProbe> probe(
      new ForwardProbe(std::move(plan), std::move(tokens), threads));
  for (const SweepPlan::Step &step : probe->plan.steps) {
    std::string why;
    probe->ops.push_back(bindOp(step.op, {step.inputs, step.outputs, probe->plan.widths}, why));
    if (!probe->ops.back())
      return qrt::unsupported("calibration has no kernel for " +
                              step.op->getName().getStringRef().str() + ": " + why);
  }
  QRT_RETURN_IF_ERROR(probe->run(0, {}));
  probe->reference = probe->values[probe->plan.result];
  probe->weighPositions();
  return probe;
}

Status ForwardProbe::run(size_t begin, const std::vector<std::pair<size_t, BoundOp>> &changed) {
  for (size_t i = begin; i < ops.size(); ++i) {
    const BoundOp *op = &ops[i];
    for (const auto &[step, other] : changed)
      if (step == i)
        op = &other;
    QRT_RETURN_IF_ERROR((*op)(chunk));
  }
  return Status::ok();
}

/// By the model's own probability of what follows; the last position of a sequence has 0.
void ForwardProbe::weighPositions() {
  const int64_t width = plan.widths[plan.result];
  weights.assign(chunk.tokens, 0.0);
  for (const TokenTable::Sequence &sequence : chunk.sequences)
    pool.parallelFor(sequence.tokens - 1, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t t = sequence.first + begin; t < sequence.first + end; ++t) {
        const float *row = reference.data() + t * width;
        const double given = tokens.weights.empty() ? 1.0 : tokens.weights[t];
        weights[t] = given * probability(row, width, chunk.ids[t + 1]);
      }
    });
  if (std::accumulate(weights.begin(), weights.end(), 0.0) > 0)
    return;
  for (int64_t t = 0; t < chunk.tokens; ++t) // sequences of one token
    weights[t] = tokens.weights.empty() ? 1.0 : tokens.weights[t];
}

double ForwardProbe::meanDivergence() {
  const int64_t width = plan.widths[plan.result];
  std::vector<double> rows(chunk.tokens);
  pool.parallelFor(chunk.tokens, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t)
      if (weights[t] > 0)
        rows[t] = calibration::divergence(reference.data() + t * width,
                                          values[plan.result].data() + t * width, width);
  });
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  return sum > 0 ? std::inner_product(rows.begin(), rows.end(), weights.begin(), 0.0) / sum : 0;
}

qrt::Result<double> ForwardProbe::divergence(int64_t index,
                                             const std::vector<WeightMatrix> &matrices) {
  const SweepPlan::Group &group = plan.groups[index];
  std::vector<std::pair<size_t, BoundOp>> changed;
  for (size_t i = 0; i < group.steps.size(); ++i) {
    const SweepPlan::Step &step = plan.steps[group.steps[i]];
    std::string why;
    BoundOp op = bindLinear(matrices[i], cast<qir::LinearOp>(step.op).getBias(),
                            {step.inputs, step.outputs, plan.widths}, why);
    if (!op)
      return qrt::internalError("probe: " + why);
    changed.emplace_back(group.steps[i], std::move(op));
  }
  QRT_RETURN_IF_ERROR(run(group.at, changed));
  return meanDivergence();
}

} // namespace qopt::calibration
