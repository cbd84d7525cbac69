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

void check(const WeightDesc &desc, int64_t rows, DType dstType = DType::F32,
           int multiprocessors = 132, std::vector<uint64_t> seeds = {0, 2}) {
  SCOPED_TRACE(testing::Message() << "format " << int(desc.format) << " n " << desc.n << " k "
                                  << desc.k << " group " << desc.groupSize << " symmetric "
                                  << desc.symmetric << " rows " << rows);
  DeviceWeight weight(desc, uint32_t(rows));
  std::vector<float> x = randomValues(size_t(rows * desc.k), 1),
                     bias = randomValues(size_t(desc.n), 2), cpu(size_t(rows * desc.n));
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
  std::vector<float> first;
  for (uint64_t seed : seeds) {
    Device device(seed);
    device.launch.multiprocessors = multiprocessors;
    device.launch.sharedBytesPerBlock = 99 * 1024;
    DeviceMatrix src(rows, desc.k, DType::F32), dst(rows, desc.n, dstType);
    src.set(x);
    Memory rounded = quantized(device, src, rows, desc.k, int8Block(desc));
    LinearParams params;
    params.src = {rounded.data(), 0, DType::I8};
    params.weight = weight.view();
    params.bias = bias.data();
    params.dst = dst.view();
    params.rows = rows;
    Memory workspace(size_t(linearWorkspaceBytes(device.launch, params)));
    std::fill_n(workspace.data<uint8_t>(), ticketCounters * 4, 0);
    params.workspace = workspace.data();
    ASSERT_EQ(launchLinear(device.launch, params), 0) << device.stream.error;
    EXPECT_TRUE(dst.guardsIntact() && workspace.guardsIntact());
    std::vector<float> got = dst.get();
    EXPECT_LT(relativeError(got, std::vector<double>(cpu.begin(), cpu.end())),
              dstType == DType::F32 ? 1e-6 : 5e-4);
    if (first.empty())
      first = got;
    EXPECT_EQ(got, first);
  }
}

TEST(Int8Linear, EveryFormatAndGroupMatchesTheCpusA8) {
  for (WeightFormat format :
       {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3, WeightFormat::U2})
    for (int group : {0, 32, 64, 128})
      for (bool symmetric : {true, false})
        check({format, 37, 200, group, symmetric, ScaleType::F16}, 3, DType::F32, 132, {2});
}

TEST(Int8Linear, RowsSelectTheInstance) {
  for (int64_t rows : {1, 8, 16, 17, 64, 65, 130})
    check({WeightFormat::U8, 140, 256, rows % 2 ? 128 : 0, true, ScaleType::F16}, rows,
          rows == 17 ? DType::F16 : DType::F32, 132, {3});
}

TEST(Int8Linear, EdgesOfKSplitsAndF32Scales) {
  for (int64_t k : {1, 31, 65, 129, 300})
    for (int group : {0, 32, 128})
      check({WeightFormat::U4, 20, k, group, false, ScaleType::F16}, 2, DType::F32, 132, {2});
  Device device;
  const WeightDesc desc = {WeightFormat::U8, 24, 4096, 128, false, ScaleType::F16};
  EXPECT_GT(planTile(device.launch, desc, DType::I8, 5).splits, 1);
  check(desc, 5);
  check({WeightFormat::U8, 20, 300, 0, true, ScaleType::F32}, 5);
  check({WeightFormat::U8, 20, 300, 32, true, ScaleType::F32}, 5);
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
