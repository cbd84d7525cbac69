//===- WorkEstimate.cpp - What calibration will take -----------------------------------------===//
#include "qopt/Calibration/WorkEstimate.h"

#include "ForwardOps.h"
#include "Lend.h"
#include "MemoryPlan.h"
#include "ProbeCandidates.h"
#include "SweepPlan.h"

#include "qopt/Dialect/QIR/IR/Outliers.h"
#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"
#include "qopt/Quantization/Hessian.h"
#include "qopt/Quantization/OutputErrorRounding.h"

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

/// Forward work of one run of all tokens through the plan.
SweepWork forwardWork(const SweepPlan &plan, const TokenTable &tokens) {
  SweepWork work;
  double perToken = 0, heads = 0, squares = 0, elements = 0;
  for (const TokenTable::Sequence &sequence : tokens.sequences)
    squares += double(sequence.tokens) * double(sequence.tokens);
  for (const SweepPlan::Step &step : plan.steps) {
    if (auto linear = dyn_cast<qir::LinearOp>(step.op))
      perToken += 2.0 * double(cast<RankedTensorType>(linear.getW().getType()).getNumElements());
    else if (auto op = dyn_cast<qir::AttentionOp>(step.op))
      heads += double(op.getNumHeads()) * double(op.getHeadDim() + op.getValueDim());
    else
      for (int slot : step.outputs)
        elements += double(plan.widths[slot]);
  }
  work.forward = perToken * double(tokens.tokens());
  work.attention = heads * squares;
  work.elements = elements * double(tokens.tokens());
  return work;
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

/// Products of one linear under a prepared Hessian (GPTQ.cpp): feedback, a loss, refinement, or
/// without it another loss.
double gptqProducts(double n, double k, int rounds) {
  return n * k * k * (rounds > 0 ? 2 + 2.0 * rounds : 3);
}

/// A scale search under the Hessian (OutputErrorRounding.cpp): gradients and three losses; per
/// candidate the rounding and half of the group's block.
void addScaleSearch(double n, double k, int64_t groupSize, SweepWork &work) {
  const quantization::OutputErrorOptions options;
  const double size = groupSize ? std::min(double(groupSize), k) : k;
  const double block = size > double(quantization::longestSearchBlock) ? 0 : size;
  work.products += n * k * k * (4 + options.passes);
  work.search += 2.0 * options.passes * options.clipRatios * n * k * (8 + block);
}

void addGroup(const LinearGroup &group, double tokens, const CalibrationStage &stage,
              bool quantizes, SweepWork &work) {
  const auto k = static_cast<double>(group.features);
  const bool byGptq = quantizes && stage.quantizer.algorithm == Algorithm::Gptq;
  const bool byScale = quantizes && stage.quantizer.algorithm == Algorithm::Scale;
  std::set<int64_t> groupSizes;
  for (qir::LinearOp linear : group.linears)
    groupSizes.insert(qir::schemeOf(linear).getGroupSize());
  const bool known = stage.statisticsKnown();
  const SensitivityOptions &scored = stage.mixed.sensitivity;
  const double sparseKinds =
      double(scored.outlierShares.size()) * (scored.outliersOfOwnBits ? 1 : 3);
  const double moments = stage.floatMoments ? 0 : tokens * k * k, factor = k * k * k / 3;
  if (stage.floatMoments && !known)
    work.moments += tokens * k * k;
  if (stage.foldAwq)
    work.moments += moments;
  if (stage.mixed.enabled())
    work.moments += moments, work.factors += factor;
  if (stage.quantizer.targetCorrection > 0)
    work.moments += 2 * moments;
  if (quantizes)
    (stage.quantizer.arithmetic == SweepArithmetic::F32 ? work.moments : work.byteMoments) +=
        moments;
  if (byGptq)
    work.factors += factor * double(groupSizes.size());
  for (qir::LinearOp linear : group.linears) {
    ++work.linears;
    const auto n = double(cast<RankedTensorType>(linear.getW().getType()).getDimSize(0));
    if (stage.foldAwq)
      work.products += 2.0 * stage.awq.search.gridPoints *
                       std::min(n, double(stage.awq.search.sampleRows)) * k * k;
    if (stage.mixed.enabled())
      work.gptq += (3 + sparseKinds) * gptqProducts(n, k, 1),
          work.products += (6 + 6 * sparseKinds) * n * k * k;
    quantization::GptqOptions gptq = stage.quantizer.gptq;
    gptq.format = formatOf(qir::schemeOf(linear));
    if (byGptq)
      work.gptq += gptqProducts(n, k, roundsFor(gptq));
    if (byGptq && qir::outlierShare(linear) > 0) { // two more rounds, and values three times
      work.gptq += gptqProducts(n, k, 2) - gptqProducts(n, k, 0);
      work.products += 6 * n * k * k;
    }
    if (byGptq && stage.quantizer.targetCorrection > 0)
      work.products += 6 * n * k * k;
    if (byScale)
      addScaleSearch(n, k, qir::schemeOf(linear).getGroupSize(), work);
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
  const SweepWork once = forwardWork(plan, tokens);
  double runs =
      sweeps + int(stage.activations.has_value()) + int(stage.quantizer.targetCorrection > 0);
  if (stage.mixed.enabled()) { // a run of the rest of the graph per candidate, on the first tokens
    const SensitivityOptions &scored = stage.mixed.sensitivity;
    const int64_t probes = 3 * int64_t(plan.groups.size());
    QRT_ASSIGN_OR_RETURN(int64_t count, probeTokens(function, tokens, scored, probes, /*kept=*/0));
    runs += 0.5 * double(probes) *
            std::min(1.0, double(count) / std::max<double>(1, double(tokens.tokens())));
  }
  const bool coded =
      quantizes && !stage.floatMoments && stage.quantizer.arithmetic != SweepArithmetic::F32;
  work.forward = (runs - int(coded)) * once.forward;
  work.coded = int(coded) * once.forward;
  work.attention = runs * once.attention;
  work.elements = runs * once.elements;
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

namespace {

constexpr int64_t speedTokens = 1024, probeRows = 192, probeColumns = 2048;

/// Operations per second of the best of a few runs.
double rateOf(double operations, llvm::function_ref<bool()> run, int times) {
  using Clock = std::chrono::steady_clock;
  double best = 1;
  for (int i = 0; i < times; ++i) {
    const auto start = Clock::now();
    if (!run())
      return best;
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, operations / std::max(seconds, 1e-9));
  }
  return best;
}

/// Numbers as activations and weights have them, without a library's generator.
std::vector<float> probeValues(int64_t count) {
  std::vector<float> values(count);
  uint64_t state = 1;
  for (float &value : values) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value = float(int64_t(state >> 33 & 0xffff) + int64_t(state >> 49) - 49151) / 30000.0f;
  }
  return values;
}

double linearRate(qrt::kernels::ThreadPool &pool, std::vector<float> &x, bool coded,
                  SweepArithmetic arithmetic) {
  using namespace qrt::kernels;
  const int64_t n = 1024, k = probeColumns;
  WeightDesc desc;
  desc.n = n, desc.k = k;
  if (coded)
    desc.format = WeightFormat::U4, desc.groupSize = 128;
  qrt::Result<PackedSizes> sizes = packedSizes(desc);
  if (!sizes)
    return 1;
  auto aligned = [](size_t bytes) { return (bytes + 63) / 64 * 64; };
  std::unique_ptr<std::byte, void (*)(void *)> memory(
      static_cast<std::byte *>(
          std::aligned_alloc(64, aligned(sizes->data) + aligned(sizes->scales) + 64)),
      std::free);
  std::byte *scales = memory.get() + aligned(sizes->data);
  if (coded)
    packQuantized(desc, std::vector<uint8_t>(n * k, 7).data(),
                  std::vector<float>(n * (k / 128), 0.01f).data(), nullptr, memory.get(), scales,
                  nullptr);
  else
    packDense(desc, std::vector<float>(n * k, 0.5f).data(), memory.get());
  std::vector<float> y(speedTokens * n);
  Workspace workspace;
  LinearArgs args;
  args.dst = y.data(), args.dstStride = n;
  args.src = x.data(), args.srcStride = k;
  args.m = speedTokens;
  args.weight = {desc, memory.get(), coded ? scales : nullptr, nullptr};
  args.activation = !coded                              ? Activation::F32
                    : arithmetic == SweepArithmetic::A8 ? Activation::A8
                                                        : Activation::A16;
  return rateOf(2.0 * speedTokens * n * k, [&] { return linear(pool, args, workspace).isOk(); }, 3);
}

} // namespace

SweepSpeeds measureSpeeds(const SweepWork &work, const CalibratedOptions &options, int threads) {
  using namespace quantization;
  qrt::kernels::ThreadPool pool(threads);
  const ParallelFor parallel = lend(pool);
  const int64_t k = probeColumns;
  std::vector<float> x = probeValues(speedTokens * k);
  SweepSpeeds speeds;
  speeds.forward = linearRate(pool, x, false, options.arithmetic);
  if (work.coded > 0)
    speeds.coded = linearRate(pool, x, true, options.arithmetic);
  std::vector<float> h(k * k);
  auto moments = [&](MomentPrecision precision) {
    HessianAccumulator sum(k, parallel, precision); // pages of the sums count: they do in a sweep
    sum.add(x.data(), speedTokens, k);
    const double rate = rateOf(
        double(speedTokens) * double(k) * double(k),
        [&] { return sum.add(x.data(), speedTokens, k), true; }, 2);
    sum.finish(h);
    return rate;
  };
  if (work.moments > 0 || work.products > 0)
    speeds.moments = moments(MomentPrecision::Float32);
  if (work.byteMoments > 0 || work.gptq > 0)
    speeds.byteMoments = moments(MomentPrecision::Int8);
  if (work.factors > 0 || work.gptq > 0) {
    GptqOptions gptqOptions = options.gptq;
    gptqOptions.format = {4, 128, true, false};
    gptqOptions.workers = pool.size();
    gptqOptions.rounds = roundsFor(gptqOptions);
    qrt::Result<PreparedHessian> prepared = qrt::internalError("not run");
    speeds.factors = rateOf(
        double(k) * double(k) * double(k) / 3,
        [&] {
          prepared = prepareHessian(h, k, gptqOptions, parallel);
          return prepared.isOk();
        },
        1);
    const int64_t rows = probeRows * pool.size();
    const std::vector<float> w = probeValues(rows * k);
    if (prepared.isOk())
      speeds.gptq = rateOf(
          gptqProducts(double(rows), double(k), gptqOptions.rounds),
          [&] { return gptq(w, rows, *prepared, gptqOptions, parallel).isOk(); }, 1);
  }
  return speeds;
}

double secondsOf(const SweepWork &work, const SweepSpeeds &speeds) {
  // How many times slower than the f32 product an operation is, and what a float costs.
  constexpr double attention = 4, search = 6, products = 1.2, elements = 60;
  return work.forward / speeds.forward + work.coded / speeds.coded +
         (attention * work.attention + products * work.products + search * work.search +
          elements * work.elements) /
             speeds.forward +
         work.moments / speeds.moments + work.byteMoments / speeds.byteMoments +
         work.factors / speeds.factors + work.gptq / speeds.gptq;
}

} // namespace qopt::calibration
