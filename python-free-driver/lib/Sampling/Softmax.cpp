//===- Softmax.cpp - Probabilities of logits --------------------------------------------------===//
#include "Sampling/Softmax.h"

#include "Support/DrawMath.h"

#include <cmath>

namespace qrt {

double expOfNegative(double x) { return draw::expOfNegative(x); }

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
