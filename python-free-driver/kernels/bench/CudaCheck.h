//===- CudaCheck.h - Are the products of a device right? --------------------------------------===//
// Compares every number of rows with the kernel for f32 activations (F32Linear.h: exact but for
// f32 sums), on the same values. Results vary in type, some add a residual; memory around a result
// must stay as it was.
//
// Tolerances are shares of the results' root mean square: weights that a kernel rounds to 16 bits
// err by 2^-11 (bf16: 2^-8) at most, 0.29 of that in the mean; ten times that for the worst
// element. Products of 8-bit activations are compared with exact ones of what their codes stand
// for: they err by the order of f32 sums.
#ifndef QRT_KERNELS_BENCH_CUDACHECK_H
#define QRT_KERNELS_BENCH_CUDACHECK_H

#include "CudaOperands.h"
#include "Support/Json.h"

namespace qrt::bench {

struct CheckResult {
  OrderedJson report; ///< of one weight: the worst errors and the number of rows they occur at
  int64_t failures = 0;
};

/// Failures are also written to stderr, one line each.
Result<CheckResult> checkProduct(CudaDevice &device, const ProductCase &product,
                                 const std::vector<int64_t> &rows);

} // namespace qrt::bench

#endif // QRT_KERNELS_BENCH_CUDACHECK_H
