//===- OperationsTest.cpp - norms, rope, element-wise, embedding on the emulator ------===//

#include "DeviceWeight.h"

#include "kernels/cpu/elementwise/elementwise.h"
#include "kernels/cpu/rope/rope.h"
#include "kernels/cpu/threading/ThreadPool.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;

namespace {

TEST(Norm, MatchesFloat64) {
  for (bool rms : {true, false})
    for (DType type : {DType::F32, DType::F16, DType::BF16})
      for (auto [width, chunk] :
           {std::pair<int64_t, int64_t>{8, 8}, {896, 896}, {256, 64}, {5000, 5000}, {300, 100}}) {
        const int64_t rows = 3;
        std::vector<float> x = randomValues(size_t(rows * width), 1),
                           weight = randomValues(size_t(chunk), 2),
                           bias = randomValues(size_t(chunk), 3), first;
        for (float &v : x)
          v = v * 3 + 1;
        std::vector<double> expected(x.size());
        for (int64_t start = 0; start < rows * width; start += chunk) {
          double mean = 0, squares = 0;
          for (int64_t i = 0; i < chunk && !rms; ++i)
            mean += x[size_t(start + i)] / double(chunk);
          for (int64_t i = 0; i < chunk; ++i)
            squares +=
                (x[size_t(start + i)] - mean) * (x[size_t(start + i)] - mean) / double(chunk);
          for (int64_t i = 0; i < chunk; ++i)
            expected[size_t(start + i)] =
                (x[size_t(start + i)] - mean) / std::sqrt(squares + 1e-5) * weight[size_t(i)] +
                (rms ? 0.0 : bias[size_t(i)]);
        }
        for (uint64_t seed : allSeeds) {
          DeviceMatrix src(rows, width, DType::F32), dst(rows, width, type);
          src.set(x);
          Device device(seed);
          ASSERT_EQ(
              launchNorm(device.launch, {rms, src.view(), dst.view(), weight.data(),
                                         rms ? nullptr : bias.data(), rows, width, chunk, 1e-5f}),
              0)
              << device.stream.error;
          EXPECT_TRUE(dst.guardsIntact());
          std::vector<float> got = dst.get();
          EXPECT_LT(relativeError(got, expected), type == DType::F32   ? 1e-6
                                                  : type == DType::F16 ? 5e-4
                                                                       : 4e-3);
          if (first.empty())
            first = got;
          EXPECT_EQ(got, first);
        }
      }
}

TEST(Norm, InPlace) {
  DeviceMatrix x(2, 5000, DType::F32), y(2, 5000, DType::F32);
  x.set(randomValues(10000, 4));
  std::vector<float> weight(5000, 1.0f);
  Device device;
  NormParams params = {true, x.view(), y.view(), weight.data(), nullptr, 2, 5000, 5000, 1e-6f};
  ASSERT_EQ(launchNorm(device.launch, params), 0);
  params.dst = x.view();
  ASSERT_EQ(launchNorm(device.launch, params), 0);
  EXPECT_EQ(x.get(), y.get());
}

TEST(Norm, OverflowOfF16IsClampedAndReported) {
  DeviceMatrix x(1, 64, DType::F32), y(1, 64, DType::F16);
  std::vector<float> values(64, 0.0f), weight(64, 1e5f);
  values[5] = 1;
  values[6] = -1;
  x.set(values);
  Device device;
  ASSERT_EQ(launchNorm(device.launch,
                       {true, x.view(), y.view(), weight.data(), nullptr, 1, 64, 64, 1e-6f}),
            0);
  EXPECT_EQ(y.get()[5], 65504.0f);
  EXPECT_EQ(y.get()[6], -65504.0f);
  EXPECT_EQ(device.faults, uint32_t(HalfOverflow));
}

TEST(Rope, TableAndRotationMatchTheCpu) {
  kernels::ThreadPool pool(1);
  for (int64_t headDim : {64, 80, 128})
    for (int64_t half : {headDim / 2, headDim / 8})
      for (bool interleaved : {false, true}) {
        const int64_t rows = 5, heads = 3, width = heads * headDim;
        std::vector<int32_t> positions = {0, 1, 77, 4095, 131071};
        std::vector<float> frequency(static_cast<size_t>(half)),
            x = randomValues(size_t(rows * width), 8);
        for (int64_t i = 0; i < half; ++i)
          frequency[size_t(i)] = std::pow(10000.0f, -float(i) / float(half));
        std::vector<float> cosCpu(size_t(rows * half)), sinCpu = cosCpu, cos = cosCpu, sin = cosCpu;
        kernels::ropeTable(pool, positions.data(), rows, frequency.data(), half, 1.5f,
                           cosCpu.data(), sinCpu.data());
        Device device;
        ASSERT_EQ(launchRopeTable(device.launch, {positions.data(), frequency.data(), rows, half,
                                                  1.5f, cos.data(), sin.data()}),
                  0);
        EXPECT_EQ(cos, cosCpu);
        EXPECT_EQ(sin, sinCpu);

        DeviceMatrix src(rows, width, DType::F32), dst(rows, width, DType::F32);
        src.set(x);
        RopeParams params = {src.view(), dst.view(), cos.data(), sin.data(), rows,
                             heads,      headDim,    half,       interleaved};
        ASSERT_EQ(launchRope(device.launch, params), 0);
        kernels::rope(pool, {x.data(), width, rows, heads, headDim, 2 * half, interleaved,
                             cos.data(), sin.data()});
        std::vector<float> got = dst.get();
        for (size_t i = 0; i < got.size(); ++i)
          ASSERT_NEAR(got[i], x[i], 3e-7);
        params.dst = src.view(); // in place
        ASSERT_EQ(launchRope(device.launch, params), 0);
        EXPECT_EQ(src.get(), got);
      }
}

TEST(Elementwise, FunctionsMatchTheCpu) {
  kernels::ThreadPool pool(1);
  const int64_t rows = 3, width = 1500;
  std::vector<float> a = randomValues(size_t(rows * width), 1),
                     b = randomValues(size_t(rows * width), 2);
  for (float &v : a)
    v *= 12;
  a[7] = NAN;
  a[8] = INFINITY;
  DeviceMatrix da(rows, width, DType::F32), db(rows, width, DType::F32),
      dst(rows, width, DType::F32);
  da.set(a);
  db.set(b);
  Device device;
  std::vector<float> expected(a.size());
  auto compare = [&] {
    std::vector<float> got = dst.get();
    for (size_t i = 0; i < got.size(); ++i) {
      if (std::isnan(expected[i]))
        ASSERT_TRUE(std::isnan(got[i])) << i;
      else if (std::isinf(expected[i]))
        ASSERT_EQ(got[i], expected[i]);
      else
        ASSERT_NEAR(got[i], expected[i], 2e-6 * std::max(1.0f, std::abs(expected[i]))) << i;
    }
    EXPECT_TRUE(dst.guardsIntact());
  };
  using kernels::UnaryKind;
  for (UnaryKind kind :
       {UnaryKind::Gelu, UnaryKind::GeluTanh, UnaryKind::QuickGelu, UnaryKind::Silu,
        UnaryKind::Relu, UnaryKind::Tanh, UnaryKind::Sigmoid, UnaryKind::Softcap}) {
    SCOPED_TRACE(int(kind));
    ASSERT_EQ(launchUnary(device.launch, {kind, da.view(), dst.view(), rows, width, 30.0f}), 0);
    kernels::unary(pool, {kind, expected.data(), width, a.data(), width, rows, width, 30.0f});
    compare();
    if (kind == UnaryKind::Softcap)
      continue;
    ASSERT_EQ(launchGated(device.launch, {kind, da.view(), db.view(), dst.view(), rows, width}), 0);
    kernels::gatedActivation(
        pool, {kind, expected.data(), width, a.data(), width, b.data(), width, rows, width});
    compare();
  }
  using kernels::BinaryKind, kernels::Broadcast;
  for (BinaryKind kind : {BinaryKind::Add, BinaryKind::Sub, BinaryKind::Mul, BinaryKind::Div})
    for (Broadcast broadcast : {Broadcast::None, Broadcast::Row, Broadcast::Scalar})
      for (bool swapped : {false, true}) {
        ASSERT_EQ(launchBinary(device.launch, {kind, broadcast, swapped, da.view(), db.view(),
                                               dst.view(), rows, width}),
                  0);
        kernels::binary(pool, {kind, broadcast, swapped, expected.data(), width, a.data(), width,
                               b.data(), width, rows, width});
        compare();
      }
}

TEST(Copy, RowsColumnsAndTypes) {
  DeviceMatrix src(6, 40, DType::F32), dst(2, 24, DType::F16);
  src.set(randomValues(240, 3));
  std::vector<int32_t> rows = {5, 2};
  Device device;
  CopyParams params = {src.view(), dst.view(), rows.data(), 2, 24};
  params.src.data = static_cast<float *>(params.src.data) + 11;
  ASSERT_EQ(launchCopy(device.launch, params), 0);
  DeviceMatrix expected(2, 24, DType::F16);
  std::vector<float> picked;
  for (int row : rows)
    for (int i = 0; i < 24; ++i)
      picked.push_back(src.get()[size_t(row * 40 + 11 + i)]);
  expected.set(picked);
  EXPECT_EQ(dst.get(), expected.get());
}

TEST(Embedding, RowsOfEveryFormat) {
  using kernels::WeightFormat;
  for (WeightFormat format :
       {WeightFormat::F32, WeightFormat::F16, WeightFormat::BF16, WeightFormat::U8,
        WeightFormat::U4, WeightFormat::U3, WeightFormat::U2})
    for (int group : {0, 32}) {
      if (group && !kernels::isQuantized(format))
        continue;
      kernels::WeightDesc desc = {format, 37, 300, group, group == 32, kernels::ScaleType::F16};
      if (!kernels::isQuantized(format))
        desc.symmetric = true;
      DeviceWeight table(desc, 6);
      std::vector<int32_t> ids = {0, 36, 17, 37, -1};
      DeviceMatrix out(5, 300, DType::F32);
      Device device;
      ASSERT_EQ(launchEmbed(device.launch, {table.view(), ids.data(), 0, 5, out.view()}), 0)
          << device.stream.error;
      std::vector<float> got = out.get();
      for (int row = 0; row < 3; ++row)
        for (int k = 0; k < 300; ++k)
          ASSERT_EQ(got[size_t(row * 300 + k)],
                    table.host.values[size_t(ids[size_t(row)] * 300 + k)]);
      EXPECT_TRUE(std::isnan(got[3 * 300 + 5]) && std::isnan(got[4 * 300]));
      EXPECT_EQ(device.faults, uint32_t(BadIndex));
    }
}

} // namespace
