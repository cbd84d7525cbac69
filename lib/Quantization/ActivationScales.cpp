//===- ActivationScales.cpp - Static scales of 8-bit activations ------------------------------===//
#include "qopt/Quantization/ActivationScales.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace qopt::quantization {

namespace {

constexpr int mantissaBits = 6, lowest = -40, highest = 40; // powers of two
constexpr int64_t bins = int64_t(highest - lowest) << mantissaBits;
constexpr float largestCode = 127;

/// By exponent and leading bits of the mantissa; what lies outside goes to the ends.
int64_t binOf(float magnitude) {
  const auto bits = static_cast<int64_t>(std::bit_cast<uint32_t>(magnitude) >> (23 - mantissaBits));
  const int64_t first = int64_t(lowest + 127) << mantissaBits;
  return std::clamp<int64_t>(bits - first, 0, bins - 1);
}

/// The smallest magnitude of a bin; that of `bins` is the end of the last.
float edge(int64_t bin) {
  const int64_t first = int64_t(lowest + 127) << mantissaBits;
  return std::bit_cast<float>(static_cast<uint32_t>(bin + first) << (23 - mantissaBits));
}

double squaredError(const uint64_t *counts, double scale) {
  double sum = 0;
  const double reach = largestCode * scale;
  for (int64_t bin = 0; bin < bins; ++bin) {
    if (counts[bin] == 0)
      continue;
    const double x = 0.5 * (double(edge(bin)) + edge(bin + 1));
    const double error = x > reach       ? (x - reach) * (x - reach)
                         : x > scale / 2 ? scale * scale / 12
                                         : x * x;
    sum += double(counts[bin]) * error;
  }
  return sum;
}

} // namespace

ActivationHistogram::ActivationHistogram(int64_t blocks)
    : counts(blocks * bins, 0), largest(blocks, 0.0f) {}

const uint64_t *ActivationHistogram::countsOf(int64_t block) const {
  return counts.data() + block * bins;
}

void ActivationHistogram::add(int64_t block, const float *x, int64_t count) {
  uint64_t *mine = counts.data() + block * bins;
  for (int64_t i = 0; i < count; ++i) {
    const float magnitude = std::fabs(x[i]);
    if (magnitude > largest[block] || std::isnan(magnitude)) // a NaN stays
      largest[block] = magnitude;
    ++mine[binOf(magnitude)];
  }
}

float ActivationHistogram::scale(int64_t block, ActivationObserver observer) const {
  const uint64_t *mine = countsOf(block);
  const float whole = largest[block] / largestCode;
  if (!(whole > 1e-30f))
    return 1;
  if (observer == ActivationObserver::AbsMax)
    return whole;
  const int64_t top = binOf(largest[block]);
  if (observer == ActivationObserver::Percentile) {
    uint64_t total = 0, above = 0;
    for (int64_t bin = 0; bin <= top; ++bin)
      total += mine[bin];
    int64_t bin = top;
    while (bin > 0 && above + mine[bin] <= total / 10000)
      above += mine[bin--];
    return bin == top ? whole : std::min(whole, edge(bin + 1) / largestCode);
  }
  float best = whole;
  double least = squaredError(mine, whole);
  for (int64_t bin = top; bin > 0 && edge(bin) > largest[block] / 32; --bin) {
    const float tried = edge(bin) / largestCode;
    const double error = squaredError(mine, tried);
    if (error < least)
      least = error, best = tried;
  }
  return best;
}

double ActivationHistogram::clampedShare(int64_t block, float scale) const {
  const uint64_t *mine = countsOf(block);
  uint64_t total = 0, clamped = 0;
  for (int64_t bin = 0; bin < bins; ++bin) {
    total += mine[bin];
    clamped += edge(bin) >= largestCode * scale ? mine[bin] : 0;
  }
  return total ? double(clamped) / double(total) : 0;
}

} // namespace qopt::quantization
