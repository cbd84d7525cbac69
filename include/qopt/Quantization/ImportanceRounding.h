//===- ImportanceRounding.h - Round to nearest with searched scales ---------------------------===//
// What the searches of AWQ.h round with: per group the scale (and zero point) is the one of
// `clipRatios` shrunken ranges with the least sum of importance_j (w_j - q_j)^2, importance_j the
// mean square of input channel j, i.e. diag(H). It is the diagonal approximation of the output
// error, as llama.cpp's importance matrix and NNCF's scale estimation use it. Symmetric scales may
// come out negative, which gives the longer half of the codes to the positive values
// (docs/semantics.md). Rows are independent; deterministic.
#ifndef QOPT_QUANTIZATION_IMPORTANCEROUNDING_H
#define QOPT_QUANTIZATION_IMPORTANCEROUNDING_H

#include "qopt/Quantization/QuantizedMatrix.h"

namespace qopt::quantization {

/// Quantizes finite w [n, k]. importance [k], non-negative; empty: 1. clipRatios 1: plain ranges.
QuantizedMatrix roundByImportance(std::span<const float> w, int64_t n, int64_t k,
                                  const GroupFormat &format, std::span<const float> importance,
                                  int clipRatios, const ParallelFor &parallel);

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_IMPORTANCEROUNDING_H
