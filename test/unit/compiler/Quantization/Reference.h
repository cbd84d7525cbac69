//===- Reference.h - Data and naive float64 code for tests of the numerics --------------------===//
#ifndef QOPT_TEST_QUANTIZATION_REFERENCE_H
#define QOPT_TEST_QUANTIZATION_REFERENCE_H

#include "qopt/Quantization/QuantizedMatrix.h"

#include "qrt/Half.h"

#include <atomic>
#include <cmath>
#include <random>
#include <thread>
#include <vector>

namespace qopt::quantization::test {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

/// Indices are taken by whichever thread comes first.
inline ParallelFor threads(int count) {
  return [count](int64_t n, const IndexBody &body) {
    std::atomic<int64_t> next = 0;
    auto work = [&] {
      for (int64_t i; (i = next++) < n;)
        body(i);
    };
    std::vector<std::thread> pool;
    for (int t = 1; t < count; ++t)
      pool.emplace_back(work);
    work();
    for (std::thread &thread : pool)
      thread.join();
  };
}

inline Floats normals(int64_t count, unsigned seed, float deviation = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, deviation);
  Floats values(count);
  for (float &value : values)
    value = normal(engine);
  return values;
}

/// Activations [tokens, k] as networks have them: few directions, channels of very different size,
/// some outliers.
inline Floats activations(int64_t tokens, int64_t k, unsigned seed) {
  const int64_t rank = std::max<int64_t>(1, k / 4);
  Floats basis = normals(rank * k, seed), mix = normals(tokens * rank, seed + 1),
         noise = normals(tokens * k, seed + 2, 0.3f), size = normals(k, seed + 3, 0.8f),
         x(tokens * k);
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t j = 0; j < k; ++j) {
      double sum = noise[t * k + j];
      for (int64_t r = 0; r < rank; ++r)
        sum += double(mix[t * rank + r]) * basis[r * k + j] / std::sqrt(double(rank));
      x[t * k + j] = static_cast<float>(sum * std::exp(size[j]) * (j % 37 == 5 ? 20 : 1));
    }
  return x;
}

/// sum w a b^T / sum w, naively.
inline Doubles moment(const Floats &a, const Floats &b, int64_t k, const Floats &weights) {
  const int64_t tokens = int64_t(a.size()) / k;
  Doubles sum(k * k, 0.0);
  double total = 0;
  for (int64_t t = 0; t < tokens; ++t) {
    const double w = weights.empty() ? 1.0 : weights[t];
    total += w;
    for (int64_t i = 0; i < k; ++i)
      for (int64_t j = 0; j < k; ++j)
        sum[i * k + j] += w * double(a[t * k + i]) * b[t * k + j];
  }
  for (double &value : sum)
    value /= total;
  return sum;
}

inline Floats hessian(const Floats &x, int64_t k) {
  Doubles h = moment(x, x, k, {});
  return Floats(h.begin(), h.end());
}

/// tr(E H E^T) of rows e [n, k].
inline double quadratic(const Doubles &e, int64_t n, int64_t k, const Floats &h) {
  double sum = 0;
  for (int64_t r = 0; r < n; ++r)
    for (int64_t i = 0; i < k; ++i)
      for (int64_t j = 0; j < k; ++j)
        sum += e[r * k + i] * h[i * k + j] * e[r * k + j];
  return sum;
}

/// The formula of docs/semantics.md.
inline Doubles dequantized(const QuantizedMatrix &m) {
  Doubles x(m.n * m.k);
  const int64_t size = m.format.groupSize ? m.format.groupSize : m.k;
  for (int64_t r = 0; r < m.n; ++r)
    for (int64_t j = 0; j < m.k; ++j) {
      const int64_t g = j / size;
      x[r * m.k + j] = double(int(m.codes[r * m.k + j]) - m.zeroPoint(r, g)) *
                       qrt::f16ToF32(m.scales[r * m.groups() + g]);
    }
  return x;
}

/// attempt(scale, zero) with every candidate of a scale search for weights low .. high of a group
/// (ImportanceRounding.h, OutputErrorRounding.h); scales as they are stored.
template <class Attempt>
void forScales(double low, double high, const GroupFormat &format, int ratios,
               const Attempt &attempt) {
  const double largest = (1 << format.bits) - 1, middle = 1 << (format.bits - 1);
  auto stored = [&](double scale, double zero) {
    attempt(std::copysign(qrt::f16ToF32(qrt::f32ToF16(float(std::max(std::fabs(scale), 0x1p-14)))),
                          scale),
            zero);
  };
  for (int i = 0; i < ratios; ++i) {
    const double shrink = 1 - 0.55 * i / ratios;
    if (format.symmetric) {
      const double scale = std::max(-low, high) * shrink / (middle - 1);
      stored(scale, middle), stored(-scale, middle);
    } else {
      const double scale = qrt::f16ToF32(qrt::f32ToF16(float((high - low) * shrink / largest)));
      const double zero = std::clamp(-low * shrink / scale, 0.0, largest);
      stored(scale, std::floor(zero)), stored(scale, std::ceil(zero));
    }
  }
}

} // namespace qopt::quantization::test

#endif // QOPT_TEST_QUANTIZATION_REFERENCE_H
