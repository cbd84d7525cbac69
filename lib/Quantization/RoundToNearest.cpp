//===- RoundToNearest.cpp - Codes and scales of float rows -----------------------------------===//
#include "qopt/Quantization/RoundToNearest.h"

#include "qrt/Half.h"

#include <algorithm>
#include <cmath>

namespace qopt::quantization {

namespace {

constexpr float smallestNormalHalf = 0x1p-14f;
constexpr float largestHalf = 65504.0f;
constexpr int searchSteps = 25; // 1.00, 0.98 ... 0.50

struct GroupCode {
  float scale = 0;
  int zero = 0;
};

/// The f16 value that is stored for a scale.
float storedScale(float scale) {
  scale = std::clamp(scale, smallestNormalHalf, largestHalf);
  return qrt::f16ToF32(qrt::f32ToF16(scale));
}

/// Scale and zero point for the range [low, high], which holds 0.
GroupCode chooseCode(const GroupFormat &format, float low, float high) {
  const int largest = (1 << format.bits) - 1;
  GroupCode code;
  if (format.symmetric) {
    code.zero = 1 << (format.bits - 1);
    code.scale = storedScale(std::max(-low, high) / static_cast<float>(code.zero - 1));
  } else {
    code.scale = storedScale((high - low) / static_cast<float>(largest));
    float zero = std::nearbyint(-low / code.scale);
    code.zero = static_cast<int>(std::clamp(zero, 0.0f, static_cast<float>(largest)));
  }
  return code;
}

int encode(float x, const GroupCode &code, int largest) {
  float q = std::nearbyint(x / code.scale) + static_cast<float>(code.zero);
  return static_cast<int>(std::clamp(q, 0.0f, static_cast<float>(largest)));
}

float decode(int q, const GroupCode &code) {
  return static_cast<float>(q - code.zero) * code.scale;
}

double squaredError(const float *x, int64_t count, const GroupCode &code, int largest) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    double error = double(decode(encode(x[i], code, largest), code)) - x[i];
    sum += error * error;
  }
  return sum;
}

GroupCode searchCode(const GroupFormat &format, const float *x, int64_t count, float low,
                     float high) {
  const int largest = (1 << format.bits) - 1;
  GroupCode best = chooseCode(format, low, high);
  double bestError = squaredError(x, count, best, largest);
  for (int step = 1; step <= searchSteps; ++step) {
    float shrink = 1.0f - 0.02f * static_cast<float>(step);
    GroupCode code = chooseCode(format, low * shrink, high * shrink);
    double error = squaredError(x, count, code, largest);
    if (error < bestError)
      best = code, bestError = error;
  }
  return best;
}

} // namespace

int64_t groupsPerRow(const GroupFormat &format, int64_t k) {
  return format.groupSize == 0 ? 1 : (k + format.groupSize - 1) / format.groupSize;
}

bool quantizeRow(const GroupFormat &format, const float *x, int64_t k, uint8_t *codes,
                 uint16_t *scales, uint8_t *zeroPoints, ErrorSums &sums) {
  const int largest = (1 << format.bits) - 1;
  const int64_t group = format.groupSize == 0 ? k : format.groupSize;
  for (int64_t g = 0, begin = 0; begin < k; ++g, begin += group) {
    const int64_t count = std::min(group, k - begin);
    const float *values = x + begin;
    float low = 0, high = 0;
    for (int64_t i = 0; i < count; ++i) {
      if (!std::isfinite(values[i]))
        return false;
      low = std::min(low, values[i]);
      high = std::max(high, values[i]);
    }
    GroupCode code = format.searchScale ? searchCode(format, values, count, low, high)
                                        : chooseCode(format, low, high);
    scales[g] = qrt::f32ToF16(code.scale);
    if (zeroPoints)
      zeroPoints[g] = static_cast<uint8_t>(code.zero);
    for (int64_t i = 0; i < count; ++i) {
      int q = encode(values[i], code, largest);
      codes[begin + i] = static_cast<uint8_t>(q);
      double error = double(decode(q, code)) - values[i];
      sums.error += error * error;
      sums.norm += double(values[i]) * values[i];
    }
  }
  return true;
}

} // namespace qopt::quantization
