//===- Cholesky.cpp - Blocked factorisation in f64 --------------------------------------------===//
#include "qopt/Quantization/Cholesky.h"

#include "MatrixProducts.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace qopt::quantization {

namespace {

constexpr int64_t block = 128;
constexpr int64_t strip = 96; // rows of one job

/// a [n, n] lower = L L^T, unblocked.
bool factorDiagonal(double *a, int64_t n, int64_t lda) {
  for (int64_t j = 0; j < n; ++j) {
    double *row = a + j * lda;
    for (int64_t i = 0; i < j; ++i) {
      const double *other = a + i * lda;
      double sum = row[i];
      for (int64_t p = 0; p < i; ++p)
        sum -= row[p] * other[p];
      row[i] = sum / other[i];
    }
    double pivot = row[j];
    for (int64_t p = 0; p < j; ++p)
      pivot -= row[p] * row[p];
    if (!(pivot > 0) || !std::isfinite(pivot))
      return false;
    row[j] = std::sqrt(pivot);
  }
  return true;
}

/// The inverse of lower triangular l [n, n], packed [n, n] with zeros above.
std::vector<double> inverseDiagonal(const double *l, int64_t n, int64_t ldl) {
  std::vector<double> inverse(n * n, 0.0);
  for (int64_t i = 0; i < n; ++i) {
    double *row = inverse.data() + i * n;
    for (int64_t p = 0; p < i; ++p)
      for (int64_t j = 0; j <= p; ++j)
        row[j] -= l[i * ldl + p] * inverse[p * n + j];
    for (int64_t j = 0; j < i; ++j)
      row[j] /= l[i * ldl + i];
    row[i] = 1 / l[i * ldl + i];
  }
  return inverse;
}

/// rows [m, n] = alpha * rows * factor, factor strided [n, n].
void multiplyInPlace(double *rows, int64_t m, int64_t n, int64_t ld, double alpha,
                     Strided<double> factor) {
  std::vector<double> copy(m * n);
  for (int64_t i = 0; i < m; ++i) {
    std::copy_n(rows + i * ld, n, copy.data() + i * n);
    std::fill_n(rows + i * ld, n, 0.0);
  }
  multiplyAdd(m, n, n, alpha, rowMajor(copy.data(), n), factor, rows, ld);
}

int64_t stripsOf(int64_t rows) { return (rows + strip - 1) / strip; }

} // namespace

bool choleskyLower(std::span<double> a, int64_t k, const ParallelFor &parallel) {
  for (int64_t j = 0; j < k; j += block) {
    const int64_t n = std::min(block, k - j), below = k - j - n;
    double *diagonal = a.data() + j * k + j;
    if (!factorDiagonal(diagonal, n, k))
      return false;
    if (below == 0)
      break;
    const std::vector<double> inverse = inverseDiagonal(diagonal, n, k);
    double *panel = diagonal + n * k;
    parallel(stripsOf(below), [&](int64_t s) {
      multiplyInPlace(panel + s * strip * k, std::min(strip, below - s * strip), n, k, 1.0,
                      transposed(inverse.data(), n));
    });
    multiplyAdd(below, below, n, -1.0, rowMajor(static_cast<const double *>(panel), k),
                transposed(static_cast<const double *>(panel), k), panel + n, k, parallel,
                Part::Lower);
  }
  return true;
}

void invertLower(std::span<double> a, int64_t k, const ParallelFor &parallel) {
  // From the last block column to the first: below it the inverse stands already, so that
  // X_ij = - sum_p Linv_ip (L_pj inv(L_jj)), rows independent.
  std::vector<double> column;
  for (int64_t j = (k - 1) / block * block; j >= 0; j -= block) {
    const int64_t n = std::min(block, k - j), below = k - j - n;
    double *diagonal = a.data() + j * k + j;
    const std::vector<double> inverse = inverseDiagonal(diagonal, n, k);
    for (int64_t i = 0; i < n; ++i)
      std::copy_n(inverse.data() + i * n, i + 1, diagonal + i * k);
    if (below == 0)
      continue;
    column.assign(below * n, 0.0);
    double *panel = diagonal + n * k;
    parallel(stripsOf(below), [&](int64_t s) {
      const int64_t rows = std::min(strip, below - s * strip);
      multiplyAdd(rows, n, n, 1.0, rowMajor(static_cast<const double *>(panel + s * strip * k), k),
                  rowMajor(inverse.data(), n), column.data() + s * strip * n, n);
    });
    // The triangle's rows grow longer: taking strips from both ends evens out static splits.
    const int64_t strips = stripsOf(below);
    parallel(strips, [&](int64_t index) {
      const int64_t s = index % 2 ? strips - 1 - index / 2 : index / 2;
      const int64_t first = s * strip, rows = std::min(strip, below - first);
      double *out = panel + first * k;
      for (int64_t i = 0; i < rows; ++i)
        std::fill_n(out + i * k, n, 0.0);
      // Left of the strip's own diagonal part, then that part, of which only the lower triangle
      // counts.
      multiplyAdd(rows, n, first, -1.0,
                  rowMajor(static_cast<const double *>(panel + n + first * k), k),
                  rowMajor(static_cast<const double *>(column.data()), n), out, k);
      std::vector<double> triangle(rows * rows, 0.0);
      for (int64_t i = 0; i < rows; ++i)
        std::copy_n(panel + n + (first + i) * k + first, i + 1, triangle.data() + i * rows);
      multiplyAdd(rows, n, rows, -1.0, rowMajor(static_cast<const double *>(triangle.data()), rows),
                  rowMajor(static_cast<const double *>(column.data() + first * n), n), out, k);
    });
  }
}

} // namespace qopt::quantization
