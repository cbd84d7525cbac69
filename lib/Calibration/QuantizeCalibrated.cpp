//===- QuantizeCalibrated.cpp - Linears quantized in a sweep ---------------------------------===//
#include "qopt/Calibration/QuantizeCalibrated.h"

#include "Checkpoint.h"
#include "GroupMoments.h"
#include "LinearQuantizers.h"
#include "MemoryPlan.h"

#include "qopt/Dialect/QIR/IR/Outliers.h"
#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"
#include "qopt/Quantization/SparseOutliers.h"
#include "qopt/Quantization/TargetCorrection.h"

#include "mlir/IR/Remarks.h"
#include "llvm/ADT/ScopeExit.h"

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
        count(count), moments(GroupMoments::Kind::HessianAlone, options.statistics.get(),
                              options.arithmetic == SweepArithmetic::F32 ? MomentPrecision::Float32
                                                                         : MomentPrecision::Int8) {}

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
  qrt::Result<std::map<int64_t, PreparedHessian>>
  prepare(const LinearGroup &group, std::vector<float> h, const ParallelFor &parallel);
  bool corrects() const { return options.targetCorrection > 0; }
  /// What the rounded weight should be; empty: the weight.
  qrt::Result<std::vector<float>> targetOf(const WeightMatrix &weight, std::span<const float> d,
                                           const PreparedHessian &hessian,
                                           const ParallelFor &parallel) const {
    if (d.empty())
      return std::vector<float>();
    return correctTarget(weight.values, weight.n, d, hessian,
                         static_cast<float>(options.targetCorrection), parallel);
  }
  Status install(LinearGroup &group, size_t index, StoredLinear &stored);
  void tell(const LinearGroup &group);

  func::FuncOp function;
  const CalibratedOptions &options;
  std::optional<Checkpoint> checkpoint;
  std::optional<std::vector<StoredLinear>> stored; // of the current group
  Clock::time_point groupStart, start = Clock::now();
  double costDone = 0, costLeft;
  int64_t count;
  GroupMoments moments;
  std::unique_ptr<CrossMoment> cross; ///< of float inputs and those behind quantized layers
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
  if (corrects())
    cross = std::make_unique<CrossMoment>(
        group.features, lend(pool),
        group.products ? group.products->makeSum(group.features, /*lowerOnly=*/false) : nullptr);
  return moments.begin(group, pool);
}

Status QuantizingVisitor::observe(const LinearGroup &, const Rows &rows,
                                  qrt::kernels::ThreadPool &pool) {
  moments.add(rows, pool);
  if (cross)
    cross->add(rows.floatData, rows.data, rows.tokens, rows.width,
               rows.weights ? std::span(rows.weights, static_cast<size_t>(rows.tokens))
                            : std::span<const float>());
  return Status::ok();
}

/// Factorisations by group size, shared by the linears of the group.
qrt::Result<std::map<int64_t, PreparedHessian>>
QuantizingVisitor::prepare(const LinearGroup &group, std::vector<float> h,
                           const ParallelFor &parallel) {
  const int64_t k = group.features;
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
  const bool byGptq = options.algorithm == Algorithm::Gptq;
  QRT_ASSIGN_OR_RETURN(Statistics::Moments seen, moments.finish(group));
  std::map<int64_t, PreparedHessian> prepared;
  if (byGptq) {
    QRT_ASSIGN_OR_RETURN(prepared, prepare(group, std::move(seen.hessian), parallel));
  }
  std::vector<float> d(cross ? group.features * group.features : 0);
  const bool finite = !cross || cross->finish(d);
  if (group.products && !group.products->status())
    return group.products->status();
  if (!finite)
    return Status::error(qrt::StatusCode::BadCalibration, "its values are not finite");
  cross.reset();
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
    gptqOptions.workers = pool.size();
    gptqOptions.rounds = roundsFor(gptqOptions);
    const PreparedHessian &under = prepared[scheme.getGroupSize()];
    auto target = targetOf(weight, d, under, parallel);
    if (!target)
      return target.status().withContext("'" + name + "'");
    const double outliers = qir::outlierShare(linear);
    auto byHessian = options.algorithm == Algorithm::Rtn ? quantizeByRounding : quantizeByScale;
    auto result = byGptq ? quantizeByGptq(weight, under, gptqOptions, parallel, *target, outliers)
                         : byHessian(weight, seen.hessian, gptqOptions.format, parallel, outliers);
    if (!result)
      return result.status().withContext("'" + name + "'");
    result->report.scheme = scheme.toText();
    result->report.name = name;
    result->report.tokens = moments.tokens();
    result->report.seconds = shared + secondsSince(start);
    made.push_back(std::move(*result));
  }
  return made;
}

