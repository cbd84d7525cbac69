//===- Hadamard.h - Random Hadamard rotations -------------------------------------------------===//
// R = D H / sqrt(b): D random signs (QuIP#, arXiv 2402.04396, section 3; QuaRot, arXiv 2404.00456,
// section 4), H a Hadamard matrix of order b. Orders are 2^a m with m = 1 or the order of a Paley
// matrix (q + 1 for a prime q = 3 mod 4: 12, 20, 44, 60, 140 ...; 2 (q + 1) for q = 1 mod 4: 28,
// 36, 76, 148 ...), applied as 2^a butterflies and an [m, m] product. A size without such an order
// (11008 = 256 * 43) gets equal blocks of the largest order that divides it: still orthogonal.
//
// Row vectors: x R. Sums in f32, one row at a time; deterministic. Immutable once made.
#ifndef QOPT_QUANTIZATION_HADAMARD_H
#define QOPT_QUANTIZATION_HADAMARD_H

#include "qopt/Quantization/Parallel.h"

#include <span>
#include <vector>

namespace qopt::quantization {

class Rotation {
public:
  /// A rotation of `size` >= 1 channels. seed 0: no random signs.
  Rotation(int64_t size, uint64_t seed);

  int64_t size() const { return channels; }
  /// Order of the Hadamard matrix; smaller than size() where blocks had to be used.
  int64_t order() const { return base << butterflies; }

  /// order() = baseOrder() 2^a; the base is [m, m], row-major, empty for m = 1. x R is then,
  /// without signs, rows of 2^a by the Walsh matrix, mixed by the columns of the base, over
  /// sqrt(order()).
  int64_t baseOrder() const { return base; }
  std::span<const int8_t> baseMatrix() const { return matrix; }

  /// D: [size()] of +-1; empty: no signs.
  std::span<const float> randomSigns() const { return signs; }

  /// x <- x R and x <- x R^T for a row of size() floats, in place.
  void apply(float *x) const;
  void applyTransposed(float *x) const;

private:
  void hadamard(float *x, bool transposed) const;

  int64_t channels, base = 1; ///< base: m
  int butterflies = 0;        ///< a
  std::vector<float> signs;   ///< [size], +-1; empty: none
  std::vector<int8_t> matrix; ///< [m, m]; empty for m = 1
};

/// w [n, k] <- w R on blocks of R.size() columns (k a multiple of it): what reads x now reads x R.
/// Also rotates the rows of an embedding table and a bias (n = 1).
void rotateColumns(std::span<float> w, int64_t n, int64_t k, const Rotation &rotation,
                   const ParallelFor &parallel);
/// w [n, k] <- R^T w on blocks of R.size() rows: what gave y now gives y R.
void rotateRows(std::span<float> w, int64_t n, int64_t k, const Rotation &rotation,
                const ParallelFor &parallel);
/// w [n, k] <- w diag(s): a norm's weight, folded into what reads its output before a rotation.
void foldNormWeight(std::span<float> w, int64_t n, int64_t k, std::span<const float> normWeight,
                    const ParallelFor &parallel);
/// bias [n] <- bias + w [n, k] b: a norm's bias, folded behind what reads its output. Before
/// foldNormWeight(). Sums in f64.
void foldNormBias(std::span<const float> w, int64_t n, int64_t k, std::span<const float> normBias,
                  std::span<float> bias, const ParallelFor &parallel);

/// w [n, k]: each row minus its mean (rows of an embedding table, a bias as one row), or each
/// column minus its mean (what gave y now gives y - mean(y)). A layer norm of a stream that is
/// written so is an RMS norm (SliceGPT, arXiv 2401.15024, section 3.2). Sums in f64.
void centerRows(std::span<float> w, int64_t n, int64_t k, const ParallelFor &parallel);
void centerColumns(std::span<float> w, int64_t n, int64_t k, const ParallelFor &parallel);

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_HADAMARD_H
