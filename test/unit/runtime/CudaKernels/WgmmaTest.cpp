//===- WgmmaTest.cpp - what WgmmaLinear is made of, without its instruction ------===//
//
// The kernel itself needs a device. Here its layout is multiplied out by the instruction's tables,
// written out once more from the PTX manual, its arithmetic is run over every code, and its plan is
// walked through.
//
//===----------------------------------------------------------------------===//

#include "DeviceWeight.h"
#include "EveryCode.h"
#include "kernels/cuda/layout/WgmmaTile.h"
#include "kernels/cuda/linear/ScaledCodes.h"
#include "kernels/cuda/linear/WgmmaLaunch.h"
#include "kernels/cuda/linear/WgmmaPlan.h"
#include "qrt/Half.h"

#include <cstring>
#include <gtest/gtest.h>
#include <map>

using namespace qrt;
using namespace qrt::cuda;

namespace {

static_assert(wgmmaTokenByte(0, 0) == 0 && wgmmaTokenByte(0, 1) == 16);
static_assert(wgmmaTokenByte(0, 4) == 4 && wgmmaTokenByte(1, 0) == 128 + 16);
static_assert(wgmmaTokenByte(9, 31) == 9 * 128 + ((7 ^ 1) * 16) + 12);
// Address 0x12400 / 16, 1 (not used), 1024 / 16, layout 1 = 128 bytes.
static_assert(wgmmaDescriptor(0x12400) == 0x4000004000011240u);

/// The swizzle of 128 bytes as an operation on addresses: bits 4 to 6 ^= bits 7 to 9.
int swizzled(int address) { return address ^ (address >> 7 & 7) << 4; }

TEST(Wgmma, TileAndFragmentsGiveThePlainProduct) {
  constexpr int tokens = 24, rows = 64;
  int weight[rows][unitK], token[tokens][unitK];
  for (int row = 0; row < rows; ++row)
    for (int k = 0; k < unitK; ++k)
      weight[row][k] = (row * 31 + k * 17 + row * k) % 23 - 11;
  std::vector<uint8_t> tile(tokens * wgmmaLineBytes, 0xee);
  for (int t = 0; t < tokens; ++t) {
    for (int k = 0; k < unitK; ++k)
      token[t][k] = (t * 7 + k * 29 + t * k) % 19 - 9;
    for (int word = 0; word < unitK / 2; ++word) {
      const int16_t pair[2] = {int16_t(token[t][2 * word]), int16_t(token[t][2 * word + 1])};
      std::memcpy(tile.data() + wgmmaTokenByte(t, word), pair, 4);
    }
  }
  int product[rows][tokens] = {};
  for (int step = 0; step < unitSteps; ++step) {
    int a[rows][16], b[16][tokens];
    for (int warp = 0; warp < 4; ++warp) // a panel each
      for (int lane = 0; lane < 32; ++lane)
        for (int reg = 0; reg < 4; ++reg)
          for (int half = 0; half < 2; ++half) {
            const FragmentPlace to = wgmmaA16(warp, lane, reg, half);
            const FragmentPlace from = placeOf({lane, step, reg, half});
            a[to.row][to.col] = weight[16 * warp + from.row][from.col];
          }
    for (int k = 0; k < 16; ++k)
      for (int t = 0; t < tokens; ++t) {
        int16_t value;
        const int offset = int(wgmmaStepOffset(step)) * 16; // of the descriptor, in bytes
        std::memcpy(&value, tile.data() + swizzled(t * 128 + offset + 2 * k), 2);
        b[k][t] = value;
      }
    for (int row = 0; row < rows; ++row)
      for (int t = 0; t < tokens; ++t)
        for (int k = 0; k < 16; ++k)
          product[row][t] += a[row][k] * b[k][t];
  }
  for (int row = 0; row < rows; ++row)
    for (int t = 0; t < tokens; ++t) {
      int sum = 0;
      for (int k = 0; k < unitK; ++k)
        sum += weight[row][k] * token[t][k];
      ASSERT_EQ(product[row][t], sum) << row << " " << t;
    }
}

TEST(Wgmma, TokensLieInTheirTiles) {
  for (auto [rows, k, padding] : {std::tuple<int64_t, int64_t, int64_t>{37, 1000, 0},
                                  {64, 64, 0},
                                  {1, 33, 7},
                                  {70, 100, 4}}) {
    test::Device device;
    const int64_t stride = k + padding;
    test::Memory src(size_t(rows * stride) * 2);
    auto *values = src.data<uint16_t>();
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t at = 0; at < k; ++at)
        values[row * stride + at] = uint16_t(row * 1031 + at * 7 + 1);
    WgmmaPlan plan = {};
    plan.tokens = 32;
    plan.tokenBlocks = int32_t((rows + 31) / 32);
    const int64_t units = (k + unitK - 1) / unitK;
    test::Memory tiles(size_t(plan.tokenBytes(units)));
    LinearParams op;
    op.src = {src.data(), stride, DType::F16};
    op.weight.desc = {WeightFormat::U4, 16, k, 32};
    op.rows = rows;
    ASSERT_EQ(launchWgmmaTokens(device.launch, op, plan, tiles.data()), 0) << device.stream.error;
    EXPECT_TRUE(src.guardsIntact() && tiles.guardsIntact());
    for (int64_t row = 0; row < plan.tokenBlocks * 32; ++row)
      for (int64_t at = 0; at < units * unitK; ++at) {
        const int64_t tile = row / 32 * units + at / unitK;
        const int byte = wgmmaTokenByte(int(row % 32), int(at % unitK / 2)) + int(at % 2) * 2;
        uint16_t got;
        std::memcpy(&got, tiles.data<uint8_t>() + tile * 32 * wgmmaLineBytes + byte, 2);
        ASSERT_EQ(got, row < rows && at < k ? values[row * stride + at] : 0) << row << " " << at;
      }
  }
}

