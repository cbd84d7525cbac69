//===- Softmax.cpp - Probabilities of logits
//-----------------------------------------------------===//
#include "Sampling/Softmax.h"

#include <bit>
#include <cmath>

namespace qrt {

double expOfNegative(double x) {
  if (!(x >= -45))
    return 0;
  constexpr double log2e = 1.4426950408889634, ln2High = 6.93147180369123816490e-01,
                   ln2Low = 1.90821492927058770002e-10; // ln 2 = high + low, high has 32 bits
  int64_t n = int64_t(x * log2e - 0.5);                 // truncation rounds to nearest for x <= 0
  double r = (x - double(n) * ln2High) - double(n) * ln2Low;
  // Taylor to r^13 / 13!; |r| <= 0.35 leaves 4e-18.
  double y = 1.0 / 6227020800.0;
  constexpr double factorials[] = {479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0,
                                   5040.0,      720.0,      120.0,     24.0,     6.0,
                                   2.0,         1.0,        1.0};
  for (double f : factorials)
    y = y * r + 1.0 / f;
  return y * std::bit_cast<double>(uint64_t(1023 + n) << 52);
}

LogitSummary summarize(std::span<const float> logits) {
  LogitSummary s;
  float best = -INFINITY;
  for (size_t v = 0; v < logits.size(); ++v)
    if (logits[v] > best) {
      best = logits[v];
      s.argmax = int32_t(v);
    }
  if (best == INFINITY)
    s.argmax = -1;
  if (s.argmax < 0)
    return s;
  // With d = logit - max: H = ln(sum e^d) - sum d e^d / sum e^d.
  double sum = 0, weighted = 0;
  for (float l : logits) {
    double d = double(l) - best, w = expOfNegative(d);
    if (w > 0) {
      sum += w;
      weighted += d * w;
    }
  }
  s.max = best;
  s.logSumExp = best + std::log(sum);
  s.entropy = std::fmax(0.0, std::log(sum) - weighted / sum);
  return s;
}

} // namespace qrt
