//===- HalfTest.cpp - f16 and bf16 against an independent definition -------------------------===//
#include "qrt/Half.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace qrt;

/// Value of a binary16 pattern from the definition in IEEE 754, in double.
static double halfValue(uint16_t bits) {
  int exponent = (bits >> 10) & 31, mantissa = bits & 1023;
  double magnitude =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

TEST(Half, EveryF16PatternWidensExactly) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    float wide = f16ToF32(static_cast<uint16_t>(bits));
    if (((bits >> 10) & 31) == 31) {
      EXPECT_EQ(std::isnan(wide), (bits & 1023) != 0);
      if (!std::isnan(wide)) {
        EXPECT_EQ(wide > 0, bits < 0x8000);
      }
      continue;
    }
    ASSERT_EQ(double(wide), halfValue(static_cast<uint16_t>(bits))) << bits;
    ASSERT_EQ(f32ToF16(wide), bits);
  }
}

TEST(Half, F16RoundsTiesToEvenBetweenAllNeighbours) {
  for (uint32_t bits = 0; bits < 0x7bff; ++bits) {
    double low = halfValue(bits), high = halfValue(bits + 1);
    float middle = static_cast<float>((low + high) / 2); // exact: one more mantissa bit
    uint16_t even = bits % 2 == 0 ? bits : bits + 1;
    ASSERT_EQ(f32ToF16(middle), even) << bits;
    ASSERT_EQ(f32ToF16(std::nextafter(middle, 0.0f)), bits);
    ASSERT_EQ(f32ToF16(std::nextafter(middle, 1e9f)), bits + 1);
    ASSERT_EQ(f32ToF16(-middle), even | 0x8000);
  }
}

TEST(Half, F16OverflowsAt65520) {
  EXPECT_EQ(f32ToF16(65519.996f), 0x7bff);
  EXPECT_EQ(f32ToF16(65520.0f), 0x7c00);
  EXPECT_EQ(f32ToF16(-std::numeric_limits<float>::infinity()), 0xfc00);
  EXPECT_TRUE(std::isnan(f16ToF32(f32ToF16(std::nanf("")))));
}

TEST(Half, Bf16RoundsTiesToEven) {
  for (uint32_t top = 0; top < 0x7f7f; ++top) {
    float middle = std::bit_cast<float>((top << 16) | 0x8000u);
    ASSERT_EQ(f32ToBf16(middle), top % 2 == 0 ? top : top + 1);
    ASSERT_EQ(f32ToBf16(std::bit_cast<float>((top << 16) | 0x7fffu)), top);
    ASSERT_EQ(f32ToBf16(std::bit_cast<float>((top << 16) | 0x8001u)), top + 1);
    ASSERT_EQ(f32ToBf16(bf16ToF32(static_cast<uint16_t>(top))), top);
  }
  EXPECT_TRUE(std::isnan(bf16ToF32(f32ToBf16(std::bit_cast<float>(0x7f800001u)))));
  EXPECT_TRUE(std::isinf(bf16ToF32(f32ToBf16(std::numeric_limits<float>::max()))));
}
