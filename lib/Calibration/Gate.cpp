//===- Gate.cpp - Does the quantized model still say the same? -------------------------------===//
#include "qopt/Calibration/Gate.h"

#include "Divergence.h"
#include "WholeGraph.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace mlir;
using qrt::Status;

namespace qopt::calibration {

namespace {
struct Recorder : WholeGraph {
  LogitSample &sample;
  explicit Recorder(LogitSample &sample) : sample(sample) {}
  Status result(const Rows &rows) override {
    sample.width = rows.width;
    sample.logits.insert(sample.logits.end(), rows.data, rows.data + rows.tokens * rows.width);
    return Status::ok();
  }
};
} // namespace

qrt::Result<LogitSample> sampleLogits(func::FuncOp function, const TokenTable &tokens,
                                      const SweepOptions &options) {
  LogitSample sample;
  auto type = dyn_cast<RankedTensorType>(function.getResultTypes().front());
  const int64_t width = type ? std::max<int64_t>(1, type.getShape().back()) : 1;
  sample.tokens = firstTokens(tokens, std::min<int64_t>(1024, (int64_t(64) << 20) / width));
  Recorder recorder(sample);
  QRT_RETURN_IF_ERROR(runSweep(function, sample.tokens, options, recorder));
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

qrt::Result<Gate> Gate::parse(const std::string &text) {
  Gate gate;
  llvm::SmallVector<llvm::StringRef> parts;
  llvm::StringRef(text).split(parts, ',');
  for (llvm::StringRef part : parts) {
    part = part.trim();
    std::optional<double> *bound = nullptr;
    llvm::StringRef rest = part;
    if (rest.consume_front("kl<="))
      bound = &gate.maxKl;
    else if (rest.consume_front("top1>="))
      bound = &gate.minTop1;
    double value = 0;
    if (!bound || *bound || rest.getAsDouble(value) || value < 0)
      return qrt::invalidArgument("--gate: expects bounds as in kl<=0.02,top1>=0.97, got '" +
                                  part.str() + "'");
    *bound = value;
  }
  return gate;
}

std::string Gate::text() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (maxKl)
    os << llvm::format("kl<=%.10g", *maxKl);
  if (minTop1)
    os << (maxKl ? "," : "") << llvm::format("top1>=%.10g", *minTop1);
  return text;
}

Status Gate::check(const GateMeasure &measure) const {
  std::string failed;
  if (maxKl && !(measure.klMean <= *maxKl))
    failed += llvm::formatv("KL {0:f6} > {1:f6}", measure.klMean, *maxKl);
  if (minTop1 && !(measure.top1 >= *minTop1))
    failed += llvm::formatv("{0}top-1 agreement {1:f4} < {2:f4}", failed.empty() ? "" : ", ",
                            measure.top1, *minTop1);
  if (failed.empty())
    return Status::ok();
  return Status::error(qrt::StatusCode::GateFailed,
                       failed + " over " + std::to_string(measure.tokens) + " tokens");
}

} // namespace qopt::calibration
