//===- LayoutTest.cpp - fragment order against a plain product -----------------===//
//
// Repacks file weights, then multiplies them as the tensor cores do: operand registers are taken
// from the words by the order's definition and placed by the instructions' ownership tables, here
// written out once more from the PTX manual.
//
//===----------------------------------------------------------------------===//

#include "DeviceWeight.h"
#include "kernels/cuda/layout/StoredWeights.h"
#include "kernels/cuda/layout/WeightOrder.h"
#include "qrt/Half.h"

#include <cstring>
#include <gtest/gtest.h>
#include <set>

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;
using kernels::ScaleType;

namespace {

constexpr WeightFormat quantizedFormats[] = {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3,
                                             WeightFormat::U2};
constexpr std::pair<int64_t, int64_t> shapes[] = {{1, 1},    {16, 64},  {17, 65},
                                                  {15, 129}, {48, 200}, {33, 320}};

std::vector<WeightDesc> allDescriptors() {
  std::vector<WeightDesc> all;
  for (WeightFormat format : quantizedFormats)
    for (int group : {0, 32, 64, 128})
      for (bool symmetric : {true, false})
        for (auto [n, k] : shapes)
          all.push_back({format, n, k, group, symmetric, ScaleType::F16});
  for (WeightFormat format : {WeightFormat::F16, WeightFormat::BF16, WeightFormat::F32})
    for (auto [n, k] : shapes)
      all.push_back({format, n, k, 0, true, ScaleType::F16});
  return all;
}

static_assert(slotOf(0, 0) == Slot{0, 0, 0, 0});
static_assert(slotOf(9, 63) == Slot{7, 3, 3, 1});
static_assert(slotOf(9, 32) == Slot{4, 2, 1, 0}); // groups of 32 are two steps each
static_assert(placeOf(slotOf(13, 37)) == FragmentPlace{13, 37});
static_assert(unitBytes(WeightFormat::U4) == 512 && unitBytes(WeightFormat::U3) == 384);

TEST(WeightOrder, EveryElementHasItsOwnSlotAndField) {
  for (WeightFormat format : {WeightFormat::F16, WeightFormat::U8, WeightFormat::U4,
                              WeightFormat::U3, WeightFormat::U2}) {
    std::set<std::pair<int, int>> bits;
    std::set<int> words;
    for (int row = 0; row < 16; ++row)
      for (int k = 0; k < unitK; ++k) {
        Slot slot = slotOf(row, k);
        EXPECT_EQ(placeOf(slot), (FragmentPlace{row, k}));
        uint32_t lane[16] = {};
        storeSlot(format, lane, slot.step, slot.reg, slot.half, (1u << laneWords(format)) - 1);
        int count = 0;
        for (int word = 0; word < laneWords(format); ++word)
          for (int bit = 0; bit < 32; ++bit)
            if (lane[word] >> bit & 1) {
              ++count;
              EXPECT_TRUE(bits.insert({wordOffset(format, slot.lane, word), bit}).second);
            }
        EXPECT_EQ(count, laneWords(format));
      }
    EXPECT_EQ(bits.size(), size_t(unitBytes(format) * 8)); // nothing is unused
    for (int lane = 0; lane < 32; ++lane)
      for (int word = 0; word < laneWords(format); ++word)
        EXPECT_TRUE(words.insert(wordOffset(format, lane, word)).second);
    EXPECT_EQ(*words.rbegin(), unitBytes(format) / 4 - 1);
  }
}

/// What the compiler stores for devices is what the device makes of a file for the CPU, and has the
/// same codes.
TEST(WeightOrder, StoredFragmentsAreTheRepackedOnes) {
  for (const WeightDesc &desc : allDescriptors()) {
    if (desc.format == WeightFormat::F32) {
      EXPECT_EQ(storedFragmentBytes(desc), -1);
      continue;
    }
    DeviceWeight weight(desc, 3);
    const auto bytes = size_t(storedFragmentBytes(desc));
    ASSERT_LE(bytes, size_t(repackedBytes(desc)));
    std::vector<uint8_t> stored(bytes);
    storeAsFragments(desc, weight.host.view().data, stored.data());
    EXPECT_EQ(std::memcmp(stored.data(), weight.view().data, bytes), 0);
    std::vector<uint8_t> back(kernels::packedSizes(desc)->data, 0xaa);
    loadFromFragments(desc, stored.data(), back.data());
    kernels::WeightView again = weight.host.view();
    again.data = back.data();
    std::vector<float> expected(static_cast<size_t>(desc.k)), row(expected.size());
    for (int64_t n = 0; n < desc.n; ++n) {
      kernels::dequantizeRow(weight.host.view(), n, expected.data());
      kernels::dequantizeRow(again, n, row.data());
      ASSERT_EQ(row, expected) << n;
    }
  }
}

TEST(WeightOrder, RepackedCodesComeBack) {
  for (const WeightDesc &desc : allDescriptors()) {
    if (desc.format == WeightFormat::F32)
      continue;
    DeviceWeight weight(desc, 7);
    for (int64_t row = 0; row < desc.n; ++row)
      for (int64_t k = 0; k < desc.k; ++k) {
        uint32_t got = loadUnitCode(desc, weight.data.data<uint32_t>(), row, k);
        if (kernels::isQuantized(desc.format))
          ASSERT_EQ(got, weight.host.codes[size_t(row * desc.k + k)]) << row << ", " << k;
        else
          ASSERT_EQ(desc.format == WeightFormat::F16 ? f16ToF32(uint16_t(got))
                                                     : bf16ToF32(uint16_t(got)),
                    weight.host.values[size_t(row * desc.k + k)]);
      }
  }
}

/// The A operand of one k16 step of a unit, collected from the 32 lanes' registers.
void operandA(const WeightDesc &desc, const uint32_t *unit, int step, uint32_t (&a)[16][16]) {
  for (int lane = 0; lane < 32; ++lane) {
    uint32_t words[16];
    for (int word = 0; word < laneWords(desc.format); ++word)
      words[word] = unit[wordOffset(desc.format, lane, word)];
    for (int reg = 0; reg < 4; ++reg)
      for (int half = 0; half < 2; ++half) {
        // PTX ISA, mma.m16n8k16: row = groupID (+ 8 for a2, a3, a6, a7), col = 2 threadID + (i & 1)
        // (+ 8 for a4 ..)
        int i = 2 * reg + half;
        int row = lane / 4 + ((i / 2) % 2 ? 8 : 0), col = lane % 4 * 2 + i % 2 + (i >= 4 ? 8 : 0);
        a[row][col] = loadSlot(desc.format, words, step, reg, half);
      }
  }
}

TEST(WeightOrder, FragmentProductsAreThePlainProduct) {
  for (const WeightDesc &desc : allDescriptors()) {
    if (!kernels::isQuantized(desc.format))
      continue;
    DeviceWeight weight(desc, 11);
    UnitGeometry g = unitGeometry(desc);
    std::vector<int> x(size_t(g.units * unitK), 0); // one token, small integers
    for (int64_t k = 0; k < desc.k; ++k)
      x[size_t(k)] = int(k * 7 % 23) - 11;
    for (int64_t panel = 0; panel < g.panels; ++panel) {
      int64_t sums[16] = {};
      for (int64_t u = 0; u < g.units; ++u)
        for (int step = 0; step < unitSteps; ++step) {
          uint32_t a[16][16];
          operandA(desc,
                   weight.data.data<uint32_t>() +
                       (panel * g.panelUnits + u) * unitBytes(desc.format) / 4,
                   step, a);
          // B, column 0: lane t gives k slots 2t, 2t + 1 (b0, b1) and 2t + 8, 2t + 9 (b2, b3) from
          // the eight consecutive elements that begin at 8 t of the step's half of the unit.
          int b[16];
          for (int t = 0; t < 4; ++t)
            for (int j = 0; j < 4; ++j)
              b[2 * t + j % 2 + (j >= 2 ? 8 : 0)] =
                  x[size_t(u * unitK + 32 * (step / 2) + 8 * t + 4 * (step % 2) + j)];
          for (int row = 0; row < 16; ++row)
            for (int k = 0; k < 16; ++k)
              sums[row] += int64_t(a[row][k]) * b[k];
        }
      for (int row = 0; row < 16 && panel * 16 + row < desc.n; ++row) {
        int64_t expected = 0;
        for (int64_t k = 0; k < desc.k; ++k)
          expected += weight.host.codes[size_t((panel * 16 + row) * desc.k + k)] * x[size_t(k)];
        ASSERT_EQ(sums[row], expected);
      }
    }
  }
}

TEST(WeightOrder, OneMaskGivesRegistersOfInt8Products) {
  // U8, U4 and U2: the four k of a row in one register of m16n8k32, activations in order 0, 2,
  // 1, 3.
  constexpr int order[4] = {0, 2, 1, 3};
  for (WeightFormat format : {WeightFormat::U8, WeightFormat::U4, WeightFormat::U2}) {
    for (int lane = 0; lane < 32; ++lane) {
      uint32_t words[16] = {};
      for (int step = 0; step < 4; ++step)
        for (int reg = 0; reg < 4; ++reg)
          for (int half = 0; half < 2; ++half) {
            FragmentPlace at = placeOf({lane, step, reg, half});
            uint32_t code = uint32_t(at.row * 64 + at.col * 5) & ((1u << laneWords(format)) - 1);
            storeSlot(format, words, step, reg, half, code);
          }
      for (int step = 0; step < 4; ++step)
        for (int row8 = 0; row8 < 2; ++row8) {
          uint32_t bytes = format == WeightFormat::U8 ? words[2 * step + row8]
                           : format == WeightFormat::U4
                               ? words[step] >> (4 * row8) & 0x0f0f0f0fu
                               : words[step / 2] >> (4 * (step & 1) + 2 * row8) & 0x03030303u;
          for (int byte = 0; byte < 4; ++byte) {
            int row = lane / 4 + 8 * row8,
                k = 32 * (step / 2) + lane % 4 * 8 + 4 * (step % 2) + order[byte];
            EXPECT_EQ(bytes >> (8 * byte) & 0xff,
                      uint32_t(row * 64 + k * 5) & ((1u << laneWords(format)) - 1));
          }
        }
    }
  }
}

TEST(Fragments, WgmmaTakesTheSameRegistersAsMma) {
  std::set<std::pair<int, int>> a, d;
  for (int warp = 0; warp < 4; ++warp)
    for (int lane = 0; lane < 32; ++lane) {
      for (int reg = 0; reg < 4; ++reg)
        for (int half = 0; half < 2; ++half) {
          FragmentPlace place = wgmmaA16(warp, lane, reg, half);
          // CUTLASS, GMMA ALayout_64x16.
          EXPECT_EQ(place.row, 16 * warp + lane / 4 + 8 * (reg % 2));
          EXPECT_TRUE(a.insert({place.row, place.col}).second);
        }
      for (int i = 0; i < 128; ++i) {
        FragmentPlace place = wgmmaD(warp, lane, i);
        EXPECT_TRUE(d.insert({place.row, place.col}).second);
      }
    }
  EXPECT_EQ(a.size(), 64u * 16u);
  EXPECT_EQ(d.size(), 64u * 256u);
}

TEST(Fragments, EveryTableCoversItsMatrixOnce) {
  std::set<std::pair<int, int>> a8, b16, b8, c;
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 16; ++i) {
      FragmentPlace place = fragmentA8(lane, i / 4, i % 4);
      a8.insert({place.row, place.col});
      if (i < 8) {
        place = fragmentB8(lane, i / 4, i % 4);
        b8.insert({place.row, place.col});
      }
      if (i < 4) {
        place = fragmentB16(lane, i / 2, i % 2);
        b16.insert({place.row, place.col});
        place = fragmentC(lane, i);
        c.insert({place.row, place.col});
      }
    }
  EXPECT_EQ(a8.size(), 16u * 32u);
  EXPECT_EQ(b8.size(), 32u * 8u);
  EXPECT_EQ(b16.size(), 16u * 8u);
  EXPECT_EQ(c.size(), 16u * 8u);
}

} // namespace