static ArrayAttr outlierElements(const SparseWeights &sparse, const std::string &name,
                                 Operation *op) {
  Builder builder(op);
  auto make = [&](const auto &list, Type element) -> Attribute {
    auto type = RankedTensorType::get({static_cast<int64_t>(list.size())}, element);
    ArrayRef<char> bytes(reinterpret_cast<const char *>(list.data()),
                         list.size() * sizeof(list.front()));
    return WeightStore::insertCopy(type, name + ".outliers", bytes);
  };
  return builder.getArrayAttr({make(sparse.rows, builder.getI32Type()),
                               make(sparse.columns, builder.getIntegerType(16, /*isSigned=*/false)),
                               make(sparse.values, builder.getF16Type())});
}

/// As many as were asked for, in the rows of the weight.
static bool outliersFit(const SparseWeights &sparse, RankedTensorType type, double share) {
  if (share <= 0)
    return sparse.empty();
  const int64_t n = type.getDimSize(0), count = outlierCount(share, n, type.getDimSize(1));
  return static_cast<int64_t>(sparse.rows.size()) == n + 1 && sparse.rows.back() == count &&
         static_cast<int64_t>(sparse.columns.size()) == count &&
         static_cast<int64_t>(sparse.values.size()) == count;
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
      from.zeroPoints.size() != (weight.zeroPoints() ? scales : 0) ||
      !outliersFit(from.outliers, type, qir::outlierShare(linear))) {
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
  if (report.outliers > 0)
    remark::passed(constant->getLoc(), remark::RemarkOpts::name("outliers").category("calibrate"))
        << "keeps the weights of the highest (w - x')^2 H_jj in f16"
        << remark::metric("outliers", report.outliers)
        << remark::metric("share", double(report.outliers) / double(report.rows * report.columns))
        << remark::metric("bits", report.bits);
  Operation *quantized = qir::replaceByQuantized(linear, weight.finish(report.rmsError));
  quantized->removeAttr(qir::outlierShareAttr);
  if (!from.outliers.empty())
    quantized->setAttr(qir::outliersAttr, outlierElements(from.outliers, report.name, quantized));
  group.replacements[index] = quantized;
  qir::releaseIfUnused(constant, corrects() ? function->getParentOp() : function);
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

/// Drops the copy, and the float weights that only it has read.
static void releaseUnused(func::FuncOp function, func::FuncOp copy) {
  copy.erase();
  SmallVector<qir::ConstantOp> constants(function.getOps<qir::ConstantOp>());
  for (qir::ConstantOp constant : constants)
    qir::releaseIfUnused(constant, function);
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
  sweep.arithmetic = options.arithmetic;
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
  func::FuncOp copy;
  llvm::scope_exit erase([&] {
    if (copy)
      copy.erase();
  });
  if (options.targetCorrection > 0) {
    // In the same module, where the blobs that both read are seen to be in use.
    copy = function.clone();
    copy.setName((function.getName() + ".float").str());
    copy.setPrivate();
    function->getBlock()->push_back(copy);
    sweep.floatFunction = copy;
    const int64_t k = llvm::max_element(groups, [](const auto &a, const auto &b) {
                        return a.features < b.features;
                      })->features;
    sweep.maxActivationBytes = std::max<int64_t>(0, sweep.maxActivationBytes - 12 * k * k);
  }
  QuantizingVisitor visitor(function, options, std::move(checkpoint), costs, count);
  QRT_RETURN_IF_ERROR(runVisitor(function, tokens, sweep, visitor, options.statistics.get()));
  if (copy)
    releaseUnused(function, std::exchange(copy, {}));
  return std::move(visitor.reports);
}

} // namespace qopt::calibration
