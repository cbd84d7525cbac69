//===- Hadamard.cpp - Random Hadamard rotations -----------------------------------------------===//
#include "qopt/Quantization/Hadamard.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace qopt::quantization {

namespace {

bool isPrime(int64_t q) {
  if (q < 2)
    return false;
  for (int64_t d = 2; d * d <= q; ++d)
    if (q % d == 0)
      return false;
  return true;
}

/// The quadratic character of a - b modulo the prime q: 0, 1 or -1, [q, q].
std::vector<int8_t> jacobsthal(int64_t q) {
  std::vector<int8_t> character(q, -1), matrix(q * q);
  character[0] = 0;
  for (int64_t a = 1; a < q; ++a)
    character[a * a % q] = 1;
  for (int64_t i = 0; i < q; ++i)
    for (int64_t j = 0; j < q; ++j)
      matrix[i * q + j] = character[(i - j + q) % q];
  return matrix;
}

bool paleyFirst(int64_t m) { return m % 4 == 0 && isPrime(m - 1); }
bool paleySecond(int64_t m) { return m % 4 == 0 && isPrime(m / 2 - 1) && (m / 2 - 1) % 4 == 1; }

/// A Hadamard matrix of Paley order m.
std::vector<int8_t> paley(int64_t m) {
  std::vector<int8_t> h(m * m);
  const bool first = paleyFirst(m);
  const int64_t q = first ? m - 1 : m / 2 - 1, n = q + 1;
  // C: 0 on the diagonal, C C^T = q; skew for the first construction, symmetric for the second.
  std::vector<int8_t> c(n * n, 0), character = jacobsthal(q);
  for (int64_t i = 1; i < n; ++i) {
    c[i] = 1;
    c[i * n] = first ? -1 : 1;
    for (int64_t j = 1; j < n; ++j)
      c[i * n + j] = character[(i - 1) * q + j - 1];
  }
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      const int8_t value = c[i * n + j], one = i == j;
      if (first) {
        h[i * m + j] = value + one;
        continue;
      }
      // Every entry becomes a 2 x 2 block: value * (1 1; 1 -1) + one * (1 -1; -1 -1).
      h[2 * i * m + 2 * j] = value + one;
      h[2 * i * m + 2 * j + 1] = value - one;
      h[(2 * i + 1) * m + 2 * j] = value - one;
      h[(2 * i + 1) * m + 2 * j + 1] = -value - one;
    }
  return h;
}

constexpr int64_t largestBase = 512; // of the [m, m] product

} // namespace

Rotation::Rotation(int64_t size, uint64_t seed) : channels(size) {
  int64_t odd = size;
  int twos = 0;
  for (; odd % 2 == 0; odd /= 2)
    ++twos;
  butterflies = twos;
  if (odd > 1)
    for (int a = 2; a <= twos; ++a) {
      const int64_t m = odd << a;
      if (m <= largestBase && (paleyFirst(m) || paleySecond(m))) {
        base = m;
        butterflies = twos - a;
        matrix = paley(m);
        break;
      }
    }
  if (seed != 0) {
    std::mt19937_64 engine(seed);
    signs.resize(size);
    for (float &sign : signs)
      sign = engine() >> 63 ? 1.0f : -1.0f;
  }
}

void Rotation::hadamard(float *x, bool transposed) const {
  const int64_t inner = int64_t(1) << butterflies, block = order();
  const float norm = 1.0f / std::sqrt(static_cast<float>(block));
  std::vector<float> product(matrix.empty() ? 0 : block);
  for (int64_t first = 0; first < channels; first += block) {
    float *v = x + first;
    for (int64_t half = 1; half < inner; half *= 2)
      for (int64_t i = 0; i < block; i += 2 * half)
        for (int64_t j = i; j < i + half; ++j) {
          const float a = v[j], b = v[j + half];
          v[j] = a + b, v[j + half] = a - b;
        }
    if (!matrix.empty()) {
      std::fill(product.begin(), product.end(), 0.0f);
      for (int64_t i = 0; i < base; ++i)
        for (int64_t o = 0; o < base; ++o) {
          const float sign = transposed ? matrix[o * base + i] : matrix[i * base + o];
          for (int64_t j = 0; j < inner; ++j)
            product[o * inner + j] += sign * v[i * inner + j];
        }
      std::copy(product.begin(), product.end(), v);
    }
    for (int64_t j = 0; j < block; ++j)
      v[j] *= norm;
  }
}

