//===- Allocation.h - Which precision for which unit, under a budget --------------------------===//
// Multiple-choice knapsack: every unit takes one of its choices so that the sum of costs is least
// while the sum of bits stays within the budget. Solved by dynamic programming over the budget cut
// into 2^16 steps (bits of a choice are rounded up, so the budget always holds), then what rounding
// left over is spent on the upgrades of the best cost per bit. With U units the result is at most
// the optimum of a budget smaller by U / 65536, and `lowerBound` (of the Lagrangian relaxation)
// says how far it can be from the optimum of the whole one. Deterministic: of equal costs the
// choice of fewer bits, then the first.
#ifndef QOPT_QUANTIZATION_ALLOCATION_H
#define QOPT_QUANTIZATION_ALLOCATION_H

#include "qrt/Status.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qopt::quantization {

struct PrecisionChoice {
  int64_t bits = 0; ///< all of the unit's, > 0
  double cost = 0;  ///< what it does to the model, >= 0, finite
};

struct Allocation {
  std::vector<size_t> choice; ///< by unit
  int64_t bits = 0;
  double cost = 0;
  double lowerBound = 0; ///< no allocation within the budget costs less
};

/// TargetUnreachable, with the least possible bits, if no choice of each unit fits; InvalidArgument
/// for a unit without choices.
qrt::Result<Allocation> allocatePrecision(std::span<const std::vector<PrecisionChoice>> units,
                                          int64_t budgetBits);

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_ALLOCATION_H
