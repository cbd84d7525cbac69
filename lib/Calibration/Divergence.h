//===- Divergence.h - Logits of a sample compared --------------------------------------------===//
#ifndef QOPT_LIB_CALIBRATION_DIVERGENCE_H
#define QOPT_LIB_CALIBRATION_DIVERGENCE_H

#include "qopt/Calibration/TokenTable.h"

namespace qopt::calibration {

/// KL(p || q) in nats of the distributions of two rows of `count` logits.
double divergence(const float *p, const float *q, int64_t count);

/// Of one token in the distribution of a row of `count` logits.
double probability(const float *logits, int64_t count, int64_t token);

/// Entropy in nats of the distribution of a row of `count` logits.
double entropy(const float *logits, int64_t count);

/// The first tokens of the table, whole sequences as far as they go, with at least one that counts.
TokenTable firstTokens(const TokenTable &table, int64_t count);

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_DIVERGENCE_H
