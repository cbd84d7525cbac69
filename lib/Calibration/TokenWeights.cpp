//===- TokenWeights.cpp - Positions that count more in calibration ----------------------------===//
#include "qopt/Calibration/TokenWeights.h"

#include "Divergence.h"
#include "WholeGraph.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using qrt::Status;

namespace qopt::calibration {

qrt::Result<TokenWeights> TokenWeights::parse(const std::string &text) {
  TokenWeights weights;
  llvm::SmallVector<llvm::StringRef> parts;
  llvm::StringRef(text).split(parts, ',');
  std::vector<const double *> seen;
  for (llvm::StringRef part : parts) {
    auto [name, value] = part.trim().split('=');
    double *factor = name == "marker"         ? &weights.marker
                     : name == "end-of-think" ? &weights.endOfThink
                     : name == "entropy"      ? &weights.entropy
                                              : nullptr;
    double number = 0;
    if (!factor || llvm::is_contained(seen, factor) || value.getAsDouble(number) || !(number > 0) ||
        number > 1000)
      return qrt::invalidArgument("--calib-weights: expects factors as in "
                                  "marker=2,entropy=1.5,end-of-think=4, got '" +
                                  part.str() + "'");
    *factor = number;
    seen.push_back(factor);
  }
  return weights;
}

std::string TokenWeights::text() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (auto [name, factor] : {std::pair("marker", marker), std::pair("entropy", entropy),
                              std::pair("end-of-think", endOfThink)})
    if (factor != 1)
      os << (text.empty() ? "" : ",") << name << llvm::format("=%.10g", factor);
  return text;
}

namespace {
struct Entropies : WholeGraph {
  std::vector<float> values;
  Status result(const Rows &rows) override {
    const size_t first = values.size();
    values.resize(first + rows.tokens);
    for (int64_t t = 0; t < rows.tokens; ++t)
      values[first + t] = static_cast<float>(entropy(rows.data + t * rows.width, rows.width));
    return Status::ok();
  }
};
} // namespace

qrt::Result<std::vector<float>> nextTokenEntropies(func::FuncOp function, const TokenTable &tokens,
                                                   const SweepOptions &options) {
  Entropies visitor;
  QRT_RETURN_IF_ERROR(runSweep(function, tokens, options, visitor));
  return std::move(visitor.values);
}

qrt::Result<TokenWeightCounts> weighTokens(TokenTable &tokens, const TokenWeights &weights,
                                           const TokenClasses &classes, func::FuncOp function,
                                           const SweepOptions &options) {
  std::vector<float> entropies;
  float threshold = 0;
  if (weights.entropy != 1) {
    QRT_ASSIGN_OR_RETURN(entropies, nextTokenEntropies(function, tokens, options));
    for (float value : entropies)
      if (!std::isfinite(value))
        return Status::error(qrt::StatusCode::BadCalibration, "the logits are not finite");
    std::vector<float> sorted = entropies;
    const size_t index = static_cast<size_t>((1 - weights.entropyPart) * double(sorted.size() - 1));
    std::nth_element(sorted.begin(), sorted.begin() + index, sorted.end());
    threshold = sorted[index];
  }
  if (tokens.weights.empty())
    tokens.weights.assign(tokens.ids.size(), 1.0f);
  TokenWeightCounts counts;
  auto multiply = [&](int64_t at, double factor, bool applies, int64_t &count) {
    if (!applies || factor == 1 || tokens.weights[at] <= 0)
      return;
    tokens.weights[at] = static_cast<float>(tokens.weights[at] * factor);
    ++count;
  };
  for (const TokenTable::Sequence &sequence : tokens.sequences)
    for (int64_t i = 0; i < sequence.tokens; ++i) {
      const int64_t at = sequence.first + i;
      const int32_t next = i + 1 < sequence.tokens ? tokens.ids[at + 1] : -1;
      multiply(at, weights.marker, next >= 0 && llvm::is_contained(classes.markers, next),
               counts.markers);
      multiply(at, weights.endOfThink, next >= 0 && llvm::is_contained(classes.endOfThink, next),
               counts.endOfThink);
      multiply(at, weights.entropy, !entropies.empty() && entropies[at] > threshold,
               counts.entropy);
    }
  for (auto [name, factor, count] :
       {std::tuple("marker", weights.marker, counts.markers),
        std::tuple("end-of-think", weights.endOfThink, counts.endOfThink),
        std::tuple("entropy", weights.entropy, counts.entropy)})
    if (factor != 1 && count == 0)
      return Status::error(qrt::StatusCode::BadCalibration,
                           std::string("--calib-weights: no position of the calibration data is "
                                       "one of '") +
                               name + "'");
  return counts;
}

} // namespace qopt::calibration
