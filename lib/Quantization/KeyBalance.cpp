//===- KeyBalance.cpp - Static factors that even out key features -----------------------------===//
#include "qopt/Quantization/KeyBalance.h"

#include <algorithm>
#include <cmath>

namespace qopt::quantization {

std::vector<float> keySizes(std::span<const float> w, int64_t columns, std::span<const float> gain,
                            std::span<const float> bias) {
  std::vector<float> sizes(w.size() / columns);
  for (size_t row = 0; row < sizes.size(); ++row) {
    double sum = 0;
    for (int64_t i = 0; i < columns; ++i) {
      const double x = double(w[row * columns + i]) * (gain.empty() ? 1.0f : gain[i]);
      sum += x * x;
    }
    sizes[row] = float(3 * std::sqrt(sum) + (bias.empty() ? 0.0 : std::abs(double(bias[row]))));
  }
  return sizes;
}

std::vector<float> keyBalance(std::span<const float> sizes, int64_t headDim,
                              const RotaryPairs &pairs) {
  std::vector<float> factors(sizes.begin(), sizes.end());
  auto usable = [](float x) { return std::isfinite(x) && x > 0; };
  for (size_t head = 0; head + headDim <= factors.size(); head += headDim) {
    float *m = factors.data() + head;
    float smallest = INFINITY;
    for (int64_t i = 0; i < headDim; ++i)
      smallest = usable(m[i]) ? std::min(smallest, m[i]) : smallest;
    for (int64_t i = 0; i < headDim; ++i)
      m[i] = usable(m[i]) ? m[i] : std::isfinite(smallest) ? smallest : 1.0f;
    const int64_t half = std::min(pairs.rotaryDim, headDim) / 2;
    for (int64_t i = 0; i < half; ++i) {
      float &a = m[pairs.interleaved ? 2 * i : i], &b = m[pairs.interleaved ? 2 * i + 1 : i + half];
      a = b = std::max(a, b);
    }
    double square = 0;
    for (int64_t i = 0; i < headDim; ++i)
      square += double(m[i]) * m[i] / double(headDim);
    for (int64_t i = 0; i < headDim; ++i)
      m[i] = float(m[i] / std::sqrt(square));
  }
  return factors;
}

float keySpread(std::span<const float> factors, int64_t headDim) {
  float spread = 1;
  for (size_t head = 0; head + headDim <= factors.size(); head += headDim) {
    std::vector<float> m(factors.begin() + head, factors.begin() + head + headDim);
    const int64_t middle = (headDim - 1) / 2;
    std::nth_element(m.begin(), m.begin() + middle, m.end());
    const float median = m[middle];
    spread = std::max(spread, *std::max_element(m.begin(), m.end()) / median);
  }
  return spread;
}

} // namespace qopt::quantization
