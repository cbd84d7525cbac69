//===- Int8Test.cpp - 8-bit activations on the emulator, against the CPU's A8 ------------===//

#include "DeviceWeight.h"
#pragma GCC diagnostic ignored "-Wunused-function" // of which this needs one
#include "kernels/cpu/linear/QuantizeInput.h"
#include "kernels/cuda/layout/Int8Layout.h"
#include "kernels/cuda/linear/LinearPlan.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;
using kernels::ScaleType;

namespace {

/// Every feature of a unit has a place of its own, where a lane's products look for it.
constexpr bool placesArePermuted() {
  for (int k = 0; k < unitK; ++k) {
    const Slot slot = slotOf(0, k);
    // Step, then the byte of a word: 0, 2, 1, 3.
    const int place = slot.lane % 4 * 16 + slot.step * 4 + 2 * slot.half + slot.reg / 2;
    if (int8Place(k) != place)
      return false;
  }
  return true;
}
static_assert(placesArePermuted());

Memory quantized(Device &device, const DeviceMatrix &src, int64_t rows, int64_t k, int block,
                 const float *staticScales = nullptr) {
  Memory out(size_t(int8Bytes(rows, k, block)));
  EXPECT_EQ(launchQuantize(device.launch, {src.view(), rows, k, block, out.data(), staticScales}),
            0)
      << device.stream.error;
  EXPECT_TRUE(out.guardsIntact());
  return out;
}

template <int block>
void expectCpuCodes(int64_t k, bool isStatic) {
  const int64_t rows = 5;
  std::vector<float> x = randomValues(size_t(rows * k), 7);
  for (int64_t i = 0; i < k; ++i) {
    x[size_t(i)] *= float(1 << (i % 13));
    x[size_t(k + i)] = 0.0f;
    x[size_t(2 * k + i)] *= 1e-39f; // scales that are denormal
  }
  x[size_t(3 * k)] = INFINITY;
  x[size_t(4 * k + k - 1)] = std::numeric_limits<float>::quiet_NaN();
  const Int8Geometry g = int8Geometry(rows, k, block);
  std::vector<float> scales = randomValues(size_t(g.blocks), 8);
  for (float &s : scales)
    s = std::fabs(s) * 0.01f + 1e-4f; // some values are clamped
  for (uint64_t seed : {0, 2}) {
    Device device(seed);
    DeviceMatrix src(rows, k, DType::F32);
    src.set(x);
    Memory out = quantized(device, src, rows, k, block, isStatic ? scales.data() : nullptr);
    const auto *bytes = out.data<uint8_t>();
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t b = 0; b < g.blocks; ++b) {
        kernels::QuantizedBlock<block> expected;
        const float *from = x.data() + row * k + b * block;
        const int count = int(std::min<int64_t>(block, k - b * block));
        kernels::quantizeBlock<block>(from, count, kernels::largestA8,
                                      isStatic ? scales[size_t(b)] : 0.0f, expected);
        const int64_t at = b * g.planeRows + row;
        const float scale = reinterpret_cast<const float *>(bytes + g.scaleStart)[at];
        ASSERT_TRUE(scale == expected.scale || (std::isnan(scale) && std::isnan(expected.scale)));
        ASSERT_EQ(reinterpret_cast<const int32_t *>(bytes + g.sumStart)[at], expected.sum);
        for (int64_t i = 0; i < block && b * block + i < k; ++i) {
          const int64_t feature = b * block + i;
          ASSERT_EQ(int8_t(bytes[row * g.rowBytes + feature / unitK * unitK +
                                 int8Place(int(feature % unitK))]),
                    expected.value[i])
              << "row " << row << " feature " << feature;
        }
      }
      for (int64_t feature = k; feature < g.rowBytes; ++feature)
        ASSERT_EQ(
            bytes[row * g.rowBytes + feature / unitK * unitK + int8Place(int(feature % unitK))], 0);
    }
  }
}

TEST(Quantize, CodesScalesAndSumsAreTheCpus) {
  for (bool isStatic : {false, true})
    for (int64_t k : {1, 32, 100, 128, 200, 896}) {
      expectCpuCodes<32>(k, isStatic);
      expectCpuCodes<64>(k, isStatic);
      expectCpuCodes<128>(k, isStatic);
    }
}

TEST(Quantize, ReadsSixteenBitRows) {
  Device device;
  for (DType type : {DType::F16, DType::BF16}) {
    DeviceMatrix src(2, 128, type), same(2, 128, DType::F32);
    src.set(randomValues(256, 3));
    same.set(src.get());
    Memory a = quantized(device, src, 2, 128, 64), b = quantized(device, same, 2, 128, 64);
    EXPECT_EQ(std::vector<uint8_t>(a.data<uint8_t>(), a.data<uint8_t>() + int8Bytes(2, 128, 64)),
              std::vector<uint8_t>(b.data<uint8_t>(), b.data<uint8_t>() + int8Bytes(2, 128, 64)));
  }
}

