//===- HalfQuadratic.cpp - Calibration-free quantization, robust to outliers ------------------===//
#include "qopt/Quantization/HalfQuadratic.h"

#include "qrt/Half.h"

#include <algorithm>
#include <cmath>

namespace qopt::quantization {

namespace {

struct Group {
  const float *w;
  int64_t count;
  float largest; ///< 2^bits - 1
  bool symmetric;
};

float encode(float x, float scale, float zero, float largest) {
  return std::clamp(std::nearbyint(x / scale) + zero, 0.0f, largest);
}

/// sum |e / unit|^(3/4) of the group's codes.
double error(const Group &group, const float *codes, float scale, float zero, float unit) {
  double sum = 0;
  for (int64_t j = 0; j < group.count; ++j) {
    const float e = std::fabs(group.w[j] - (codes[j] - zero) * scale) / unit;
    sum += std::sqrt(e) * std::sqrt(std::sqrt(e));
  }
  return sum;
}

float shrink(float x, float beta) {
  const float size = std::fabs(x);
  if (size == 0)
    return 0;
  return std::copysign(std::max(0.0f, size - 1 / (std::sqrt(std::sqrt(size)) * beta)), x);
}

/// Improves codes, scale and zero of one group.
void iterate(const Group &group, const HalfQuadraticOptions &options, std::vector<float> &codes,
             float &scale, float &zero) {
  const float unit = scale;
  float s = scale, z = zero, beta = options.beta;
  std::vector<float> q(codes), inlier(group.count);
  double best = error(group, codes.data(), s, z, unit);
  for (int step = 0; step < options.iterations; ++step, beta *= 1.01f) {
    double shift = 0;
    for (int64_t j = 0; j < group.count; ++j) {
      const float e = group.w[j] - (q[j] - z) * s;
      inlier[j] = group.w[j] - shrink(e / unit, beta) * unit;
      shift += q[j] - inlier[j] / s;
    }
    if (!group.symmetric)
      z = std::clamp(std::nearbyint(static_cast<float>(shift / double(group.count))), 0.0f,
                     group.largest);
    double cross = 0, square = 0;
    for (int64_t j = 0; j < group.count; ++j) {
      cross += double(inlier[j]) * (q[j] - z);
      square += double(q[j] - z) * (q[j] - z);
    }
    if (square > 0 && cross > 0)
      s = qrt::f16ToF32(
          qrt::f32ToF16(std::clamp(static_cast<float>(cross / square), 0x1p-14f, 65504.0f)));
    for (int64_t j = 0; j < group.count; ++j)
      q[j] = encode(group.w[j], s, z, group.largest);
    const double now = error(group, q.data(), s, z, unit);
    if (!(now < best))
      break;
    best = now, codes = q, scale = s, zero = z;
  }
}

} // namespace

QuantizedMatrix halfQuadratic(std::span<const float> w, int64_t n, int64_t k,
                              const GroupFormat &format, const HalfQuadraticOptions &options,
                              const ParallelFor &parallel) {
  GroupFormat plain = format;
  plain.searchScale = false;
  QuantizedMatrix matrix = makeQuantizedMatrix(plain, n, k);
  const int64_t groups = matrix.groups(), size = format.groupSize ? format.groupSize : k;
  parallel(n, [&](int64_t row) {
    uint8_t *codes = matrix.codes.data() + row * k;
    uint16_t *scales = matrix.scales.data() + row * groups;
    ErrorSums sums;
    quantizeRow(plain, w.data() + row * k, k, codes, scales,
                format.symmetric ? nullptr : matrix.zeroPoints.data() + row * groups, sums);
    for (int64_t g = 0; g < groups; ++g) {
      const int64_t first = g * size, count = std::min(size, k - first);
      std::vector<float> q(codes + first, codes + first + count);
      float scale = qrt::f16ToF32(scales[g]), zero = float(matrix.zeroPoint(row, g));
      iterate({w.data() + row * k + first, count, float((1 << format.bits) - 1), format.symmetric},
              options, q, scale, zero);
      scales[g] = qrt::f32ToF16(scale);
      if (!format.symmetric)
        matrix.zeroPoints[row * groups + g] = static_cast<uint8_t>(zero);
      for (int64_t j = 0; j < count; ++j)
        codes[first + j] = static_cast<uint8_t>(q[j]);
    }
  });
  return matrix;
}

} // namespace qopt::quantization
