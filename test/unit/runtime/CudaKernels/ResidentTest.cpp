//===- ResidentTest.cpp - products of 9 to 16 rows with activations in shared memory ---------===//

#include "LinearCase.h"
#include "kernels/cuda/linear/ResidentPlan.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;
using kernels::ScaleType;

namespace {

const WeightFormat formats[] = {WeightFormat::U4, WeightFormat::U3, WeightFormat::U2};

ResidentPlan planOf(const WeightDesc &desc, int64_t rows, int multiprocessors = 132,
                    int sharedKilobytes = 227) {
  Device device;
  device.launch.multiprocessors = multiprocessors;
  device.launch.sharedBytesPerBlock = sharedKilobytes * 1024;
  const int64_t panels = (desc.n + 15) / 16;
  return planResident(device.launch, desc, DType::F16, (panels + 1) / 2, rows);
}

TEST(ResidentPlan, Shapes) {
  const WeightDesc wide = {WeightFormat::U4, 28672, 4096, 128, true, ScaleType::F16};
  ResidentPlan plan = planOf(wide, 16);
  EXPECT_EQ(plan.runs, 2); // of seven items
  EXPECT_EQ(plan.warps, 14);
  EXPECT_EQ(plan.splits, 1);
  EXPECT_EQ(plan.blocks, 132);
  EXPECT_EQ(planOf(wide, 9).warps, 14); // the same sums for all rows it takes

  WeightDesc desc = wide;
  desc.n = 4096;
  desc.k = 14336; // all rows are more than shared memory has
  plan = planOf(desc, 16);
  EXPECT_EQ(plan.splits, 4);
  EXPECT_EQ(plan.sliceQuanta, 28);
  EXPECT_EQ(plan.blocks, 32 + 1);

  EXPECT_EQ(planOf(wide, 8).runs, 0);
  EXPECT_EQ(planOf(wide, 17).runs, 0);
  desc = wide;
  desc.format = WeightFormat::U8;
  EXPECT_EQ(planOf(desc, 16).runs, 0);
  desc = wide;
  desc.n = 151936; // 36 items of a block
  desc.k = 896;
  EXPECT_EQ(planOf(desc, 16).runs, 0);
  EXPECT_EQ(planOf(wide, 16, 132, 99).runs, 0); // not room enough for ten warps
}

TEST(ResidentLinear, EveryFormatAndGroup) {
  for (WeightFormat format : formats)
    for (int group : {0, 32, 64, 128})
      for (bool symmetric : {true, false}) {
        const WeightDesc desc = {format, 70, 520, group, symmetric, ScaleType::F16};
        ASSERT_GT(planOf(desc, 9).runs, 0);
        checkLinearOn(227, {desc, 9, DType::F16, DType::F32, !symmetric, symmetric}, 132, {2});
      }
}

TEST(ResidentLinear, EdgesOfKAndRows) {
  int64_t rows = 9;
  for (int64_t k : {1, 8, 31, 64, 65, 100, 127, 129, 577, 1030}) {
    checkLinearOn(227,
                  {{WeightFormat::U4, 17, k, 32, false, ScaleType::F16},
                   rows,
                   DType::F16,
                   DType::F16,
                   true,
                   false},
                  132, {3});
    rows = rows == 16 ? 9 : rows + 1;
  }
}

/// Blocks of several items, the last ones of one item less; runs of uneven length.
TEST(ResidentLinear, BlocksOfSeveralItems) {
  const WeightDesc desc = {WeightFormat::U4, 32 * 11 - 5, 900, 128, false, ScaleType::F16};
  for (int multiprocessors : {1, 2, 3, 4}) {
    EXPECT_GT(planOf(desc, 16, multiprocessors).runs, 0);
    checkLinearOn(227, {desc, 16, DType::F16, DType::F32, true, true}, multiprocessors, {0, 1, 2});
  }
  checkLinearOn(227, {desc, 11, DType::F16, DType::F32, true, true}, 5, {0, 3});
}

/// Shared memory for less than K: slices add through memory, in order.
TEST(ResidentLinear, Slices) {
  for (WeightFormat format : formats) {
    const WeightDesc desc = {format, 100, 3000, 64, false, ScaleType::F16};
    const ResidentPlan plan = planOf(desc, 12, 8, 99);
    ASSERT_GT(plan.splits, 1);
    ASSERT_GT(plan.runs, 0);
    checkLinearOn(99, {desc, 12, DType::F16, DType::F32, true, true}, 8, {0, 1, 2});
    checkLinearOn(99, {desc, 16, DType::F16, DType::BF16, false, false}, 12, {3});
  }
}

/// Long runs of items are StreamLinear's.
TEST(StreamLinear, NineToSixteenRowsOfManyItems) {
  for (WeightFormat format : formats)
    for (int group : {0, 32, 64, 128}) {
      const WeightDesc desc = {format, 32 * 15 + 8, 200, group, false, ScaleType::F16};
      ASSERT_EQ(planOf(desc, 16, 1).runs, 0);
      checkLinearOn(227, {desc, 13, DType::F16, DType::F32, true, false}, 1, {2});
    }
}

} // namespace