/// Every code with every zero point, against one rounding of the exact product.
template <WeightFormat format>
void expectScaled(float s, float s8) {
  constexpr int codes = 1 << laneWords(format);
  for (int z = 0; z < codes; ++z) {
    const int z8 = codes - 1 - z;
    const ScaledCodes<format> values(f32ToF16(s), f32ToF16(s8), uint32_t(z), uint32_t(z8));
    test::forEveryCode<format>(
        [&](const uint32_t *words, int step, uint32_t (&a)[4]) {
          CodeFields<format, F16>::expandStep(words, step, values, a);
        },
        [&](int reg, uint16_t half, int code) {
          const float scale = f16ToF32(f32ToF16(reg & 1 ? s8 : s));
          const float exact = float(code - (reg & 1 ? z8 : z)) * scale;
          ASSERT_EQ(f16ToF32(half), f16ToF32(f32ToF16(exact)))
              << "zero point " << z << " scale " << s;
        });
  }
}

TEST(Wgmma, ScaledCodesAreRoundedOnce) {
  for (auto [s, s8] : {std::pair(0.00731f, 0.0291f), std::pair(1.0f, 3e-7f)}) {
    expectScaled<WeightFormat::U4>(s, s8);
    expectScaled<WeightFormat::U3>(s, s8);
    expectScaled<WeightFormat::U2>(s, s8);
  }
  expectScaled<WeightFormat::U8>(0.00731f, 0.0291f);
}

TEST(Wgmma, PlanCoversEveryUnitOfEveryTileOnce) {
  Launch launch;
  launch.multiprocessors = 132;
  for (auto [n, k] : {std::pair<int64_t, int64_t>{4096, 4096},
                      {28672, 4096},
                      {4096, 14336},
                      {1000, 896},
                      {130, 1001},
                      {151936, 896},
                      {16, 64}})
    for (int64_t rows : {17, 33, 64, 65, 129, 512, 1000, 2048, 8192}) {
      const WeightDesc desc{WeightFormat::U4, n, k, 128};
      const WgmmaPlan plan = planWgmma(launch, desc, rows);
      const auto units = int(unitGeometry(desc).units);
      ASSERT_GE(int64_t(plan.tokenBlocks) * plan.tokens, rows);
      ASSERT_LE(2 * plan.cutTiles, ticketCounters);
      std::map<int, std::vector<bool>> seen;
      for (int i = 0; i < plan.items; ++i) {
        const WgmmaItem item = wgmmaItem(plan, i);
        std::vector<bool> &tile = seen[item.tile];
        tile.resize(size_t(units));
        const int first = wgmmaFirstUnit(units, item.split, item.splits);
        const int end = wgmmaFirstUnit(units, item.split + 1, item.splits);
        ASSERT_LT(first, end);
        for (int unit = first; unit < end; ++unit) {
          ASSERT_FALSE(tile[size_t(unit)]);
          tile[size_t(unit)] = true;
        }
      }
      const int64_t panelBlocks = (n + wgmmaOutputs - 1) / wgmmaOutputs;
      ASSERT_EQ(int64_t(seen.size()), panelBlocks * plan.tokenBlocks);
      for (const auto &[number, tile] : seen)
        for (bool unit : tile)
          ASSERT_TRUE(unit) << "tile " << number;
    }
}

TEST(Wgmma, TakesF16WithF16ScalesAndTheirOwnDenseType) {
  Launch launch;
  launch.capability = 90;
  launch.multiprocessors = 132;
  launch.sharedBytesPerBlock = 227 * 1024;
  WeightDesc desc{WeightFormat::U4, 64, 64, 32};
  EXPECT_TRUE(wgmmaTakes(launch, desc, DType::F16, 17));
  EXPECT_FALSE(wgmmaTakes(launch, desc, DType::F16, 16));
  EXPECT_FALSE(wgmmaTakes(launch, desc, DType::BF16, 17));
  EXPECT_FALSE(wgmmaTakes(launch, desc, DType::I8, 17));
  desc.scaleType = kernels::ScaleType::F32;
  EXPECT_FALSE(wgmmaTakes(launch, desc, DType::F16, 17));
  const WeightDesc dense{WeightFormat::BF16, 64, 64};
  EXPECT_TRUE(wgmmaTakes(launch, dense, DType::BF16, 17));
  EXPECT_FALSE(wgmmaTakes(launch, dense, DType::F16, 17));
  launch.capability = 89;
  EXPECT_FALSE(wgmmaTakes(launch, dense, DType::BF16, 17));
}

TEST(Wgmma, CutsOnlyWhatLeavesMultiprocessorsIdle) {
  Launch launch;
  launch.multiprocessors = 132;
  const WeightDesc wide{WeightFormat::U4, 28672, 4096, 128}; // 112 tiles per 128 tokens
  EXPECT_EQ(planWgmma(launch, wide, 128).splits, 1);
  EXPECT_EQ(planWgmma(launch, wide, 64).splits, 1);
  const WeightDesc deep{WeightFormat::U4, 4096, 14336, 128}; // 16 tiles
  const WgmmaPlan plan = planWgmma(launch, deep, 128);
  EXPECT_GE(plan.cutTiles * plan.splits, 100);
  EXPECT_LE(plan.cutTiles * plan.splits, 132);
  // Narrower tiles rather than many parts.
  EXPECT_LT(planWgmma(launch, {WeightFormat::U4, 896, 4864, 128}, 512).tokens, 128);
}

} // namespace
