//===- OutputErrorRounding.h - Round to nearest, scales searched under the whole Hessian ------===//
// The clip search of AWQ (arXiv 2306.00978; its code's auto_clip measures the error of the output
// too) without clamped weights: per row and group, the scale and zero point of the shrunken ranges
// of ImportanceRounding.h with the least output error
//
//   e H e^T,  e = w - q                            H [k, k], the second moments of the input
//
// where the errors of the row's other groups count: a group is searched while they stand as they
// are, so with e' the group's new error and b = (e H) of the other groups, e' (2 b + e' H_gg)^T is
// what is least. The start is round to nearest with whole ranges; a group changes only where the
// row's error falls, and no row is ever worse than that. There is no error feedback: every code is
// the nearest one of its scale.
//
// Why not the diagonal of H alone: shrinking a range makes all large weights of a group smaller,
// errors that the mean of the input adds up. The diagonal does not see that.
//
// Groups longer than 256 columns are searched under the diagonal of their block plus b; a row that
// this makes worse stays rounded to nearest.
#ifndef QOPT_QUANTIZATION_OUTPUTERRORROUNDING_H
#define QOPT_QUANTIZATION_OUTPUTERRORROUNDING_H

#include "qopt/Quantization/QuantizedMatrix.h"

namespace qopt::quantization {

/// A search costs the square of the group's size per candidate.
inline constexpr int64_t longestSearchBlock = 256;

struct OutputErrorOptions {
  int clipRatios = 16; ///< ranges tried: 1 - 0.55 i / clipRatios
  int passes = 2;      ///< over the groups of a row
};

/// Quantizes finite w [n, k] under H [k, k], symmetric and positive semidefinite. Rows are
/// independent; deterministic for any number of threads.
QuantizedMatrix roundByOutputError(std::span<const float> w, int64_t n, int64_t k,
                                   const GroupFormat &format, std::span<const float> h,
                                   const OutputErrorOptions &options, const ParallelFor &parallel);

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_OUTPUTERRORROUNDING_H