/// The sums of the products as both round them: exact within a block, here also between them.
std::vector<double> exactProducts(const DeviceWeight &weight, const Memory &rounded, int64_t rows) {
  const WeightDesc &desc = weight.host.desc;
  const int block = int8Block(desc);
  const Int8Geometry g = int8Geometry(rows, desc.k, block);
  const int64_t groups = desc.groupSize ? g.blocks : 1;
  const auto *codes = rounded.data<int8_t>();
  const auto *scales = reinterpret_cast<const float *>(codes + g.scaleStart);
  std::vector<double> out;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t n = 0; n < desc.n; ++n) {
      double sum = 0;
      for (int64_t b = 0; b < g.blocks; ++b) {
        const auto at = size_t(n * groups + (desc.groupSize ? b : 0));
        const int zero =
            desc.symmetric ? kernels::symmetricZeroPoint(desc.format) : weight.host.zeroPoints[at];
        int64_t dot = 0;
        for (int64_t k = b * block; k < std::min(desc.k, (b + 1) * block); ++k)
          dot += (weight.host.codes[size_t(n * desc.k + k)] - zero) *
                 codes[row * g.rowBytes + k / unitK * unitK + int8Place(int(k % unitK))];
        sum += double(dot) * weight.host.scales[at] * scales[b * g.planeRows + row];
      }
      out.push_back(sum);
    }
  return out;
}

struct Case {
  WeightDesc desc;
  int64_t rows;
  DType dst = DType::F32;
  bool adds = false;
  int multiprocessors = 132, sharedKilobytes = 99;
};

/// Against the CPU's A8 and, of the codes that there are, exact products; every order of threads
/// gives the same bits.
void check(const Case &c, std::vector<uint64_t> seeds = {2}) {
  const WeightDesc &desc = c.desc;
  const int64_t rows = c.rows;
  SCOPED_TRACE(testing::Message() << "format " << int(desc.format) << " n " << desc.n << " k "
                                  << desc.k << " group " << desc.groupSize << " symmetric "
                                  << desc.symmetric << " rows " << rows << " SMs "
                                  << c.multiprocessors << " shared " << c.sharedKilobytes);
  DeviceWeight weight(desc, uint32_t(rows));
  std::vector<float> x = randomValues(size_t(rows * desc.k), 1),
                     bias = randomValues(size_t(desc.n), 2),
                     added = randomValues(size_t(rows * desc.n), 3), cpu(size_t(rows * desc.n));
  kernels::ThreadPool pool(1);
  kernels::Workspace scratch;
  kernels::LinearArgs args;
  args.dst = cpu.data();
  args.dstStride = desc.n;
  args.src = x.data();
  args.srcStride = desc.k;
  args.m = rows;
  args.weight = weight.host.view();
  args.bias = bias.data();
  args.activation = kernels::Activation::A8;
  ASSERT_TRUE(kernels::linear(pool, args, scratch).isOk());
  std::vector<double> expected(cpu.begin(), cpu.end());
  DeviceMatrix add(rows, desc.n, DType::F32);
  add.set(added);
  if (c.adds)
    for (size_t i = 0; i < expected.size(); ++i)
      expected[i] += added[i];
  std::vector<float> first;
  for (uint64_t seed : seeds) {
    Device device(seed);
    device.launch.multiprocessors = c.multiprocessors;
    device.launch.sharedBytesPerBlock = c.sharedKilobytes * 1024;
    DeviceMatrix src(rows, desc.k, DType::F32), dst(rows, desc.n, c.dst);
    src.set(x);
    Memory rounded = quantized(device, src, rows, desc.k, int8Block(desc));
    LinearParams params;
    params.src = {rounded.data(), 0, DType::I8};
    params.weight = weight.view();
    params.bias = bias.data();
    if (c.adds)
      params.add = add.view();
    params.dst = dst.view();
    params.rows = rows;
    const int64_t bytes = linearWorkspaceBytes(device.launch, params);
    Memory workspace{size_t(bytes)};
    std::fill_n(workspace.data<uint8_t>(), ticketCounters * 4, 0);
    params.workspace = workspace.data();
    ASSERT_EQ(launchLinear(device.launch, params), 0) << device.stream.error;
    EXPECT_TRUE(dst.guardsIntact() && workspace.guardsIntact());
    for (int64_t i = 0; i < ticketCounters; ++i)
      ASSERT_EQ(workspace.data<uint32_t>()[i], 0u);
    std::vector<float> got = dst.get();
    const double bound = c.dst == DType::F32 ? 1e-6 : 5e-4;
    EXPECT_LT(relativeError(got, expected), bound);
    std::vector<double> exact = exactProducts(weight, rounded, rows);
    for (size_t i = 0; i < exact.size(); ++i)
      exact[i] += double(bias[i % size_t(desc.n)]) + (c.adds ? added[i] : 0.0f);
    EXPECT_LT(relativeError(got, exact), bound);
    if (first.empty())
      first = got;
    EXPECT_EQ(got, first);
  }
}

TEST(StreamInt8, EveryFormatAndGroup) {
  for (WeightFormat format :
       {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3, WeightFormat::U2})
    for (int group : {0, 32, 64, 128})
      for (bool symmetric : {true, false})
        for (int64_t rows : {3, 11})
          check({.desc = {format, 37, 200, group, symmetric, ScaleType::F16},
                 .rows = rows,
                 .sharedKilobytes = rows == 3 ? 227 : 99});
}

