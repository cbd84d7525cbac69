//===- FoldScales.cpp - Channel scales of groups, folded exactly ------------------------------===//
#include "FoldScales.h"

#include "MemoryPlan.h"

#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"

#include "mlir/IR/Remarks.h"

#include <cmath>

using namespace mlir;
using namespace qopt::quantization;
using qrt::Status;

namespace qopt::calibration {

static bool readGroup(const LinearGroup &group, GroupWeights &out) {
  for (qir::LinearOp linear : group.linears) {
    out.matrices.emplace_back();
    if (!readWeight(linear.getW(), out.matrices.back()))
      return false;
  }
  for (size_t i = 0; i < out.matrices.size(); ++i)
    out.views.push_back(
        {out.matrices[i].values, out.matrices[i].n, formatOf(qir::schemeOf(group.linears[i]))});
  return true;
}

void tieScales(const ScaleFold &fold, std::vector<float> &scales) {
  std::vector<double> logs(scales.size(), 0);
  std::vector<int> counts(scales.size(), 0);
  for (size_t j = 0; j < scales.size(); ++j) {
    const int64_t channel = fold.producerChannel(static_cast<int64_t>(j));
    logs[channel] += std::log(double(scales[j]));
    ++counts[channel];
  }
  for (size_t j = 0; j < scales.size(); ++j) {
    const int64_t channel = fold.producerChannel(static_cast<int64_t>(j));
    scales[j] = static_cast<float>(std::exp(logs[channel] / counts[channel]));
  }
}

bool ScaleFolder::wants(qir::LinearOp linear) { return qir::isCalibrated(linear); }

qrt::Result<bool> ScaleFolder::begin(const LinearGroup &group, qrt::kernels::ThreadPool &pool) {
  start = std::chrono::steady_clock::now();
  report = {};
  report.name = weightName(qir::LinearOp(group.linears[0]).getW());
  fold.reset();
  report.skipped = refuse(group);
  if (report.skipped.empty())
    fold = findScaleFold(group, report.skipped);
  return fold && moments.begin(group, pool);
}

Status ScaleFolder::observe(const LinearGroup &, const Rows &rows, qrt::kernels::ThreadPool &pool) {
  moments.add(rows, pool);
  return Status::ok();
}

Status ScaleFolder::finish(LinearGroup &group, qrt::kernels::ThreadPool &pool) {
  if (fold) {
    auto seen = moments.finish(group);
    if (!seen)
      return seen.status().withContext("input of '" + report.name + "'");
    GroupWeights weights;
    if (!readGroup(group, weights))
      return qrt::invalidModel("'" + report.name + "': expects a readable float weight");
    QRT_ASSIGN_OR_RETURN(std::vector<float> scales,
                         choose(group, *fold, *seen, weights, lend(pool), report));
    if (!scales.empty())
      decisions.push_back({group, *fold, std::move(scales)});
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Location location = group.linears[0].getW().getLoc();
  if (report.skipped.empty())
    remark::passed(location, remark::RemarkOpts::name("scales").category(category))
        << remark::metric("alpha", report.alpha) << remark::metric("loss", report.loss)
        << remark::metric("loss_plain", report.lossPlain);
  else
    remark::missed(location, remark::RemarkOpts::name("scales").category(category))
        << report.skipped;
  reports.push_back(report);
  if (options.onGroup)
    options.onGroup(report, static_cast<int64_t>(reports.size()), count);
  return Status::ok();
}

void ScaleFolder::apply() {
  for (const Decision &decision : decisions) {
    if (options.statistics)
      options.statistics->divide(decision.group, decision.scales);
    applyScaleFold(decision.group, decision.fold, decision.scales);
  }
}

qrt::Result<std::vector<ScaleReport>>
foldScales(func::FuncOp function, const TokenTable &tokens, const ScaleFoldOptions &options,
           llvm::function_ref<std::unique_ptr<ScaleFolder>(int64_t)> makeFolder) {
  QRT_ASSIGN_OR_RETURN(std::vector<LinearGroup> groups, linearGroups(function, *makeFolder(0)));
  if (groups.empty())
    return std::vector<ScaleReport>();
  SweepOptions sweep = options.sweep;
  QRT_ASSIGN_OR_RETURN(int64_t bytes, activationBytes(groups, options.maxMemory));
  sweep.maxActivationBytes = std::min(sweep.maxActivationBytes, bytes);
  std::unique_ptr<ScaleFolder> folder = makeFolder(static_cast<int64_t>(groups.size()));
  QRT_RETURN_IF_ERROR(runVisitor(function, tokens, sweep, *folder, options.statistics.get()));
  folder->apply();
  return std::move(folder->reports);
}

} // namespace qopt::calibration
