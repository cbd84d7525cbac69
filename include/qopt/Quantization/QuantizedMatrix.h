//===- QuantizedMatrix.h - What every weight quantizer returns --------------------------------===//
// Codes, scales and zero points of a weight [n, k] as docs/semantics.md defines them:
// x' = float(code - zero) * float(scale). All arrays are row-major and owned.
#ifndef QOPT_QUANTIZATION_QUANTIZEDMATRIX_H
#define QOPT_QUANTIZATION_QUANTIZEDMATRIX_H

#include "qopt/Quantization/Parallel.h"
#include "qopt/Quantization/RoundToNearest.h"

#include <span>
#include <vector>

namespace qopt::quantization {

struct QuantizedMatrix {
  GroupFormat format;
  int64_t n = 0, k = 0;
  std::vector<uint8_t> codes;      ///< [n, k]
  std::vector<uint16_t> scales;    ///< [n, groups], f16 bits
  std::vector<uint8_t> zeroPoints; ///< [n, groups]; empty if symmetric

  int64_t groups() const { return groupsPerRow(format, k); }
  int zeroPoint(int64_t row, int64_t group) const {
    return format.symmetric ? 1 << (format.bits - 1) : zeroPoints[row * groups() + group];
  }
};

/// Zeroed arrays of the right sizes.
QuantizedMatrix makeQuantizedMatrix(const GroupFormat &format, int64_t n, int64_t k);

/// x' of every element into out [n, k].
void dequantize(const QuantizedMatrix &matrix, std::span<float> out, const ParallelFor &parallel);

/// tr(E H E^T) = sum over rows e H e^T for E = w - x', with H [k, k] symmetric: the squared output
/// error of the linear per token. f32 products summed per row, rows in f64.
double hessianLoss(std::span<const float> w, const QuantizedMatrix &matrix,
                   std::span<const float> h, const ParallelFor &parallel);

/// tr(W H W^T): the squared output itself, to make losses relative.
double hessianEnergy(std::span<const float> w, int64_t n, int64_t k, std::span<const float> h,
                     const ParallelFor &parallel);

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_QUANTIZEDMATRIX_H
