//===- ProbeCandidates.cpp - What candidates do to the logits ---------------------------------===//
#include "ProbeCandidates.h"

#include "Divergence.h"
#include "ForwardProbe.h"
#include "Lend.h"

#include "Support/Memory.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace qopt::quantization;
using qrt::Status;

namespace qopt::calibration {

/// Multiplications and additions of all probes, some minutes of one core, and the bounds of tokens.
static constexpr double probeWork = 1e13;
static constexpr int64_t fewestTokens = 256, mostTokens = 4096;

qrt::Result<int64_t> probeTokens(func::FuncOp function, const TokenTable &tokens,
                                 const SensitivityOptions &options, int64_t probes, int64_t kept) {
  double weights = 0;
  function.walk([&](qir::LinearOp op) {
    weights += double(cast<RankedTensorType>(op.getW().getType()).getNumElements());
  });
  // A probe runs half of the model on average.
  const double perToken = 2 * weights * double(probes + 2) / 2;
  int64_t count = std::clamp(static_cast<int64_t>(probeWork / std::max(perToken, 1.0)),
                             fewestTokens, mostTokens);
  if (options.probeTokens > 0)
    count = options.probeTokens;
  const int64_t limit = options.maxMemory > 0 ? options.maxMemory : qrt::availableMemory();
  for (;; count = std::max(count / 2, fewestTokens)) {
    const int64_t sample = firstTokens(tokens, count).tokens();
    QRT_ASSIGN_OR_RETURN(int64_t needed, ForwardProbe::bytesNeeded(function, sample));
    if (needed + kept <= limit / 2)
      return count;
    if (count <= fewestTokens)
      return 0;
  }
}

Status probeCandidates(func::FuncOp function, TokenTable sample, const SensitivityOptions &options,
                       const std::vector<LinearGroup> &groups,
                       const std::vector<ProbedUnit> &weights, std::vector<UnitScore> &units) {
  QRT_ASSIGN_OR_RETURN(std::unique_ptr<ForwardProbe> probe,
                       ForwardProbe::create(function, std::move(sample), options.sweep.threads));
  qrt::kernels::ThreadPool pool(options.sweep.threads);
  for (size_t u = units.size(); u-- > 0;) {
    double logarithms = 0;
    int count = 0;
    for (size_t c = 0; c < units[u].candidates.size(); ++c) {
      if (weights[u][0][c].matrix.codes.empty())
        continue;
      if (options.sweep.interrupted && options.sweep.interrupted->load())
        return Status::error(qrt::StatusCode::Interrupted, "interrupted during calibration");
      std::vector<WeightMatrix> changed;
      for (const std::vector<ProbedWeight> &linear : weights[u]) {
        const QuantizedMatrix &matrix = linear[c].matrix;
        WeightMatrix &values = changed.emplace_back();
        values = {matrix.n, matrix.k, std::vector<float>(matrix.n * matrix.k)};
        dequantize(matrix, linear[c].outliers, values.values, lend(pool));
      }
      QRT_ASSIGN_OR_RETURN(double kl, probe->divergence(static_cast<int64_t>(u), changed));
      if (!std::isfinite(kl))
        return Status::error(qrt::StatusCode::BadCalibration,
                             "logits are not finite with " + units[u].candidates[c].scheme +
                                 " in '" + units[u].weights.front() + "'");
      // What rounding of f32 logits hides counts a little, so that error still ranks precisions.
      logarithms += std::log(std::max(kl, 1e-9) / std::max(units[u].candidates[c].loss, 1e-30));
      ++count;
    }
    if (count == 0)
      continue;
    units[u].kappa = std::exp(logarithms / count);
    units[u].probed = true;
  }
  return Status::ok();
}

} // namespace qopt::calibration
