//===- LinearFixture.cpp - random packed weights for tests and benchmarks ----===//
//
// The expected values are computed here from codes, scales and zero points by the formula of
// docs/semantics.md, not through the packed layout.
//
//===----------------------------------------------------------------------===//

#include "LinearFixture.h"

#include "qrt/Half.h"

#include <cstdlib>
#include <random>
#include <utility>

namespace qrt::kernels::test {

AlignedBytes::AlignedBytes(size_t size)
    : memory(size ? static_cast<uint8_t *>(std::aligned_alloc(64, (size + 63) / 64 * 64))
                  : nullptr) {}

void AlignedBytes::Free::operator()(uint8_t *p) const { std::free(p); }

WeightView RandomWeight::view() const {
  return {desc, data.data(), packedScales.data(), packedZeroPoints.data()};
}

static float storedScale(ScaleType type, float scale) {
  return type == ScaleType::F16 ? f16ToF32(f32ToF16(scale)) : scale;
}

static float storedValue(WeightFormat format, float value) {
  if (format == WeightFormat::F16)
    return f16ToF32(f32ToF16(value));
  return format == WeightFormat::BF16 ? bf16ToF32(f32ToBf16(value)) : value;
}

RandomWeight randomWeight(const WeightDesc &desc, uint32_t seed) {
  PackedSizes sizes = *packedSizes(desc);
  RandomWeight w{desc,
                 {},
                 {},
                 {},
                 {},
                 AlignedBytes(sizes.data),
                 AlignedBytes(sizes.scales),
                 AlignedBytes(sizes.zeroPoints)};
  std::mt19937 random(seed);
  w.values.resize(desc.n * desc.k);
  if (!isQuantized(desc.format)) {
    std::normal_distribution<float> normal;
    for (float &value : w.values)
      value = storedValue(desc.format, normal(random));
    packDense(desc, w.values.data(), w.data.data());
    return w;
  }
  int levels = 1 << weightBits(desc.format);
  int64_t groups = groupsPerRow(desc);
  w.codes.resize(desc.n * desc.k);
  for (uint8_t &code : w.codes)
    code = static_cast<uint8_t>(random() % levels);
  w.scales.resize(desc.n * groups);
  w.zeroPoints.resize(desc.n * groups);
  for (size_t i = 0; i < w.scales.size(); ++i) {
    float scale = 0.001f * static_cast<float>(1 + random() % 100);
    if (desc.scaleType == ScaleType::F32 && i % 7 == 3)
      scale = -scale;
    if (desc.scaleType == ScaleType::F32 && i % 11 == 5)
      scale *= 1e-20f;
    w.scales[i] = storedScale(desc.scaleType, scale);
    w.zeroPoints[i] = static_cast<uint8_t>(desc.symmetric ? levels / 2 : random() % levels);
  }
  packQuantized(desc, w.codes.data(), w.scales.data(), w.zeroPoints.data(), w.data.data(),
                w.packedScales.data(), w.packedZeroPoints.data());
  for (int64_t n = 0; n < desc.n; ++n)
    for (int64_t k = 0; k < desc.k; ++k) {
      int64_t group = n * groups + (desc.groupSize ? k / desc.groupSize : 0);
      w.values[n * desc.k + k] =
          static_cast<float>(w.codes[n * desc.k + k] - w.zeroPoints[group]) * w.scales[group];
    }
  return w;
}

} // namespace qrt::kernels::test