void Rotation::apply(float *x) const {
  for (size_t j = 0; j < signs.size(); ++j)
    x[j] *= signs[j];
  hadamard(x, false);
}

void Rotation::applyTransposed(float *x) const {
  hadamard(x, true);
  for (size_t j = 0; j < signs.size(); ++j)
    x[j] *= signs[j];
}

void rotateColumns(std::span<float> w, int64_t n, int64_t k, const Rotation &rotation,
                   const ParallelFor &parallel) {
  parallel(n, [&](int64_t r) {
    for (int64_t first = 0; first < k; first += rotation.size())
      rotation.apply(w.data() + r * k + first);
  });
}

void rotateRows(std::span<float> w, int64_t n, int64_t k, const Rotation &rotation,
                const ParallelFor &parallel) {
  // (R^T w)^T = w^T R: columns of w are the row vectors.
  constexpr int64_t strip = 16;
  const int64_t size = rotation.size();
  parallel((k + strip - 1) / strip, [&](int64_t index) {
    const int64_t begin = index * strip, count = std::min(strip, k - begin);
    std::vector<float> columns(count * size);
    for (int64_t first = 0; first < n; first += size) {
      for (int64_t i = 0; i < size; ++i)
        for (int64_t j = 0; j < count; ++j)
          columns[j * size + i] = w[(first + i) * k + begin + j];
      for (int64_t j = 0; j < count; ++j)
        rotation.apply(columns.data() + j * size);
      for (int64_t i = 0; i < size; ++i)
        for (int64_t j = 0; j < count; ++j)
          w[(first + i) * k + begin + j] = columns[j * size + i];
    }
  });
}

void foldNormWeight(std::span<float> w, int64_t n, int64_t k, std::span<const float> normWeight,
                    const ParallelFor &parallel) {
  parallel(n, [&](int64_t r) {
    for (int64_t j = 0; j < k; ++j)
      w[r * k + j] *= normWeight[j];
  });
}

void foldNormBias(std::span<const float> w, int64_t n, int64_t k, std::span<const float> normBias,
                  std::span<float> bias, const ParallelFor &parallel) {
  parallel(n, [&](int64_t r) {
    double sum = bias[r];
    for (int64_t j = 0; j < k; ++j)
      sum += double(w[r * k + j]) * normBias[j];
    bias[r] = static_cast<float>(sum);
  });
}

void centerRows(std::span<float> w, int64_t n, int64_t k, const ParallelFor &parallel) {
  parallel(n, [&](int64_t r) {
    double sum = 0;
    for (int64_t j = 0; j < k; ++j)
      sum += w[r * k + j];
    for (int64_t j = 0; j < k; ++j)
      w[r * k + j] = static_cast<float>(w[r * k + j] - sum / k);
  });
}

void centerColumns(std::span<float> w, int64_t n, int64_t k, const ParallelFor &parallel) {
  constexpr int64_t strip = 64;
  parallel((k + strip - 1) / strip, [&](int64_t index) {
    const int64_t begin = index * strip, count = std::min(strip, k - begin);
    double sums[strip] = {};
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < count; ++j)
        sums[j] += w[i * k + begin + j];
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < count; ++j)
        w[i * k + begin + j] = static_cast<float>(w[i * k + begin + j] - sums[j] / n);
  });
}

} // namespace qopt::quantization
