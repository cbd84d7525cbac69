//===- FitStrength.cpp - The strength with no more markers than the reference ----------------===//
#include "Eval/FitStrength.h"

#include "Eval/Trace.h"

#include <cmath>

namespace qrt {

double markerRate(const ModelTexts &texts, const MarkerTable &table,
                  std::span<const TokenRow> rows) {
  double markers = 0, tokens = 0;
  for (const std::vector<int32_t> &thinking : thinkingOf(texts, rows)) {
    markers += double(countMarkers(thinking, texts.tokenizer.get(), table));
    tokens += double(thinking.size());
  }
  return tokens > 0 ? markers / tokens : 0;
}

Result<StrengthFit> fitStrength(double target,
                                const std::function<Result<double>(double)> &rateAt) {
  constexpr double most = 16;
  StrengthFit fit;
  fit.target = target;
  auto measure = [&](double strength) -> Status {
    QRT_ASSIGN_OR_RETURN(double rate, rateAt(strength));
    fit.steps.push_back({strength, rate});
    return Status::ok();
  };
  QRT_RETURN_IF_ERROR(measure(0));
  if (fit.steps[0].rate > target) {
    double low = 0, high = 1;
    QRT_RETURN_IF_ERROR(measure(high));
    while (fit.steps.back().rate > target && high < most) {
      low = high;
      high *= 2;
      QRT_RETURN_IF_ERROR(measure(high));
    }
    bool bracketed = fit.steps.back().rate <= target;
    while (bracketed && high - low > 0.04) {
      const double middle = std::round(50 * (low + high)) / 100;
      if (middle <= low || middle >= high)
        break;
      QRT_RETURN_IF_ERROR(measure(middle));
      (fit.steps.back().rate > target ? low : high) = middle;
    }
  }
  const FitStep *best = &fit.steps[0];
  if (best->rate > target)
    for (const FitStep &step : fit.steps)
      if (std::fabs(step.rate - target) < std::fabs(best->rate - target))
        best = &step;
  fit.strength = best->strength;
  fit.rate = best->rate;
  return fit;
}

} // namespace qrt
