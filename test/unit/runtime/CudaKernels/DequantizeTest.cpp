//===- DequantizeTest.cpp - every code through every recipe ---------------------===//

#include "kernels/cuda/linear/Dequantize.h"
#include "EveryCode.h"
#include "qrt/Half.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;

namespace {

float widen(F16, uint16_t bits) { return f16ToF32(bits); }
float widen(BF16, uint16_t bits) { return bf16ToF32(bits); }

template <WeightFormat format, class T>
void expectExact(int maxZeroPoint) {
  for (int zeroPoint = 0; zeroPoint <= maxZeroPoint; ++zeroPoint) {
    const int zeroPoint8 = maxZeroPoint - zeroPoint;
    const ExactCodes<format, T> values(zeroPoint, zeroPoint8);
    forEveryCode<format>(
        [&](const uint32_t *words, int step, uint32_t (&a)[4]) {
          CodeFields<format, T>::expandStep(words, step, values, a);
        },
        [&](int reg, uint16_t bits, int code) {
          ASSERT_EQ(widen(T(), bits), float(code - (reg & 1 ? zeroPoint8 : zeroPoint)));
        });
  }
}

/// factor * raw - bias is the code, by the constants of its row.
template <WeightFormat format, class T>
void expectRaw() {
  using Values = RawCodes<format, T>;
  forEveryCode<format>(
      [&](const uint32_t *words, int step, uint32_t (&a)[4]) {
        CodeFields<format, T>::expandStep(words, step, Values(), a);
      },
      [&](int reg, uint16_t bits, int code) {
        const float factor = reg & 1 ? Values::highFactor : Values::lowFactor;
        const float bias = reg & 1 ? Values::highBias : Values::lowBias;
        ASSERT_EQ(widen(T(), bits) * factor - bias, float(code)) << "register " << reg;
      });
}

TEST(Dequantize, RawCodesAreLinearInTheCode) {
  expectRaw<WeightFormat::U8, F16>();
  expectRaw<WeightFormat::U8, BF16>();
  expectRaw<WeightFormat::U4, F16>();
  expectRaw<WeightFormat::U4, BF16>();
  expectRaw<WeightFormat::U3, F16>();
  expectRaw<WeightFormat::U3, BF16>();
  expectRaw<WeightFormat::U2, F16>();
  expectRaw<WeightFormat::U2, BF16>();
}

TEST(Dequantize, EveryCodeAndZeroPointIsExact) {
  expectExact<WeightFormat::U8, F16>(255);
  expectExact<WeightFormat::U8, BF16>(255);
  expectExact<WeightFormat::U4, F16>(255); // beyond the format's own range too
  expectExact<WeightFormat::U4, BF16>(127);
  expectExact<WeightFormat::U3, F16>(255);
  expectExact<WeightFormat::U3, BF16>(127);
  expectExact<WeightFormat::U2, F16>(255);
  expectExact<WeightFormat::U2, BF16>(127);
}

TEST(Dequantize, DenseWeightsKeepTheirBitsOrAreConverted) {
  uint32_t words[16], a[4];
  for (int i = 0; i < 16; ++i)
    words[i] = f32ToF16(float(i) + 0.25f) | uint32_t(f32ToF16(-float(i))) << 16;
  for (int step = 0; step < 4; ++step) {
    CodeFields<WeightFormat::F16, F16>::expandStep(words, step, DenseValues(), a);
    for (int reg = 0; reg < 4; ++reg)
      EXPECT_EQ(a[reg], words[4 * step + reg]);
    CodeFields<WeightFormat::F16, BF16>::expandStep(words, step, DenseValues(), a);
    for (int reg = 0; reg < 4; ++reg) {
      EXPECT_EQ(uint16_t(a[reg]), f32ToBf16(float(4 * step + reg) + 0.25f));
      EXPECT_EQ(a[reg] >> 16, f32ToBf16(-float(4 * step + reg)));
    }
  }
}

} // namespace
