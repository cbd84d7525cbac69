//===- QuantizeCalibrated.cpp - Linears quantized in a sweep ---------------------------------===//
#include "qopt/Calibration/QuantizeCalibrated.h"

#include "Checkpoint.h"
#include "HessianRows.h"
#include "Lend.h"
#include "LinearQuantizers.h"
#include "MeanSquares.h"
#include "MemoryPlan.h"

#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"

#include "mlir/IR/Remarks.h"

#include <chrono>
#include <map>
#include <sys/resource.h>

using namespace mlir;
using namespace qopt::quantization;
using qrt::Status;

namespace qopt::calibration {

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int64_t peakResidentBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t(usage.ru_maxrss) * 1024;
}

class QuantizingVisitor : public SweepVisitor {
public:
  QuantizingVisitor(func::FuncOp function, const CalibratedOptions &options,
                    std::optional<Checkpoint> checkpoint, double costs, int64_t count)
      : function(function), options(options), checkpoint(std::move(checkpoint)), costLeft(costs),
        count(count) {}

  bool wants(qir::LinearOp linear) override { return qir::isCalibrated(linear); }
  qrt::Result<bool> begin(const LinearGroup &group, qrt::kernels::ThreadPool &pool) override;
  Status observe(const LinearGroup &group, const Rows &rows,
                 qrt::kernels::ThreadPool &pool) override;
  Status finish(LinearGroup &group, qrt::kernels::ThreadPool &pool) override;

  /// A rough measure of the work of a group, for the estimate of the time that is left.
  static double costOf(const LinearGroup &group);

  std::vector<LinearReport> reports;

private:
  qrt::Result<std::vector<StoredLinear>> quantizeGroup(LinearGroup &group,
                                                       qrt::kernels::ThreadPool &pool);
  qrt::Result<std::map<int64_t, PreparedHessian>> prepare(const LinearGroup &group,
                                                          const ParallelFor &parallel);
  static Status badInputs() {
    return Status::error(qrt::StatusCode::BadCalibration,
                         "its values are not finite, or no token has a weight");
  }
  Status install(LinearGroup &group, size_t index, StoredLinear &stored);
  void tell(const LinearGroup &group);

  func::FuncOp function;
  const CalibratedOptions &options;
  std::optional<Checkpoint> checkpoint;
  std::optional<std::vector<StoredLinear>> stored; // of the current group
  std::unique_ptr<HessianAccumulator> hessian;     // Gptq
  std::unique_ptr<MeanSquares> squares;            // Scale
  Clock::time_point groupStart, start = Clock::now();
  double costDone = 0, costLeft;
  int64_t count;
};

} // namespace

double QuantizingVisitor::costOf(const LinearGroup &group) {
  const auto k = static_cast<double>(group.features);
  double rows = 0;
  for (qir::LinearOp linear : group.linears)
    rows += static_cast<double>(cast<RankedTensorType>(linear.getW().getType()).getDimSize(0));
  return k * k + 2 * k * rows; // per token; quantizing grows likewise
}

qrt::Result<bool> QuantizingVisitor::begin(const LinearGroup &group,
                                           qrt::kernels::ThreadPool &pool) {
  groupStart = Clock::now();
  stored.reset();
  if (checkpoint)
    stored = checkpoint->read(group.index);
  if (stored && stored->size() != group.linears.size())
    stored.reset();
  if (stored)
    return false;
  if (options.algorithm == Algorithm::Gptq)
    hessian = std::make_unique<HessianAccumulator>(group.features, lend(pool));
  else
    squares = std::make_unique<MeanSquares>(group.features);
  return true;
}

Status QuantizingVisitor::observe(const LinearGroup &, const Rows &rows,
                                  qrt::kernels::ThreadPool &pool) {
  if (squares) {
    squares->add(rows, pool);
    return Status::ok();
  }
  addRows(*hessian, rows);
  return Status::ok();
}

/// Factorisations by group size, shared by the linears of the group.
qrt::Result<std::map<int64_t, PreparedHessian>>
QuantizingVisitor::prepare(const LinearGroup &group, const ParallelFor &parallel) {
  const int64_t k = group.features;
  std::vector<float> h(k * k);
  if (!hessian->finish(h))
    return badInputs();
  hessian.reset();
  std::map<int64_t, PreparedHessian> prepared;
  for (qir::LinearOp linear : group.linears)
    prepared[qir::schemeOf(linear).getGroupSize()];
  for (auto it = prepared.begin(); it != prepared.end(); ++it) {
    GptqOptions gptqOptions = options.gptq;
    gptqOptions.format.groupSize = it->first;
    const bool last = std::next(it) == prepared.end();
    QRT_ASSIGN_OR_RETURN(it->second,
                         prepareHessian(last ? std::move(h) : h, k, gptqOptions, parallel));
  }
  return prepared;
}

