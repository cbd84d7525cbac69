//===- Softmax.h - Probabilities of logits, the same on every machine -------------------------===//
// All sums are double, in ascending order of the tokens. The exponential is our own (plain IEEE
// operations, no fused ones), because those of C libraries differ in the last bit and a draw close
// to a boundary would then depend on the machine. Terms below exp(-45) of the largest are left out.
// Thread safety: pure functions.
#ifndef QRT_SAMPLING_SOFTMAX_H
#define QRT_SAMPLING_SOFTMAX_H

#include <cstdint>
#include <span>

namespace qrt {

/// exp(x) for x <= 0, relative error below 3e-16; 0 below -45.
double expOfNegative(double x);

struct LogitSummary {
  int32_t argmax = -1; ///< lowest index of the largest; -1: all are -inf or NaN, or one is +inf
  double max = 0;
  double logSumExp = 0;
  double entropy = 0; ///< nats
};
/// Of softmax(logits); -inf has probability 0.
LogitSummary summarize(std::span<const float> logits);

} // namespace qrt

#endif // QRT_SAMPLING_SOFTMAX_H
