//===- KvQuantizationTest.cpp - Caches against the formula in float64 -------------------------===//
#include "qopt/Quantization/KvQuantization.h"

#include "Reference.h"
#include "kernels/cpu/attention/KvCodes.h"

#include <gtest/gtest.h>

#include <limits>

using namespace qopt::quantization;
using namespace qopt::quantization::test;

namespace {

/// docs/semantics.md on a list of values.
Doubles naive(const Doubles &x, int bits, bool symmetric) {
  double low = 0, high = 0, zero = 1 << (bits - 1);
  const double largest = (1 << bits) - 1;
  for (double v : x)
    low = std::min(low, v), high = std::max(high, v);
  double scale = symmetric ? float(std::max(-low, high)) / float(zero - 1)
                           : (float(high) - float(low)) / float(largest);
  scale = qrt::f16ToF32(qrt::f32ToF16(float(std::max(scale, 0x1p-14))));
  if (!symmetric)
    zero = std::clamp(std::nearbyint(float(-low) / float(scale)) + 0.0, 0.0, largest);
  Doubles out;
  for (double v : x)
    out.push_back(
        (std::clamp(std::nearbyint(float(v) / float(scale)) + zero, 0.0, largest) - zero) * scale);
  return out;
}

double meanSquare(const Floats &a, const Floats &b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    sum += std::pow(double(a[i]) - b[i], 2);
  return sum / double(a.size());
}

} // namespace

TEST(KvQuantization, FollowsTheFormula) {
  const int64_t tokens = 70, heads = 3, dim = 32, channels = heads * dim;
  const Floats x = activations(tokens, channels, 3);
  for (int bits : {8, 4})
    for (bool symmetric : {true, false})
      for (KvAxis axis : {KvAxis::PerToken, KvAxis::PerChannel}) {
        KvFormat format{bits, axis, symmetric, dim, 16, 32, 4, 10};
        Floats y = x;
        ASSERT_TRUE(roundTripKv(y, tokens, channels, format).isOk());
        Floats expected = x;
        if (axis == KvAxis::PerToken)
          for (int64_t t = 4; t < 60; ++t)
            for (int64_t g = 0; g < channels; g += 16) {
              Doubles q =
                  naive(Doubles(x.begin() + t * channels + g, x.begin() + t * channels + g + 16),
                        bits, symmetric);
              std::copy(q.begin(), q.end(), expected.begin() + t * channels + g);
            }
        else
          for (int64_t c = 0; c < channels; ++c) { // one whole run of 32 fits into 4 ... 60
            Doubles column;
            for (int64_t t = 4; t < 36; ++t)
              column.push_back(x[t * channels + c]);
            column = naive(column, bits, symmetric);
            for (int64_t t = 4; t < 36; ++t)
              expected[t * channels + c] = float(column[t - 4]);
          }
        for (size_t i = 0; i < y.size(); ++i)
          ASSERT_NEAR(y[i], expected[i], 1e-5 * std::fabs(expected[i])) << i;
      }
}

TEST(KvQuantization, KeysWithOutlierChannelsWantChannels) {
  const int64_t tokens = 256, channels = 64;
  const Floats x = activations(tokens, channels, 5); // some channels are 20 times larger
  Floats perToken = x, perChannel = x;
  KvFormat format{4, KvAxis::PerToken, false, 64};
  ASSERT_TRUE(roundTripKv(perToken, tokens, channels, format).isOk());
  format.axis = KvAxis::PerChannel;
  ASSERT_TRUE(roundTripKv(perChannel, tokens, channels, format).isOk());
  EXPECT_LT(meanSquare(perChannel, x), 0.7 * meanSquare(perToken, x));
}

TEST(KvQuantization, KeepsSinksAndTheRecentWindow) {
  const int64_t tokens = 20, channels = 16;
  const Floats x = normals(tokens * channels, 7);
  Floats y = x;
  ASSERT_TRUE(roundTripKv(y, tokens, channels, {4, KvAxis::PerToken, true, 16, 0, 0, 3, 5}).isOk());
  for (int64_t t = 0; t < tokens; ++t) {
    const bool equal = std::equal(y.begin() + t * channels, y.begin() + (t + 1) * channels,
                                  x.begin() + t * channels);
    EXPECT_EQ(equal, t < 3 || t >= 15) << t;
  }
  Floats all = x; // windows that cover everything
  ASSERT_TRUE(
      roundTripKv(all, tokens, channels, {4, KvAxis::PerToken, true, 16, 0, 0, 12, 12}).isOk());
  EXPECT_EQ(all, x);
}

TEST(KvQuantization, NamesBadFormats) {
  Floats x(32, 1.0f);
  EXPECT_FALSE(roundTripKv(x, 2, 16, {3, KvAxis::PerToken, true, 16}).isOk());
  EXPECT_FALSE(roundTripKv(x, 2, 16, {4, KvAxis::PerToken, true, 16, 12}).isOk());
  EXPECT_FALSE(roundTripKv(x, 2, 16, {4, KvAxis::PerToken, true, 0, 0}).isOk());
  EXPECT_FALSE(roundTripKv(x, 2, 15, {4, KvAxis::PerToken, true, 16}).isOk());
  x[3] = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(roundTripKv(x, 2, 16, {4, KvAxis::PerToken, true, 16}).isOk());
}

/// What the runtime's pages give back is what roundTripKv says, bit for bit.
TEST(KvQuantization, IsWhatTheCacheOfTheRuntimeHolds) {
  using namespace qrt::kernels;
  for (qrt::DType type : {qrt::DType::I8, qrt::DType::I4})
    for (int64_t dim : {64, 128, 100, 20})
      for (bool isKey : {true, false}) {
        const int64_t heads = 2, tokens = 7;
        const KvCodeLayout layout = kvCodeLayout(dim, type, isKey);
        ASSERT_GT(layout.headBytes, 0);
        Floats x(tokens * heads * dim);
        for (size_t i = 0; i < x.size(); ++i)
          x[i] = float(std::sin(double(i) * i * 0.37 + 1) * (i % 9 == 0 ? 12 : 1));
        std::vector<unsigned char> page(layout.headBytes * heads);
        for (int64_t t = 0; t < tokens; ++t)
          for (int64_t h = 0; h < heads; ++h)
            writeKvToken(layout, isKey, x.data() + (t * heads + h) * dim, nullptr, t + 3,
                         page.data() + h * layout.headBytes);
        KvFormat format;
        format.bits = layout.bits;
        format.symmetric = layout.symmetric;
        format.headDim = dim;
        format.groupSize = layout.group;
        Floats expected = x;
        ASSERT_TRUE(roundTripKv(expected, tokens, heads * dim, format));
        for (int64_t t = 0; t < tokens; ++t)
          for (int64_t h = 0; h < heads; ++h)
            for (int64_t d = 0; d < dim; ++d)
              EXPECT_EQ(readKvElement(layout, isKey, page.data() + h * layout.headBytes, t + 3, d),
                        expected[(t * heads + h) * dim + d]);
      }
}
