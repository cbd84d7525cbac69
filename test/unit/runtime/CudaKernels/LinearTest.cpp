//===- LinearTest.cpp - products with stored weights on the emulator --------------===//
//
// Reference: float64 on the dequantized weights and the activations as rounded to 16 bits.
//
//===----------------------------------------------------------------------===//

#include "DeviceWeight.h"
#include "kernels/cuda/linear/LinearPlan.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;
using kernels::ScaleType;

namespace {

struct Case {
  WeightDesc desc;
  int64_t rows;
  DType src, dst;
  bool bias, add;
};

std::vector<double> reference(const Case &c, const DeviceWeight &weight,
                              const std::vector<float> &x, const std::vector<float> &bias,
                              const std::vector<float> &add) {
  std::vector<double> out(size_t(c.rows * c.desc.n));
  for (int64_t row = 0; row < c.rows; ++row)
    for (int64_t n = 0; n < c.desc.n; ++n) {
      double sum = c.bias ? bias[size_t(n)] : 0.0;
      if (c.add)
        sum += add[size_t(row * c.desc.n + n)];
      for (int64_t k = 0; k < c.desc.k; ++k)
        sum += double(weight.host.values[size_t(n * c.desc.k + k)]) * x[size_t(row * c.desc.k + k)];
      out[size_t(row * c.desc.n + n)] = sum;
    }
  return out;
}

/// Runs the case once per seed; all results must be the same bits.
void checkOn(int sharedKilobytes, const Case &c, int multiprocessors,
             const std::vector<uint64_t> &seeds) {
  SCOPED_TRACE(testing::Message() << sharedKilobytes << " KB, format " << int(c.desc.format)
                                  << " n " << c.desc.n << " k " << c.desc.k << " group "
                                  << c.desc.groupSize << " symmetric " << c.desc.symmetric
                                  << " rows " << c.rows << " src " << int(c.src) << " SMs "
                                  << multiprocessors);
  DeviceWeight weight(c.desc, uint32_t(c.rows + c.desc.n));
  DeviceMatrix src(c.rows, c.desc.k, c.src, 8), dst(c.rows, c.desc.n, c.dst),
      add(c.rows, c.desc.n, DType::F32);
  src.set(randomValues(size_t(c.rows * c.desc.k), 1));
  std::vector<float> bias = randomValues(size_t(c.desc.n), 2),
                     addValues = randomValues(size_t(c.rows * c.desc.n), 3);
  add.set(addValues);
  std::vector<double> expected = reference(c, weight, src.get(), bias, addValues);
  std::vector<float> first;
  for (uint64_t seed : seeds) {
    Device device(seed);
    device.launch.multiprocessors = multiprocessors;
    device.launch.sharedBytesPerBlock = sharedKilobytes * 1024;
    LinearParams params;
    params.src = src.view();
    params.weight = weight.view();
    params.bias = c.bias ? bias.data() : nullptr;
    if (c.add)
      params.add = add.view();
    params.dst = dst.view();
    params.rows = c.rows;
    const int64_t bytes = linearWorkspaceBytes(device.launch, params);
    Memory workspace{size_t(bytes)};
    std::fill_n(workspace.data<uint8_t>(), std::min(bytes, ticketCounters * 4), 0);
    params.workspace = workspace.data();
    ASSERT_EQ(launchLinear(device.launch, params), 0) << device.stream.error;
    EXPECT_TRUE(dst.guardsIntact() && workspace.guardsIntact());
    for (int64_t i = 0; i < std::min(bytes / 4, ticketCounters); ++i)
      ASSERT_EQ(workspace.data<uint32_t>()[i], 0u);
    std::vector<float> got = dst.get();
    const double bound = c.dst == DType::BF16 ? 4e-3 : c.dst == DType::F16 ? 6e-4 : 2e-6;
    EXPECT_LT(relativeError(got, expected), bound);
    if (first.empty())
      first = got;
    EXPECT_EQ(got, first) << "seed " << seed;
  }
}

/// On what sm_90 has, and on the least, sm_89's: there with smaller blocks.
void check(const Case &c, int multiprocessors = 132, std::vector<uint64_t> seeds = {0, 1, 2}) {
  checkOn(227, c, multiprocessors, seeds);
  checkOn(99, c, multiprocessors, {seeds.back()});
}

TEST(StreamLinear, EveryFormatGroupAndType) {
  for (WeightFormat format :
       {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3, WeightFormat::U2})
    for (int group : {0, 32, 64, 128})
      for (bool symmetric : {true, false})
        for (DType type : {DType::F16, DType::BF16})
          check({{format, 33, 200, group, symmetric, ScaleType::F16},
                 3,
                 type,
                 DType::F32,
                 false,
                 false},
                132, {2});
  for (WeightFormat format : {WeightFormat::F16, WeightFormat::BF16})
    check({{format, 33, 200, 0, true, ScaleType::F16},
           3,
           format == WeightFormat::F16 ? DType::F16 : DType::BF16,
           DType::F32,
           true,
           true});
}

TEST(StreamLinear, RowsSelectTheInstance) {
  for (int64_t rows : {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129})
    check({{WeightFormat::U4, 40, 256, 128, false, ScaleType::F16},
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
      check({{WeightFormat::U4, 17, k, group, false, ScaleType::F16},
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
    check({desc, 1, DType::F16, DType::F32, true, true}, 132, {1});
    check({desc, 13, DType::F16, DType::BF16, true, true}, 132, {3});
  }
}

TEST(StreamLinear, OneBlockWalksOverManyPanels) {
  check({{WeightFormat::U4, 16 * 13 + 5, 320, 64, true, ScaleType::F16},
         1,
         DType::F16,
         DType::F16,
         true,
         false},
        1);
  check({{WeightFormat::U3, 16 * 7, 1024, 128, false, ScaleType::F16},
         20,
         DType::F16,
         DType::F32,
         true,
         false},
        2);
}

TEST(StreamLinear, F32ScalesOfAnySize) {
  for (int group : {0, 32})
    check({{WeightFormat::U8, 20, 300, group, true, ScaleType::F32},
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
        check({{format, 150, 200, group, group % 64 != 0, ScaleType::F16},
               21,
               type,
               DType::F32,
               false,
               false},
              132, {2});
  for (WeightFormat format : {WeightFormat::F16, WeightFormat::BF16})
    check({{format, 33, 200, 0, true, ScaleType::F16},
           100,
           format == WeightFormat::F16 ? DType::F16 : DType::BF16,
           DType::F32,
           true,
           true},
          132, {0, 3});
}

TEST(TileLinear, EdgesOfKAndSplits) {
  for (int64_t k : {1, 31, 65, 577})
    check({{WeightFormat::U4, 130, k, 32, false, ScaleType::F16},
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
  check({desc, 20, DType::F16, DType::F32, true, true});
  check({desc, 70, DType::BF16, DType::F16, true, true});
  // Several tiles in both directions.
  check({{WeightFormat::U8, 280, 128, 64, false, ScaleType::F16},
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
    check({{format, 19, 130, kernels::isQuantized(format) ? 64 : 0, false, ScaleType::F16},
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
