//===- Gate.cpp - Does the quantized model still say the same? -------------------------------===//
#include "qopt/Calibration/Gate.h"

#include "Divergence.h"
#include "WholeGraph.h"

#include <algorithm>

using namespace mlir;
using qrt::Status;

namespace qopt::calibration {

namespace {
struct LogitReader : WholeGraph {
  llvm::function_ref<Status(const Rows &)> visit;
  explicit LogitReader(llvm::function_ref<Status(const Rows &)> visit) : visit(visit) {}
  Status result(const Rows &rows) override { return visit(rows); }
};
} // namespace

Status visitLogits(func::FuncOp function, const TokenTable &tokens, const SweepOptions &options,
                   llvm::function_ref<Status(const Rows &)> visit) {
  LogitReader reader(visit);
  return runSweep(function, tokens, options, reader);
}

qrt::Result<LogitSample> sampleLogits(func::FuncOp function, const TokenTable &tokens,
                                      const SweepOptions &options) {
  LogitSample sample;
  auto type = dyn_cast<RankedTensorType>(function.getResultTypes().front());
  const int64_t width = type ? std::max<int64_t>(1, type.getShape().back()) : 1;
  sample.tokens = firstTokens(tokens, std::min<int64_t>(1024, (int64_t(64) << 20) / width));
  QRT_RETURN_IF_ERROR(visitLogits(function, sample.tokens, options, [&](const Rows &rows) {
    sample.width = rows.width;
    sample.logits.insert(sample.logits.end(), rows.data, rows.data + rows.tokens * rows.width);
    return Status::ok();
  }));
  return sample;
}

qrt::Result<GateMeasure> compareLogits(const LogitSample &before, const LogitSample &after) {
  if (before.width != after.width || before.logits.size() != after.logits.size() ||
      before.tokens.ids != after.tokens.ids)
    return qrt::invalidArgument("logits of different tokens cannot be compared");
  GateMeasure measure;
  double weights = 0;
  for (int64_t t = 0; t < before.tokens.tokens(); ++t) {
    const double weight = before.tokens.weights.empty() ? 1.0 : before.tokens.weights[t];
    if (weight <= 0)
      continue;
    const float *p = before.logits.data() + t * before.width;
    const float *q = after.logits.data() + t * before.width;
    measure.klMean += weight * divergence(p, q, before.width);
    measure.top1 += weight * (std::max_element(p, p + before.width) - p ==
                              std::max_element(q, q + before.width) - q);
    weights += weight;
    ++measure.tokens;
  }
  if (weights > 0) {
    measure.klMean /= weights;
    measure.top1 /= weights;
  }
  return measure;
}

Status checkGate(const qrt::QualityGate &gate, const GateMeasure &measure) {
  return gate.check({{"kl", measure.klMean}, {"top1", measure.top1}},
                    " over " + std::to_string(measure.tokens) + " tokens");
}

} // namespace qopt::calibration
