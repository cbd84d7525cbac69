//===- ChannelScaling.cpp - Moving a scale from an input to the weights -----------------------===//
#include "qopt/Quantization/ChannelScaling.h"

#include <algorithm>
#include <cmath>

namespace qopt::quantization {

void scaleColumns(std::span<float> w, int64_t n, int64_t k, std::span<const float> s,
                  const ParallelFor &parallel) {
  parallel(n, [&](int64_t r) {
    for (int64_t j = 0; j < k; ++j)
      w[r * k + j] *= s[j];
  });
}

void divideRows(std::span<float> w, int64_t n, int64_t k, std::span<const float> s,
                const ParallelFor &parallel) {
  parallel(n, [&](int64_t r) {
    for (int64_t j = 0; j < k; ++j)
      w[r * k + j] /= s[r];
  });
}

std::vector<float> smoothQuantScales(std::span<const float> maxAbs,
                                     std::span<const MatrixView> weights, float alpha) {
  const int64_t k = int64_t(maxAbs.size());
  std::vector<float> largest(k, 0.0f), scales(k, 1.0f);
  for (const MatrixView &view : weights)
    for (int64_t r = 0; r < view.n; ++r)
      for (int64_t j = 0; j < k; ++j)
        largest[j] = std::max(largest[j], std::fabs(view.w[r * k + j]));
  for (int64_t j = 0; j < k; ++j)
    if (maxAbs[j] > 0 && largest[j] > 0)
      scales[j] = std::max(1e-5f, std::pow(maxAbs[j], alpha) / std::pow(largest[j], 1 - alpha));
  return scales;
}

std::vector<int32_t> valueChannelClasses(int64_t heads, int64_t kvHeads, int64_t headDim) {
  std::vector<int32_t> classes(heads * headDim);
  const int64_t shared = heads / kvHeads;
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t d = 0; d < headDim; ++d)
      classes[h * headDim + d] = static_cast<int32_t>(h / shared * headDim + d);
  return classes;
}

} // namespace qopt::quantization
