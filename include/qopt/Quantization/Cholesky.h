//===- Cholesky.h - Blocked factorisation -----------------------------------------------------===//
// For a symmetric positive definite matrix H [k, k] GPTQ needs the upper U with H^-1 = U^T U. The
// paper factors, inverts and factors again (4/3 k^3 operations). Here H is factored from its last
// row backwards, H = R R^T with R upper triangular, so that U = R^-1 (GPTQ.h): a quarter of the
// work, and in place. The factorisation is blocked (128 or 256 columns); off-diagonal work is
// matrix products in tiles over `parallel`, in an order that does not depend on it. Diagonal blocks
// are taken in f64 whatever the type. In f32 the factor is exact for a matrix that differs from H
// by at most about sqrt(k) 6e-8 sqrt(H_ii H_jj) in an element (Higham, Accuracy and Stability,
// theorem 10.3): much less than what a finite number of tokens leaves open.
#ifndef QOPT_QUANTIZATION_CHOLESKY_H
#define QOPT_QUANTIZATION_CHOLESKY_H

#include "qopt/Quantization/Parallel.h"

#include <span>

namespace qopt::quantization {

/// Factors the lower triangle of a [k, k] in place, a = L L^T; the upper triangle is not read or
/// is left with rests. False if a pivot is not positive and finite.
bool choleskyLower(std::span<double> a, int64_t k, const ParallelFor &parallel);
bool choleskyLower(std::span<float> a, int64_t k, const ParallelFor &parallel);

/// The inverse of the lower triangle of a block a [n, n], rows lda apart, into inverse [n, n] with
/// zeros above. For diagonal blocks: not blocked itself.
void invertLower(const double *a, int64_t n, int64_t lda, double *inverse);

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_CHOLESKY_H
