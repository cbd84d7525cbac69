//===- LinearTest.cpp - products with stored weights on the emulator --------------===//

#include "LinearCase.h"
#include "kernels/cuda/linear/LinearPlan.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;
using kernels::ScaleType;

namespace {

TEST(StreamLinear, EveryFormatGroupAndType) {
  for (WeightFormat format :
       {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3, WeightFormat::U2})
    for (int group : {0, 32, 64, 128})
      for (bool symmetric : {true, false})
        for (DType type : {DType::F16, DType::BF16})
          checkLinear({{format, 33, 200, group, symmetric, ScaleType::F16},
                       3,
                       type,
                       DType::F32,
                       false,
                       false},
                      132, {2});
  for (WeightFormat format : {WeightFormat::F16, WeightFormat::BF16})
    checkLinear({{format, 33, 200, 0, true, ScaleType::F16},
                 3,
                 format == WeightFormat::F16 ? DType::F16 : DType::BF16,
                 DType::F32,
                 true,
                 true});
}

TEST(StreamLinear, RowsSelectTheInstance) {
  for (int64_t rows : {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129})
    checkLinear({{WeightFormat::U4, 40, 256, 128, false, ScaleType::F16},
                 rows,
                 DType::F16,
                 DType::F32,
                 rows % 2 == 0,
                 rows % 3 == 0},
                132, {2});
}

TEST(StreamLinear, EdgesOfK) {
  for (int64_t k : {1, 8, 31, 64, 65, 100, 127, 129, 577, 1030})
    for (int group : {32, 128})
      checkLinear({{WeightFormat::U4, 17, k, group, false, ScaleType::F16},
                   2,
                   DType::BF16,
                   DType::F32,
                   true,
                   false},
                  132, {3});
}

TEST(StreamLinear, SplitsAddInOrder) {
  // Two panels on many multiprocessors: K is cut, the last block adds.
  for (WeightFormat format :
       {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3, WeightFormat::U2}) {
    WeightDesc desc = {format, 24, 20480, 128, false, ScaleType::F16};
    Device device;
    EXPECT_GT(planStream(device.launch, desc, 1).splits, 1);
    checkLinear({desc, 1, DType::F16, DType::F32, true, true}, 132, {1});
    checkLinear({desc, 13, DType::F16, DType::BF16, true, true}, 132, {3});
  }
}

TEST(StreamLinear, OneBlockWalksOverManyPanels) {
  checkLinear({{WeightFormat::U4, 16 * 13 + 5, 320, 64, true, ScaleType::F16},
               1,
               DType::F16,
               DType::F16,
               true,
               false},
              1);
  checkLinear({{WeightFormat::U3, 16 * 7, 1024, 128, false, ScaleType::F16},
               20,
               DType::F16,
               DType::F32,
               true,
               false},
              2);
}

TEST(StreamLinear, F32ScalesOfAnySize) {
  for (int group : {0, 32})
    checkLinear({{WeightFormat::U8, 20, 300, group, true, ScaleType::F32},
                 5,
                 DType::F16,
                 DType::F32,
                 false,
                 false});
}

TEST(StreamLinear, TheResultOfATokenDoesNotDependOnItsBatch) {
  WeightDesc desc = {WeightFormat::U4, 64, 512, 128, true, ScaleType::F16};
  DeviceWeight weight(desc, 5);
  std::vector<float> x = randomValues(8 * 512, 9), alone, together;
  for (int64_t rows : {1, 8}) {
    DeviceMatrix src(rows, 512, DType::F16), dst(rows, 64, DType::F32);
    src.set(x);
    Device device;
    LinearParams params;
    params.src = src.view();
    params.dst = dst.view();
    params.weight = weight.view();
    params.rows = rows;
    Memory workspace(size_t(linearWorkspaceBytes(device.launch, params)));
    std::fill_n(workspace.data<uint8_t>(), ticketCounters * 4, 0);
    params.workspace = workspace.data();
    ASSERT_EQ(launchLinear(device.launch, params), 0) << device.stream.error;
    (rows == 1 ? alone : together) = dst.get();
  }
  together.resize(64);
  EXPECT_EQ(alone, together);
}

TEST(TileLinear, EveryFormatGroupAndType) {
  for (WeightFormat format :
       {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3, WeightFormat::U2})
    for (int group : {0, 32, 64, 128})
      for (DType type : {DType::F16, DType::BF16})
        checkLinear({{format, 150, 200, group, group % 64 != 0, ScaleType::F16},
                     21,
                     type,
                     DType::F32,
                     false,
                     false},
                    132, {2});
  for (WeightFormat format : {WeightFormat::F16, WeightFormat::BF16})
    checkLinear({{format, 33, 200, 0, true, ScaleType::F16},
                 100,
                 format == WeightFormat::F16 ? DType::F16 : DType::BF16,
                 DType::F32,
                 true,
                 true},
                132, {0, 3});
}

TEST(TileLinear, EdgesOfKAndSplits) {
  for (int64_t k : {1, 31, 65, 577})
    checkLinear({{WeightFormat::U4, 130, k, 32, false, ScaleType::F16},
                 18,
                 DType::F16,
                 DType::F32,
                 true,
                 false},
                132, {3});
  // One tile on many multiprocessors.
  WeightDesc desc = {WeightFormat::U4, 24, 2048, 128, false, ScaleType::F16};
  Device device;
  EXPECT_GT(planTile(device.launch, desc, DType::F16, 70).splits, 1);
  checkLinear({desc, 20, DType::F16, DType::F32, true, true});
  checkLinear({desc, 70, DType::BF16, DType::F16, true, true});
  // Several tiles in both directions.
  checkLinear({{WeightFormat::U8, 280, 128, 64, false, ScaleType::F16},
               150,
               DType::F16,
               DType::F32,
               true,
               true},
              1, {0, 3});
}

TEST(Linear, F32ActivationsAndF32Weights) {
  for (WeightFormat format :
       {WeightFormat::F32, WeightFormat::F16, WeightFormat::BF16, WeightFormat::U8,
        WeightFormat::U4, WeightFormat::U3, WeightFormat::U2})
    checkLinear({{format, 19, 130, kernels::isQuantized(format) ? 64 : 0, false, ScaleType::F16},
                 6,
                 DType::F32,
                 DType::F32,
                 true,
                 true});
}

TEST(Linear, RefusesWhatNoKernelTakes) {
  Device device;
  LinearParams params;
  params.rows = 1;
  params.src = {nullptr, 64, DType::F16};
  params.weight.desc = {WeightFormat::F32, 16, 64, 0, true, ScaleType::F16};
  EXPECT_EQ(launchLinear(device.launch, params), 1); // f32 weights with 16-bit activations
  params.weight.desc.format = WeightFormat::U4;
  params.src.stride = 65; // rows are not aligned
  EXPECT_EQ(launchLinear(device.launch, params), 1);
  EXPECT_EQ(repackedBytes({WeightFormat::U4, 0, 64, 0, true, ScaleType::F16}), -1);
}

} // namespace
