//===- RoundToNearest.h - Codes and scales of float rows --------------------------------------===//
// The definition is docs/semantics.md: per group of K a scale s (f16) and, asymmetric, a zero point
// z,
//
//   q = clamp(roundTiesEven(x / s) + z, 0, 2^bits - 1)      x' = float(q - z) * s
//
// Symmetric: z = 2^(bits-1), s = max|x| / (2^(bits-1) - 1). Asymmetric: the range always holds 0,
// s = (max - min) / (2^bits - 1), z = roundTiesEven(-min / s). s is rounded to f16 before codes are
// computed, and never below the smallest normal f16. With searchScale, s is shrunk in steps of 2 %
// to 50 %, and the one of least squared error is taken (the largest of equals). Deterministic, no
// allocation; rows are independent, so callers may split them over threads.
#ifndef QOPT_QUANTIZATION_ROUNDTONEAREST_H
#define QOPT_QUANTIZATION_ROUNDTONEAREST_H

#include <cstdint>

namespace qopt::quantization {

struct GroupFormat {
  int bits = 4;          ///< 2, 3, 4 or 8
  int64_t groupSize = 0; ///< elements of K per scale, 0 = the whole row; the last may be shorter
  bool symmetric = true;
  bool searchScale = false;
};

/// ceil(k / groupSize), 1 for groupSize 0.
int64_t groupsPerRow(const GroupFormat &format, int64_t k);

/// Sums over elements, for the relative RMS error sqrt(error / norm).
struct ErrorSums {
  double error = 0; ///< sum of (x' - x)^2
  double norm = 0;  ///< sum of x^2
};

/// Quantizes one row of k finite floats: codes [k], scales (f16 bits) and zeroPoints [groups];
/// zeroPoints may be null if symmetric. False, with nothing to rely on in the outputs, if an
/// element is NaN or infinite.
bool quantizeRow(const GroupFormat &format, const float *x, int64_t k, uint8_t *codes,
                 uint16_t *scales, uint8_t *zeroPoints, ErrorSums &sums);

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_ROUNDTONEAREST_H
