//===- Sensitivity.cpp - What each precision of each linear costs ----------------------------===//
#include "qopt/Calibration/Sensitivity.h"

#include "Candidates.h"
#include "Divergence.h"
#include "ForwardProbe.h"
#include "GroupMoments.h"
#include "LinearQuantizers.h"
#include "MemoryPlan.h"

#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"
#include "qopt/Quantization/SparseOutliers.h"

#include "Support/Memory.h"

#include <cmath>
#include <map>

using namespace mlir;
using namespace qopt::quantization;
using qrt::Status;

namespace qopt::calibration {

namespace {

constexpr unsigned probeBits = 3;

class SensitivityVisitor : public SweepVisitor {
public:
  explicit SensitivityVisitor(const SensitivityOptions &options)
      : options(options), moments(GroupMoments::Kind::Hessian, options.statistics.get()) {}

  std::vector<UnitScore> units;
  std::vector<double> probeLoss; ///< by unit: tr(E H E^T) of round to nearest at probeBits
  std::function<void(const UnitScore &)> onUnit;

  bool wants(qir::LinearOp linear) override { return qir::isCalibrated(linear); }

  qrt::Result<bool> begin(const LinearGroup &group, qrt::kernels::ThreadPool &pool) override {
    return moments.begin(group, pool);
  }

  Status observe(const LinearGroup &, const Rows &rows, qrt::kernels::ThreadPool &pool) override {
    moments.add(rows, pool);
    return Status::ok();
  }

  Status finish(LinearGroup &group, qrt::kernels::ThreadPool &pool) override {
    const std::string name = weightName(group.linears[0].getW());
    Status status = score(group, lend(pool));
    if (!status)
      return status.withContext("'" + name + "'");
    if (onUnit)
      onUnit(units.back());
    return Status::ok();
  }

private:
  Status score(LinearGroup &group, const ParallelFor &parallel) {
    const int64_t k = group.features;
    auto seen = moments.finish(group);
    if (!seen)
      return seen.status().withContext("its input");
    GptqOptions gptqOptions = options.gptq;
    gptqOptions.rounds = 0;
    const int64_t groupSize = qir::schemeOf(group.linears[0]).getGroupSize();
    gptqOptions.format.groupSize = groupSize;
    QRT_ASSIGN_OR_RETURN(PreparedHessian prepared,
                         prepareHessian(std::move(seen->hessian), k, gptqOptions, parallel));
    UnitScore unit;
    const std::vector<CandidateKind> kinds =
        candidateKinds(qir::schemeOf(group.linears[0]), options);
    unit.candidates.resize(kinds.size());
    double energy = 0, loss3 = 0;
    for (qir::LinearOp linear : group.linears) {
      qir::SchemeAttr base = qir::schemeOf(linear);
      WeightMatrix weight;
      if (!readWeight(linear.getW(), weight))
        return qrt::invalidModel("expects a readable float weight");
      unit.weights.push_back(weightName(linear.getW()));
      unit.elements += weight.n * weight.k;
      for (size_t c = 0; c < kinds.size(); ++c) {
        qir::SchemeAttr scheme = candidateScheme(base, kinds[c].bits);
        CandidateScore &candidate = unit.candidates[c];
        candidate.scheme = scheme.toText();
        candidate.outliers = kinds[c].outliers;
        candidate.bits += storedBits(linear, scheme, kinds[c].outliers);
        if (kinds[c].bits >= 16)
          continue;
        QRT_ASSIGN_OR_RETURN(double loss, lossOf(weight, scheme, kinds[c].outliers, prepared,
                                                 gptqOptions, parallel));
        candidate.loss += loss;
      }
      QuantizedMatrix rounded;
      if (!roundToNearest(weight, formatOf(candidateScheme(base, probeBits)), parallel, rounded))
        return qrt::invalidModel("expects finite weights");
      loss3 += hessianLoss(weight.values, rounded, prepared.h, parallel);
      energy += hessianEnergy(weight.values, weight.n, k, prepared.h, parallel);
    }
    unit.kappa = energy > 0 ? 1 / energy : 0;
    probeLoss.push_back(loss3);
    units.push_back(std::move(unit));
    return Status::ok();
  }

  qrt::Result<double> lossOf(const WeightMatrix &weight, qir::SchemeAttr scheme, double outliers,
                             const PreparedHessian &prepared, GptqOptions gptqOptions,
                             const ParallelFor &parallel) {
    gptqOptions.format = formatOf(scheme);
    if (scheme.getWeightBits() < 8 && scheme.getGroupSize() == prepared.groupSize) {
      if (outliers > 0) {
        QRT_ASSIGN_OR_RETURN(
            SparseGptqResult result,
            gptqWithOutliers(weight.values, weight.n, prepared, gptqOptions, outliers, parallel));
        return result.dense.loss;
      }
      QRT_ASSIGN_OR_RETURN(GptqResult result,
                           gptq(weight.values, weight.n, prepared, gptqOptions, parallel));
      return result.loss;
    }
    QuantizedMatrix rounded;
    if (!roundToNearest(weight, gptqOptions.format, parallel, rounded))
      return qrt::invalidModel("expects finite weights");
    return hessianLoss(weight.values, rounded, prepared.h, parallel);
  }

