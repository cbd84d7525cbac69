//===- FirstNonFinite.h - Where a matrix holds infinities or NaNs -----------------------------===//
#ifndef QOPT_LIB_QUANTIZATION_FIRSTNONFINITE_H
#define QOPT_LIB_QUANTIZATION_FIRSTNONFINITE_H

#include "qopt/Quantization/Parallel.h"

#include <span>

namespace qopt::quantization {

/// Position of the first element of x [rows, columns] that is not finite, or -1.
int64_t firstNonFinite(std::span<const float> x, int64_t columns, const ParallelFor &parallel);

} // namespace qopt::quantization

#endif // QOPT_LIB_QUANTIZATION_FIRSTNONFINITE_H
