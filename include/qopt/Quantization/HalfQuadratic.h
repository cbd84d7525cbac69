//===- HalfQuadratic.h - Calibration-free quantization, robust to outliers --------------------===//
// Half-Quadratic Quantization (HQQ: Badri and Shaji, "Half-Quadratic Quantization of Large Machine
// Learning Models", 2023). Per group it lowers sum |w - x'|^p, p = 3/4, by splitting off the
// outliers E:
//
//   E  <- shrink(w - x'),  shrink(x) = sign(x) max(0, |x| - |x|^(p-1) / beta)
//   z  <- round(mean(q - (w - E) / s)),   s <- <w - E, q - z> / <q - z, q - z>
//   beta <- 1.01 beta, until the error no longer falls, at most `iterations` times
//
// The original keeps s and a float z; here z is an integer (docs/semantics.md), so s is refitted
// too. (w - x') is measured in units of the group's first scale, which makes beta free of units.
// The start is round to nearest and the best iterate is kept: no group ends with a larger error.
#ifndef QOPT_QUANTIZATION_HALFQUADRATIC_H
#define QOPT_QUANTIZATION_HALFQUADRATIC_H

#include "qopt/Quantization/QuantizedMatrix.h"

namespace qopt::quantization {

struct HalfQuadraticOptions {
  int iterations = 20;
  float beta = 10;
};

/// Quantizes finite w [n, k]; format.searchScale is ignored.
QuantizedMatrix halfQuadratic(std::span<const float> w, int64_t n, int64_t k,
                              const GroupFormat &format, const HalfQuadraticOptions &options,
                              const ParallelFor &parallel);

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_HALFQUADRATIC_H
