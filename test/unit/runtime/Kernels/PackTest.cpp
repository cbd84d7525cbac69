//===- PackTest.cpp - the packed weight layout -------------------------------===//
//
// Round trips through every format and group size, dequantization against the formula, and the
// descriptors that must be refused.
//
//===----------------------------------------------------------------------===//

#include "LinearFixture.h"
#include "kernels/cpu/linear/Layout.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::kernels;
using namespace qrt::kernels::test;

static std::vector<WeightDesc> allDescriptors() {
  std::vector<WeightDesc> all;
  for (auto format : {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3, WeightFormat::U2})
    for (int group : {0, 32, 64, 128})
      for (bool symmetric : {true, false})
        for (auto scale : {ScaleType::F16, ScaleType::F32})
          for (auto [n, k] : {std::pair{1, 1}, {16, 128}, {17, 129}, {37, 200}})
            all.push_back({format, n, k, group, symmetric, scale});
  for (auto format : {WeightFormat::F32, WeightFormat::F16, WeightFormat::BF16})
    for (auto [n, k] : {std::pair{1, 1}, {3, 17}, {5, 64}})
      all.push_back({format, n, k, 0, true, ScaleType::F16});
  return all;
}

TEST(Pack, CodesScalesAndZeroPointsComeBack) {
  for (const WeightDesc &desc : allDescriptors()) {
    if (!isQuantized(desc.format))
      continue;
    RandomWeight w = randomWeight(desc, 1);
    std::vector<uint8_t> codes(w.codes.size()), zeroPoints(w.zeroPoints.size());
    std::vector<float> scales(w.scales.size());
    unpackCodes(w.view(), codes.data());
    unpackScales(w.view(), scales.data(), zeroPoints.data());
    EXPECT_EQ(codes, w.codes);
    EXPECT_EQ(scales, w.scales);
    EXPECT_EQ(zeroPoints, w.zeroPoints);
  }
}

TEST(Pack, DequantizeRowIsTheFormula) {
  for (const WeightDesc &desc : allDescriptors()) {
    RandomWeight w = randomWeight(desc, 2);
    std::vector<float> row(desc.k);
    for (int64_t n = 0; n < desc.n; ++n) {
      dequantizeRow(w.view(), n, row.data());
      EXPECT_EQ(row, std::vector<float>(w.values.begin() + n * desc.k,
                                        w.values.begin() + (n + 1) * desc.k));
    }
  }
}

TEST(Pack, SizesAreBitsPerWeightPlusScales) {
  WeightDesc desc{WeightFormat::U4, 64, 1024, 128, true, ScaleType::F16};
  PackedSizes sizes = *packedSizes(desc);
  EXPECT_EQ(sizes.data, 64u * 1024 / 2);
  EXPECT_EQ(sizes.scales, 64u * 8 * 2); // 4.125 bits per weight in all
  EXPECT_EQ(sizes.zeroPoints, 0u);
  desc = {WeightFormat::U3, 64, 1024, 32, false, ScaleType::F32};
  sizes = *packedSizes(desc);
  EXPECT_EQ(sizes.data, 64u * 1024 * 3 / 8);
  EXPECT_EQ(sizes.scales, 64u * 32 * 4);
  EXPECT_EQ(sizes.zeroPoints, 64u * 32);
}

TEST(Pack, PaddingCannotReachTheResult) {
  WeightDesc desc{WeightFormat::U4, 3, 40, 32, false, ScaleType::F16};
  RandomWeight w = randomWeight(desc, 3);
  PanelGeometry g = panelGeometry(desc);
  for (int row = 3; row < panelRows; ++row)
    for (int group = 0; group < g.groups; ++group)
      EXPECT_EQ(loadScale(w.view(), g, row, group), 0.0f);
  for (int row = 0; row < 3; ++row)
    for (int k = 8; k < 32; ++k)
      EXPECT_EQ(loadCode(desc.format, 32, w.data.data() + g.blockBytes, row, k),
                loadZeroPoint(w.view(), g, row, 1));
}

TEST(Pack, InvalidDescriptorsAreRefused) {
  auto message = [](WeightDesc desc) {
    Result<PackedSizes> sizes = packedSizes(desc);
    EXPECT_FALSE(sizes);
    EXPECT_EQ(sizes.status().code(), StatusCode::InvalidArgument);
    return sizes.status().message();
  };
  WeightDesc good{WeightFormat::U4, 16, 16, 32, true, ScaleType::F16};
  WeightDesc desc = good;
  desc.format = static_cast<WeightFormat>(7);
  EXPECT_EQ(message(desc), "packed weight: unknown format 7");
  desc = good;
  desc.n = 0;
  EXPECT_EQ(message(desc), "packed weight: size 0 x 16 is outside 1 .. 2^30");
  desc = good;
  desc.k = int64_t(1) << 60;
  EXPECT_EQ(message(desc), "packed weight: size 16 x 1152921504606846976 is outside 1 .. 2^30");
  desc = good;
  desc.groupSize = 48;
  EXPECT_EQ(message(desc), "packed weight: group size 48 is not 0, 32, 64 or 128");
  desc = good;
  desc.scaleType = static_cast<ScaleType>(2);
  EXPECT_EQ(message(desc), "packed weight: unknown scale type 2");
  desc = good;
  desc.format = WeightFormat::F16;
  EXPECT_EQ(message(desc), "packed weight: a dense format has no groups");
}
