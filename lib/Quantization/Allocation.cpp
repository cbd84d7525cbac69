//===- Allocation.cpp - Which precision for which unit, under a budget -----------------------===//
#include "qopt/Quantization/Allocation.h"

#include <algorithm>
#include <limits>
#include <string>

namespace qopt::quantization {

namespace {

using Units = std::span<const std::vector<PrecisionChoice>>;

constexpr int64_t budgetSteps = int64_t(1) << 16;
constexpr double infinity = std::numeric_limits<double>::infinity();

size_t smallestChoice(const std::vector<PrecisionChoice> &choices) {
  size_t best = 0;
  for (size_t i = 1; i < choices.size(); ++i)
    if (choices[i].bits < choices[best].bits ||
        (choices[i].bits == choices[best].bits && choices[i].cost < choices[best].cost))
      best = i;
  return best;
}

void sum(Units units, Allocation &allocation) {
  allocation.bits = 0;
  allocation.cost = 0;
  for (size_t u = 0; u < units.size(); ++u) {
    allocation.bits += units[u][allocation.choice[u]].bits;
    allocation.cost += units[u][allocation.choice[u]].cost;
  }
}

/// Dynamic programming over what stays of the budget behind the smallest choices.
void solve(Units units, int64_t slack, Allocation &allocation) {
  const int64_t step = std::max<int64_t>(1, (slack + budgetSteps - 1) / budgetSteps);
  const int64_t states = slack / step + 1;
  std::vector<double> best(states, 0), next(states);
  std::vector<std::vector<uint8_t>> taken(units.size(), std::vector<uint8_t>(states));
  for (size_t u = 0; u < units.size(); ++u) {
    const int64_t least = units[u][allocation.choice[u]].bits;
    std::fill(next.begin(), next.end(), infinity);
    for (size_t c = 0; c < units[u].size(); ++c) {
      const int64_t extra = (units[u][c].bits - least + step - 1) / step;
      for (int64_t s = extra; s < states; ++s) {
        const double cost = best[s - extra] + units[u][c].cost;
        const size_t known = taken[u][s];
        if (cost < next[s] || (cost == next[s] && units[u][c].bits < units[u][known].bits)) {
          next[s] = cost;
          taken[u][s] = static_cast<uint8_t>(c);
        }
      }
    }
    best.swap(next);
  }
  int64_t state = states - 1;
  for (size_t u = units.size(); u-- > 0;) {
    const int64_t least = units[u][allocation.choice[u]].bits;
    const size_t c = taken[u][state];
    state -= (units[u][c].bits - least + step - 1) / step;
    allocation.choice[u] = c;
  }
}

/// Spends what rounding left over, best cost per bit first.
void spendRest(Units units, int64_t budget, Allocation &allocation) {
  sum(units, allocation);
  while (true) {
    double bestRate = 0;
    size_t bestUnit = 0, bestChoice = 0;
    for (size_t u = 0; u < units.size(); ++u) {
      const PrecisionChoice &now = units[u][allocation.choice[u]];
      for (size_t c = 0; c < units[u].size(); ++c) {
        const int64_t more = units[u][c].bits - now.bits;
        const double gain = now.cost - units[u][c].cost;
        if (gain <= 0 || allocation.bits + more > budget)
          continue;
        const double rate = more > 0 ? gain / static_cast<double>(more) : infinity;
        if (rate > bestRate) {
          bestRate = rate;
          bestUnit = u;
          bestChoice = c;
        }
      }
    }
    if (bestRate <= 0)
      return;
    allocation.choice[bestUnit] = bestChoice;
    sum(units, allocation);
  }
}

/// max over lambda of sum min(cost + lambda bits) - lambda budget, by bisection on the slope.
double relaxedBound(Units units, int64_t budget) {
  auto dual = [&](double lambda, double &bits) {
    double value = -lambda * static_cast<double>(budget);
    bits = 0;
    for (const auto &choices : units) {
      double best = infinity, bestBits = 0;
      for (const PrecisionChoice &choice : choices)
        if (double v = choice.cost + lambda * static_cast<double>(choice.bits); v < best) {
          best = v;
          bestBits = static_cast<double>(choice.bits);
        }
      value += best;
      bits += bestBits;
    }
    return value;
  };
  double bits = 0, bound = std::max(0.0, dual(0, bits));
  if (bits <= static_cast<double>(budget))
    return bound;
  double low = 0, high = 1;
  while (dual(high, bits), bits > static_cast<double>(budget) && high < 1e30)
    high *= 4;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    bound = std::max(bound, dual(middle, bits));
    (bits > static_cast<double>(budget) ? low : high) = middle;
  }
  return bound;
}

} // namespace

qrt::Result<Allocation> allocatePrecision(Units units, int64_t budgetBits) {
  Allocation allocation;
  int64_t least = 0;
  for (const auto &choices : units) {
    if (choices.empty() || choices.size() > 255)
      return qrt::invalidArgument("expects 1 to 255 choices for each unit");
    allocation.choice.push_back(smallestChoice(choices));
    least += choices[allocation.choice.back()].bits;
  }
  if (least > budgetBits)
    return qrt::Status::error(qrt::StatusCode::TargetUnreachable,
                              "at least " + std::to_string(least) +
                                  " bits are needed, the target "
                                  "leaves " +
                                  std::to_string(budgetBits));
  int64_t most = 0;
  for (const auto &choices : units)
    most += std::max_element(choices.begin(), choices.end(), [](const auto &a, const auto &b) {
              return a.bits < b.bits;
            })->bits;
  solve(units, std::min(budgetBits, most) - least, allocation);
  spendRest(units, budgetBits, allocation);
  allocation.lowerBound = std::min(relaxedBound(units, budgetBits), allocation.cost);
  return allocation;
}

} // namespace qopt::quantization