qrt::Result<std::vector<StoredLinear>>
QuantizingVisitor::quantizeGroup(LinearGroup &group, qrt::kernels::ThreadPool &pool) {
  const ParallelFor parallel = lend(pool);
  const bool byHessian = options.algorithm == Algorithm::Gptq;
  const int64_t tokens = byHessian ? hessian->tokens() : squares->tokens();
  std::map<int64_t, PreparedHessian> prepared;
  std::vector<float> importance;
  if (byHessian) {
    QRT_ASSIGN_OR_RETURN(prepared, prepare(group, parallel));
  } else if (!squares->finish(importance)) {
    return badInputs();
  }
  const double shared = secondsSince(groupStart) / static_cast<double>(group.linears.size());
  std::vector<StoredLinear> made;
  for (qir::LinearOp linear : group.linears) {
    auto start = Clock::now();
    qir::SchemeAttr scheme = qir::schemeOf(linear);
    const std::string name = weightName(linear.getW());
    WeightMatrix weight;
    if (!readWeight(linear.getW(), weight))
      return qrt::invalidModel("'" + name + "': expects a readable float weight");
    GptqOptions gptqOptions = options.gptq;
    gptqOptions.format = formatOf(scheme);
    auto result =
        byHessian ? quantizeByGptq(weight, prepared[scheme.getGroupSize()], gptqOptions, parallel)
                  : quantizeByScale(weight, importance, gptqOptions.format, gptqOptions.clipRatios,
                                    parallel);
    if (!result)
      return result.status().withContext("'" + name + "'");
    result->report.scheme = scheme.toText();
    result->report.name = name;
    result->report.tokens = tokens;
    result->report.seconds = shared + secondsSince(start);
    made.push_back(std::move(*result));
  }
  return made;
}

/// Puts codes into the graph.
Status QuantizingVisitor::install(LinearGroup &group, size_t index, StoredLinear &from) {
  qir::LinearOp linear = group.linears[index];
  auto constant = linear.getW().getDefiningOp<qir::ConstantOp>();
  auto type = cast<RankedTensorType>(constant.getType());
  qir::NewCodedWeight weight(constant, qir::schemeOf(linear));
  const size_t scales = type.getDimSize(0) * weight.groups();
  if (from.codes.size() != static_cast<size_t>(type.getNumElements()) ||
      from.scales.size() != scales ||
      from.zeroPoints.size() != (weight.zeroPoints() ? scales : 0)) {
    weight.discard();
    return Status::error(qrt::StatusCode::ResumeMismatch, "the stored codes of '" +
                                                              weightName(linear.getW()) +
                                                              "' do not fit its weight");
  }
  std::copy(from.codes.begin(), from.codes.end(), weight.codes());
  std::copy(from.scales.begin(), from.scales.end(), weight.scales());
  if (weight.zeroPoints())
    std::copy(from.zeroPoints.begin(), from.zeroPoints.end(), weight.zeroPoints());
  const LinearReport &report = from.report;
  remark::passed(constant->getLoc(), remark::RemarkOpts::name("linear").category("calibrate"))
      << remark::metric("scheme", report.scheme)
      << remark::metric("loss", report.energy > 0 ? report.loss / report.energy : 0.0)
      << remark::metric("loss_rtn", report.energy > 0 ? report.lossRtn / report.energy : 0.0);
  group.replacements[index] = qir::replaceByQuantized(linear, weight.finish(report.rmsError));
  qir::releaseIfUnused(constant, function);
  return Status::ok();
}

void QuantizingVisitor::tell(const LinearGroup &group) {
  const double elapsed = secondsSince(start);
  const double left = costDone > 0 ? elapsed / costDone * costLeft : 0;
  const size_t made = group.linears.size();
  for (size_t i = reports.size() - made; i < reports.size(); ++i)
    if (options.onLinear)
      options.onLinear(reports[i], static_cast<int64_t>(i) + 1, count, left);
}

Status QuantizingVisitor::finish(LinearGroup &group, qrt::kernels::ThreadPool &pool) {
  const double cost = costOf(group);
  if (!stored) {
    auto made = quantizeGroup(group, pool);
    if (!made)
      return made.status().withContext("input of '" + weightName(group.linears[0].getW()) + "'");
    stored = std::move(*made);
    if (checkpoint)
      QRT_RETURN_IF_ERROR(checkpoint->write(group.index, *stored));
  }
  for (size_t i = 0; i < group.linears.size(); ++i) {
    QRT_RETURN_IF_ERROR(install(group, i, (*stored)[i]));
    LinearReport &report = (*stored)[i].report;
    report.peakBytes = peakResidentBytes();
    reports.push_back(std::move(report));
  }
  stored.reset();
  costDone += cost;
  costLeft -= cost;
  tell(group);
  return Status::ok();
}

qrt::Result<std::vector<LinearReport>> quantizeCalibrated(func::FuncOp function,
                                                          const TokenTable &tokens,
                                                          const CalibratedOptions &options) {
  QuantizingVisitor probe(function, options, std::nullopt, 0, 0);
  QRT_ASSIGN_OR_RETURN(std::vector<LinearGroup> groups, linearGroups(function, probe));
  double costs = 0;
  int64_t count = 0;
  for (const LinearGroup &group : groups) {
    costs += QuantizingVisitor::costOf(group);
    count += static_cast<int64_t>(group.linears.size());
  }
  if (groups.empty())
    return std::vector<LinearReport>();
  SweepOptions sweep = options.sweep;
  QRT_ASSIGN_OR_RETURN(int64_t bytes, activationBytes(groups, options.maxMemory));
  sweep.maxActivationBytes = std::min(sweep.maxActivationBytes, bytes);
  if (sweep.spillDirectory.empty())
    sweep.spillDirectory = options.workDirectory;
  std::optional<Checkpoint> checkpoint;
  if (!options.workDirectory.empty()) {
    QRT_ASSIGN_OR_RETURN(checkpoint, Checkpoint::open(options.workDirectory,
                                                      fingerprintOf(function, tokens, options),
                                                      options.resume, options.force));
  }
  QuantizingVisitor visitor(function, options, std::move(checkpoint), costs, count);
  QRT_RETURN_IF_ERROR(runSweep(function, tokens, sweep, visitor));
  return std::move(visitor.reports);
}

} // namespace qopt::calibration