  const SensitivityOptions &options;
  GroupMoments moments;
};

/// Measures kappa of every unit where the model fits into memory.
Status probe(func::FuncOp function, const TokenTable &tokens, const SensitivityOptions &options,
             const std::vector<LinearGroup> &groups, SensitivityVisitor &scores) {
  TokenTable sample = firstTokens(tokens, options.probeTokens);
  QRT_ASSIGN_OR_RETURN(int64_t needed, ForwardProbe::bytesNeeded(function, sample.tokens()));
  const int64_t limit = options.maxMemory > 0 ? options.maxMemory : qrt::availableMemory();
  if (needed > limit / 2)
    return Status::ok();
  QRT_ASSIGN_OR_RETURN(std::unique_ptr<ForwardProbe> probe,
                       ForwardProbe::create(function, std::move(sample), options.sweep.threads));
  qrt::kernels::ThreadPool pool(options.sweep.threads);
  for (size_t g = groups.size(); g-- > 0;) {
    if (options.sweep.interrupted && options.sweep.interrupted->load())
      return Status::error(qrt::StatusCode::Interrupted, "interrupted during calibration");
    std::vector<WeightMatrix> changed;
    for (qir::LinearOp linear : groups[g].linears) {
      WeightMatrix weight;
      QuantizedMatrix rounded;
      qir::SchemeAttr scheme = candidateScheme(qir::schemeOf(linear), probeBits);
      if (!readWeight(linear.getW(), weight) ||
          !roundToNearest(weight, formatOf(scheme), lend(pool), rounded))
        return qrt::invalidModel("'" + weightName(linear.getW()) + "': expects finite weights");
      dequantize(rounded, weight.values, lend(pool));
      changed.push_back(std::move(weight));
    }
    QRT_ASSIGN_OR_RETURN(double kl, probe->divergence(static_cast<int64_t>(g), changed));
    if (!std::isfinite(kl))
      return Status::error(qrt::StatusCode::BadCalibration,
                           "logits are not finite with 3 bits in '" +
                               scores.units[g].weights.front() + "'");
    // What rounding of f32 logits hides counts a little, so that error still ranks precisions.
    scores.units[g].kappa = std::max(kl, 1e-9) / std::max(scores.probeLoss[g], 1e-30);
    scores.units[g].probed = true;
  }
  return Status::ok();
}

} // namespace

qrt::Result<std::vector<UnitScore>> measureSensitivity(func::FuncOp function,
                                                       const TokenTable &tokens,
                                                       const SensitivityOptions &options) {
  SensitivityVisitor visitor(options);
  QRT_ASSIGN_OR_RETURN(std::vector<LinearGroup> groups, linearGroups(function, visitor));
  if (groups.empty())
    return std::vector<UnitScore>();
  if (tokens.tokens() == 0)
    return qrt::invalidArgument("scores need --calib FILE: statistics have moments, not the KL at "
                                "the logits");
  visitor.onUnit = [&](const UnitScore &unit) {
    if (options.onUnit)
      options.onUnit(unit, static_cast<int64_t>(visitor.units.size()),
                     static_cast<int64_t>(groups.size()));
  };
  SweepOptions sweep = options.sweep;
  QRT_ASSIGN_OR_RETURN(int64_t bytes, activationBytes(groups, options.maxMemory));
  sweep.maxActivationBytes = std::min(sweep.maxActivationBytes, bytes);
  QRT_RETURN_IF_ERROR(runVisitor(function, tokens, sweep, visitor, options.statistics.get()));
  QRT_RETURN_IF_ERROR(probe(function, tokens, options, groups, visitor));
  for (UnitScore &unit : visitor.units)
    for (CandidateScore &candidate : unit.candidates)
      candidate.kl = unit.kappa * candidate.loss;
  return std::move(visitor.units);
}

qrt::Result<std::vector<UnitScore>> assumedScores(func::FuncOp function,
                                                  const SensitivityOptions &options) {
  SensitivityVisitor visitor(options);
  QRT_ASSIGN_OR_RETURN(std::vector<LinearGroup> groups, linearGroups(function, visitor));
  std::vector<UnitScore> units;
  for (const LinearGroup &group : groups) {
    UnitScore &unit = units.emplace_back();
    for (qir::LinearOp linear : group.linears) {
      unit.weights.push_back(weightName(linear.getW()));
      unit.elements += cast<RankedTensorType>(linear.getW().getType()).getNumElements();
    }
    for (const auto [bits, outliers] :
         candidateKinds(qir::schemeOf(group.linears.front()), options)) {
      CandidateScore candidate;
      candidate.outliers = outliers;
      for (qir::LinearOp linear : group.linears) {
        qir::SchemeAttr scheme = candidateScheme(qir::schemeOf(linear), bits);
        if (linear == group.linears.front())
          candidate.scheme = scheme.toText();
        candidate.bits += storedBits(linear, scheme, outliers);
      }
      // As if outliers were worth the bits that they take.
      const double worth = bits + (outliers > 0 ? 32 * outliers : 0.0);
      candidate.loss = candidate.kl =
          bits >= 16 ? 0 : static_cast<double>(unit.elements) * std::pow(4.0, -worth);
      unit.candidates.push_back(std::move(candidate));
    }
    unit.kappa = 1;
  }
  return units;
}

} // namespace qopt::calibration
