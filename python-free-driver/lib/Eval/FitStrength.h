//===- FitStrength.h - The strength at which a model writes no more markers than its reference ===//
// Bisection over generations with fixed seeds: the rate of the table's words per thinking token, as
// a function of the penalty's strength, against the rate of the reference on the same problems.
// This project's own; arXiv 2606.00206 tries eight strengths and takes the best.
#ifndef QRT_EVAL_FITSTRENGTH_H
#define QRT_EVAL_FITSTRENGTH_H

#include "Eval/DeriveMarkers.h"

#include <functional>

namespace qrt {

/// Words of the table per thinking token of the generated parts of `rows`.
double markerRate(const ModelTexts &texts, const MarkerTable &table,
                  std::span<const TokenRow> rows);

struct FitStep {
  double strength, rate;
};
struct StrengthFit {
  double target = 0;   ///< rate of the reference
  double strength = 0; ///< that of the step whose rate is nearest to the target
  double rate = 0;     ///< there
  std::vector<FitStep> steps;
};

/// `rateAt(strength)` generates. 0 where the model is at or below the target without a penalty, and
/// at most 16; two decimals.
Result<StrengthFit> fitStrength(double target, const std::function<Result<double>(double)> &rateAt);

} // namespace qrt

#endif // QRT_EVAL_FITSTRENGTH_H
