//===- Cholesky.cpp - Blocked factorisation ---------------------------------------------------===//
#include "qopt/Quantization/Cholesky.h"

#include "MatrixProducts.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace qopt::quantization {

namespace {

/// Columns of a step: longer ones pass over the rest less often, but their own part is slow.
int64_t blockFor(int64_t k) { return k >= 2048 ? 256 : 128; }
constexpr int64_t strip = 96; // rows of one job

/// a [n, n] lower = L L^T, unblocked: in f64 whatever the type, row by row of the trailing part.
template <typename T>
bool factorDiagonal(T *a, int64_t n, int64_t lda) {
  std::vector<double> l(n * n);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j <= i; ++j)
      l[i * n + j] = l[j * n + i] = a[i * lda + j];
  for (int64_t p = 0; p < n; ++p) { // row p holds the column p of L, transposed
    double *pivots = l.data() + p * n;
    const double pivot = pivots[p];
    if (!(pivot > 0) || !std::isfinite(pivot))
      return false;
    const double root = std::sqrt(pivot);
    for (int64_t j = p; j < n; ++j)
      pivots[j] /= root;
    for (int64_t i = p + 1; i < n; ++i) {
      double *row = l.data() + i * n;
      const double factor = pivots[i];
      for (int64_t j = i; j < n; ++j)
        row[j] -= factor * pivots[j];
    }
  }
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j <= i; ++j)
      a[i * lda + j] = static_cast<T>(l[j * n + i]);
  return true;
}

/// The inverse of lower triangular l [n, n], packed [n, n] with zeros above.
template <typename T>
std::vector<T> inverseDiagonal(const T *l, int64_t n, int64_t ldl) {
  std::vector<double> copy(n * n), inverse(n * n);
  for (int64_t i = 0; i < n; ++i)
    std::copy_n(l + i * ldl, i + 1, copy.data() + i * n);
  invertLower(copy.data(), n, n, inverse.data());
  return std::vector<T>(inverse.begin(), inverse.end());
}

/// rows [m, n] = alpha * rows * factor, factor strided [n, n].
template <typename T>
void multiplyInPlace(T *rows, int64_t m, int64_t n, int64_t ld, T alpha, Strided<T> factor) {
  std::vector<T> copy(m * n);
  for (int64_t i = 0; i < m; ++i) {
    std::copy_n(rows + i * ld, n, copy.data() + i * n);
    std::fill_n(rows + i * ld, n, T(0));
  }
  multiplyAdd(m, n, n, alpha, rowMajor(static_cast<const T *>(copy.data()), n), factor, rows, ld);
}

int64_t stripsOf(int64_t rows) { return (rows + strip - 1) / strip; }

template <typename T>
bool factor(std::span<T> a, int64_t k, const ParallelFor &parallel) {
  const int64_t block = blockFor(k);
  for (int64_t j = 0; j < k; j += block) {
    const int64_t n = std::min(block, k - j), below = k - j - n;
    T *diagonal = a.data() + j * k + j;
    if (!factorDiagonal(diagonal, n, k))
      return false;
    if (below == 0)
      break;
    const std::vector<T> inverse = inverseDiagonal(diagonal, n, k);
    T *panel = diagonal + n * k;
    parallel(stripsOf(below), [&](int64_t s) {
      multiplyInPlace(panel + s * strip * k, std::min(strip, below - s * strip), n, k, T(1),
                      transposed(inverse.data(), n));
    });
    multiplyAdd(below, below, n, T(-1), rowMajor(static_cast<const T *>(panel), k),
                transposed(static_cast<const T *>(panel), k), panel + n, k, parallel, Part::Lower);
  }
  return true;
}

} // namespace

bool choleskyLower(std::span<double> a, int64_t k, const ParallelFor &parallel) {
  return factor(a, k, parallel);
}
bool choleskyLower(std::span<float> a, int64_t k, const ParallelFor &parallel) {
  return factor(a, k, parallel);
}

void invertLower(const double *a, int64_t n, int64_t lda, double *inverse) {
  std::fill_n(inverse, n * n, 0.0);
  for (int64_t i = 0; i < n; ++i) {
    double *row = inverse + i * n;
    for (int64_t p = 0; p < i; ++p) {
      const double factor = a[i * lda + p], *other = inverse + p * n;
      for (int64_t j = 0; j <= p; ++j)
        row[j] -= factor * other[j];
    }
    const double diagonal = a[i * lda + i];
    for (int64_t j = 0; j < i; ++j)
      row[j] /= diagonal;
    row[i] = 1 / diagonal;
  }
}

} // namespace qopt::quantization
