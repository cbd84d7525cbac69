//===- FoldAwqScales.cpp - Channel scales chosen by activations ------------------------------===//
#include "qopt/Calibration/FoldAwqScales.h"

#include "ForwardOps.h"
#include "HessianRows.h"
#include "Lend.h"
#include "MemoryPlan.h"
#include "ScaleFold.h"

#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"

#include "mlir/IR/Remarks.h"

#include <chrono>
#include <cmath>

using namespace mlir;
using namespace qopt::quantization;
using qrt::Status;

namespace qopt::calibration {

namespace {

using Clock = std::chrono::steady_clock;

/// The group's weights as f32.
struct GroupWeights {
  std::vector<WeightMatrix> matrices;
  std::vector<WeightView> views;
};

bool readGroup(const LinearGroup &group, GroupWeights &out) {
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

/// Sum of tr(E H E^T), E = W - Q(W s) / s, over the group, with Q round to nearest.
double lossWith(const GroupWeights &weights, std::span<const float> scales,
                std::span<const float> h, const ParallelFor &parallel) {
  const auto k = static_cast<int64_t>(scales.size());
  double loss = 0;
  for (const WeightView &view : weights.views) {
    std::vector<float> errors(view.w.size());
    parallel(view.n, [&](int64_t row) {
      const int64_t groups = groupsPerRow(view.format, k);
      std::vector<float> scaled(k);
      std::vector<uint8_t> codes(k), zeros(groups);
      std::vector<uint16_t> stored(groups);
      for (int64_t j = 0; j < k; ++j)
        scaled[j] = view.w[row * k + j] * scales[j];
      QuantizedMatrix one = makeQuantizedMatrix(view.format, 1, k);
      ErrorSums sums;
      quantizeRow(view.format, scaled.data(), k, one.codes.data(), one.scales.data(),
                  one.zeroPoints.empty() ? nullptr : one.zeroPoints.data(), sums);
      dequantize(one, std::span(errors).subspan(row * k, k), serialFor);
      for (int64_t j = 0; j < k; ++j)
        errors[row * k + j] = view.w[row * k + j] - errors[row * k + j] / scales[j];
    });
    loss += hessianEnergy(errors, view.n, k, h, parallel);
  }
  return loss;
}

/// Channels that share a producer's channel get the geometric mean of their scales.
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

class AwqVisitor : public SweepVisitor {
public:
  AwqVisitor(const AwqFoldOptions &options, int64_t count) : options(options), count(count) {}

  /// What is folded when the sweep is over: until then it needs the graph as it is.
  struct Decision {
    LinearGroup group;
    ScaleFold fold;
    std::vector<float> scales;
  };
  std::vector<Decision> decisions;
  std::vector<AwqReport> reports;

  bool wants(qir::LinearOp linear) override { return qir::isCalibrated(linear); }

  qrt::Result<bool> begin(const LinearGroup &group, qrt::kernels::ThreadPool &pool) override {
    start = Clock::now();
    report = {};
    report.name = weightName(qir::LinearOp(group.linears[0]).getW());
    fold = findScaleFold(group, report.skipped);
    hessian.reset();
    if (fold)
      hessian = std::make_unique<HessianAccumulator>(group.features, lend(pool));
    return fold.has_value();
  }

  Status observe(const LinearGroup &, const Rows &rows, qrt::kernels::ThreadPool &) override {
    addRows(*hessian, rows);
    return Status::ok();
  }

  Status finish(LinearGroup &group, qrt::kernels::ThreadPool &pool) override {
    if (fold)
      QRT_RETURN_IF_ERROR(search(group, lend(pool)));
    report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    Location location = group.linears[0].getW().getLoc();
    if (report.skipped.empty())
      remark::passed(location, remark::RemarkOpts::name("scales").category("awq"))
          << remark::metric("alpha", report.alpha) << remark::metric("loss", report.loss)
          << remark::metric("loss_plain", report.lossPlain);
    else
      remark::missed(location, remark::RemarkOpts::name("scales").category("awq"))
          << report.skipped;
    reports.push_back(report);
    if (options.onGroup)
      options.onGroup(report, static_cast<int64_t>(reports.size()), count);
    return Status::ok();
  }

private:
  Status search(LinearGroup &group, const ParallelFor &parallel) {
    const int64_t k = group.features;
    std::vector<float> h(k * k);
    GroupWeights weights;
    if (!hessian->finish(h))
      return Status::error(qrt::StatusCode::BadCalibration,
                           "input of '" + report.name + "': not finite, or no token has a weight");
    if (!readGroup(group, weights))
      return qrt::invalidModel("'" + report.name + "': expects a readable float weight");
    AwqScales found =
        searchAwqScales(weights.views, k, hessian->channels().meanAbs, h, options.search, parallel);
    report.alpha = found.alpha;
    report.lossPlain = found.lossPlain;
    report.loss = found.loss;
    if (fold->kind == ScaleFold::Kind::Value && fold->heads != fold->kvHeads) {
      tieScales(*fold, found.scales);
      report.loss = lossWith(weights, found.scales, h, parallel);
    }
    if (!(report.loss < report.lossPlain)) {
      report.skipped = "no scales lower the error";
      report.loss = report.lossPlain;
      return Status::ok();
    }
    decisions.push_back({group, *fold, std::move(found.scales)});
    return Status::ok();
  }

  const AwqFoldOptions &options;
  int64_t count;
  Clock::time_point start;
  AwqReport report;
  std::optional<ScaleFold> fold;
  std::unique_ptr<HessianAccumulator> hessian;
};

} // namespace

qrt::Result<std::vector<AwqReport>> foldAwqScales(func::FuncOp function, const TokenTable &tokens,
                                                  const AwqFoldOptions &options) {
  AwqVisitor probe(options, 0);
  QRT_ASSIGN_OR_RETURN(std::vector<LinearGroup> groups, linearGroups(function, probe));
  if (groups.empty())
    return std::vector<AwqReport>();
  SweepOptions sweep = options.sweep;
  QRT_ASSIGN_OR_RETURN(int64_t bytes, activationBytes(groups, options.maxMemory));
  sweep.maxActivationBytes = std::min(sweep.maxActivationBytes, bytes);
  AwqVisitor visitor(options, static_cast<int64_t>(groups.size()));
  QRT_RETURN_IF_ERROR(runSweep(function, tokens, sweep, visitor));
  for (const AwqVisitor::Decision &decision : visitor.decisions)
    applyScaleFold(decision.group, decision.fold, decision.scales);
  return std::move(visitor.reports);
}

} // namespace qopt::calibration