TEST(StreamInt8, EveryNumberOfRows) {
  for (int64_t rows = 1; rows <= 17; ++rows) // 17: Int8Linear
    check({.desc = {WeightFormat::U4, 40, 256, rows % 2 ? 128 : 32, false, ScaleType::F16},
           .rows = rows,
           .dst = rows % 5 == 0 ? DType::F16 : DType::F32,
           .adds = rows % 3 == 0});
}

TEST(StreamInt8, EdgesOfK) {
  for (int64_t k : {1, 31, 65, 100, 129, 300, 1030})
    for (int group : {0, 32, 64, 128})
      check({.desc = {WeightFormat::U4, 20, k, group, false, ScaleType::F16}, .rows = 2}, {3});
}

/// Blocks with many items, items of many warps, and of many blocks.
TEST(StreamInt8, OrderOfThreadsDoesNotMatter) {
  const std::vector<uint64_t> seeds(std::begin(allSeeds), std::end(allSeeds));
  check({.desc = {WeightFormat::U4, 16 * 13 + 5, 320, 64, true, ScaleType::F16},
         .rows = 1,
         .multiprocessors = 1,
         .sharedKilobytes = 227},
        seeds);
  check({.desc = {WeightFormat::U3, 100, 1500, 0, false, ScaleType::F16},
         .rows = 9,
         .adds = true,
         .multiprocessors = 3},
        seeds);
  for (WeightFormat format : {WeightFormat::U8, WeightFormat::U2}) {
    const WeightDesc desc = {format, 24, 20480, 128, false, ScaleType::F16};
    EXPECT_GT(planStream(Device().launch, desc, 1).splits, 1);
    check({.desc = desc, .rows = 2, .adds = true, .sharedKilobytes = 227}, {0, 3});
  }
}

TEST(StreamInt8, TheResultOfATokenDoesNotDependOnItsBatch) {
  const WeightDesc desc = {WeightFormat::U4, 64, 512, 32, true, ScaleType::F16};
  DeviceWeight weight(desc, 5);
  const std::vector<float> x = randomValues(16 * 512, 9);
  std::vector<float> alone;
  for (int64_t rows : {1, 8, 16}) {
    Device device;
    DeviceMatrix src(rows, 512, DType::F32), dst(rows, 64, DType::F32);
    src.set(x);
    Memory rounded = quantized(device, src, rows, 512, 32);
    LinearParams params;
    params.src = {rounded.data(), 0, DType::I8};
    params.dst = dst.view();
    params.weight = weight.view();
    params.rows = rows;
    ASSERT_EQ(launchLinear(device.launch, params), 0) << device.stream.error;
    std::vector<float> got = dst.get();
    got.resize(64);
    if (alone.empty())
      alone = got;
    EXPECT_EQ(got, alone) << rows;
  }
}

TEST(Int8Linear, EveryFormatAndGroup) {
  for (WeightFormat format :
       {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3, WeightFormat::U2})
    for (int group : {0, 32, 64, 128})
      for (bool symmetric : {true, false})
        check({.desc = {format, 37, 200, group, symmetric, ScaleType::F16}, .rows = 19});
}

TEST(Int8Linear, RowsSelectTheInstance) {
  for (int64_t rows : {17, 64, 65, 130})
    check({.desc = {WeightFormat::U8, 140, 256, rows % 2 ? 128 : 0, true, ScaleType::F16},
           .rows = rows,
           .dst = rows == 17 ? DType::F16 : DType::F32},
          {3});
  for (int64_t rows : {1, 16}) // groups with f32 scales
    check({.desc = {WeightFormat::U8, 140, 256, 128, true, ScaleType::F32}, .rows = rows}, {3});
}

TEST(Int8Linear, EdgesOfKSplitsAndF32Scales) {
  for (int64_t k : {1, 31, 65, 129, 300})
    for (int group : {0, 32, 128})
      check({.desc = {WeightFormat::U4, 20, k, group, false, ScaleType::F16}, .rows = 17});
  const WeightDesc desc = {WeightFormat::U8, 24, 4096, 128, false, ScaleType::F32};
  EXPECT_GT(planTile(Device().launch, desc, DType::I8, 5).splits, 1);
  check({.desc = desc, .rows = 5}, {0, 2});
  check({.desc = {WeightFormat::U8, 20, 300, 0, true, ScaleType::F32}, .rows = 5}, {0, 2});
  check({.desc = {WeightFormat::U8, 20, 300, 32, true, ScaleType::F32}, .rows = 5}, {0, 2});
}

TEST(Int8Linear, RefusesDenseWeights) {
  Device device;
  LinearParams params;
  params.rows = 1;
  params.src = {nullptr, 0, DType::I8};
  params.weight.desc = {WeightFormat::F16, 16, 64, 0, true, ScaleType::F16};
  EXPECT_EQ(launchLinear(device.launch, params), 1);
}

} // namespace
