//===- Sensitivity.cpp - What each precision of each linear costs ----------------------------===//
#include "qopt/Calibration/Sensitivity.h"

#include "Candidates.h"
#include "Divergence.h"
#include "GroupMoments.h"
#include "LinearQuantizers.h"
#include "MemoryPlan.h"
#include "ProbeCandidates.h"

#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"
#include "qopt/Quantization/SparseOutliers.h"

#include <cmath>

using namespace mlir;
using namespace qopt::quantization;
using qrt::Status;

namespace qopt::calibration {

namespace {

/// Is a candidate tried at the logits? The fewer bits, the more its errors say.
bool isProbed(const CandidateKind &kind, qir::SchemeAttr base) {
  return kind.outliers == 0 && (kind.bits < 8 || kind.bits == base.getWeightBits());
}

class SensitivityVisitor : public SweepVisitor {
public:
  explicit SensitivityVisitor(const SensitivityOptions &options)
      : options(options), moments(GroupMoments::Kind::HessianAlone, options.statistics.get()) {}

  std::vector<UnitScore> units;
  bool keeps = false; ///< the weights of candidates below 8 bits
  std::vector<ProbedUnit> weights;
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
    Status status = score(group, pool);
    if (!status)
      return status.withContext("'" + name + "'");
    if (onUnit)
      onUnit(units.back());
    return Status::ok();
  }

private:
  Status score(LinearGroup &group, qrt::kernels::ThreadPool &pool) {
    const ParallelFor parallel = lend(pool);
    const int64_t k = group.features;
    auto seen = moments.finish(group);
    if (!seen)
      return seen.status().withContext("its input");
    GptqOptions gptqOptions = options.gptq;
    gptqOptions.rounds = 1;
    gptqOptions.workers = pool.size();
    const int64_t groupSize = qir::schemeOf(group.linears[0]).getGroupSize();
    gptqOptions.format.groupSize = groupSize;
    QRT_ASSIGN_OR_RETURN(PreparedHessian prepared,
                         prepareHessian(std::move(seen->hessian), k, gptqOptions, parallel));
    UnitScore unit;
    const std::vector<CandidateKind> kinds =
        candidateKinds(qir::schemeOf(group.linears[0]), options);
    unit.candidates.resize(kinds.size());
    ProbedUnit &kept = weights.emplace_back();
    double energy = 0;
    for (qir::LinearOp linear : group.linears) {
      qir::SchemeAttr base = qir::schemeOf(linear);
      WeightMatrix weight;
      if (!readWeight(linear.getW(), weight))
        return qrt::invalidModel("expects a readable float weight");
      unit.weights.push_back(weightName(linear.getW()));
      unit.elements += weight.n * weight.k;
      kept.emplace_back(kinds.size());
      for (size_t c = 0; c < kinds.size(); ++c) {
        qir::SchemeAttr scheme = candidateScheme(base, kinds[c].bits);
        CandidateScore &candidate = unit.candidates[c];
        candidate.scheme = scheme.toText();
        candidate.outliers = kinds[c].outliers;
        candidate.bits += storedBits(linear, scheme, kinds[c].outliers);
        if (kinds[c].bits >= 16)
          continue;
        ProbedWeight made;
        QRT_ASSIGN_OR_RETURN(double loss, quantize(weight, scheme, kinds[c].outliers, prepared,
                                                   gptqOptions, parallel, made));
        candidate.loss += loss;
        if (keeps && isProbed(kinds[c], base))
          kept.back()[c] = std::move(made);
      }
      energy += hessianEnergy(weight.values, weight.n, k, prepared.h, parallel);
    }
    unit.kappa = energy > 0 ? 1 / energy : 0;
    units.push_back(std::move(unit));
    return Status::ok();
  }

  /// As the model will be quantized, but for rounds of refinement; 8 bits: to nearest.
  qrt::Result<double> quantize(const WeightMatrix &weight, qir::SchemeAttr scheme, double outliers,
                               const PreparedHessian &prepared, GptqOptions gptqOptions,
                               const ParallelFor &parallel, ProbedWeight &made) {
    gptqOptions.format = formatOf(scheme);
    const bool byGptq = !options.roundsToNearest && scheme.getWeightBits() < 8 &&
                        scheme.getGroupSize() == prepared.groupSize;
    if (byGptq && outliers > 0) {
      QRT_ASSIGN_OR_RETURN(
          SparseGptqResult result,
          gptqWithOutliers(weight.values, weight.n, prepared, gptqOptions, outliers, parallel));
      made = {std::move(result.dense.matrix), std::move(result.outliers)};
      return result.dense.loss;
    }
    if (byGptq) {
      QRT_ASSIGN_OR_RETURN(GptqResult result,
                           gptq(weight.values, weight.n, prepared, gptqOptions, parallel));
      made.matrix = std::move(result.matrix);
      return result.loss;
    }
    if (!roundToNearest(weight, prepared.h, gptqOptions.format, outliers, parallel, made.matrix,
                        made.outliers))
      return qrt::invalidModel("expects finite weights");
    return hessianLoss(weight.values, made.matrix, made.outliers, prepared.h, parallel);
  }

  const SensitivityOptions &options;
  GroupMoments moments;
};

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
  int64_t probes = 0, kept = 0;
  for (const LinearGroup &group : groups) {
    qir::SchemeAttr scheme = qir::schemeOf(group.linears[0]);
    const int64_t kinds = llvm::count_if(candidateKinds(scheme, options), [&](CandidateKind kind) {
      return isProbed(kind, scheme);
    });
    probes += kinds;
    for (qir::LinearOp linear : group.linears)
      kept += kinds * cast<RankedTensorType>(linear.getW().getType()).getNumElements();
  }
  QRT_ASSIGN_OR_RETURN(const int64_t probed, probeTokens(function, tokens, options, probes, kept));
  visitor.keeps = probed > 0;
  SweepOptions sweep = options.sweep;
  QRT_ASSIGN_OR_RETURN(int64_t bytes, activationBytes(groups, options.maxMemory));
  sweep.maxActivationBytes = std::min(sweep.maxActivationBytes, bytes);
  QRT_RETURN_IF_ERROR(runVisitor(function, tokens, sweep, visitor, options.statistics.get()));
  if (probed > 0)
    QRT_RETURN_IF_ERROR(probeCandidates(function, firstTokens(tokens, probed), options, groups,
                                        visitor.weights, visitor.units));
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
