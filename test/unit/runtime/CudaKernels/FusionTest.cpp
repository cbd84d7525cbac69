//===- FusionTest.cpp - fused launches give what their parts give, bit for bit ------------===//

#include "DeviceWeight.h"
#include "kernels/cuda/layout/KvLayout.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;

namespace {

TEST(Fusion, AdditionAndNorm) {
  for (bool rms : {true, false})
    for (auto [width, chunk] : {std::pair<int64_t, int64_t>{896, 896}, {5000, 5000}, {256, 64}})
      for (int where = 0; where < 3; ++where) { // the sum: apart, in place of src, of add
        const int64_t rows = 3;
        std::vector<float> a = randomValues(size_t(rows * width), 1),
                           b = randomValues(size_t(rows * width), 2),
                           weight = randomValues(size_t(chunk), 3);
        DeviceMatrix src(rows, width, DType::F32), add(rows, width, DType::F32),
            apart(rows, width, DType::F32), dst(rows, width, DType::F16),
            sum(rows, width, DType::F32), expected(rows, width, DType::F16);
        src.set(a);
        add.set(b);
        for (size_t i = 0; i < a.size(); ++i)
          a[i] += b[i];
        sum.set(a);
        for (uint64_t seed : {0, 2}) {
          Device device(seed);
          NormParams params = {rms,  sum.view(), expected.view(), weight.data(), nullptr,
                               rows, width,      chunk,           1e-5f};
          ASSERT_EQ(launchNorm(device.launch, params), 0) << device.stream.error;
          DeviceMatrix x = src, y = add; // the fused launch may overwrite them
          params.src = x.view();
          params.add = y.view();
          params.sum = where == 0 ? apart.view() : where == 1 ? x.view() : y.view();
          params.dst = dst.view();
          ASSERT_EQ(launchNorm(device.launch, params), 0) << device.stream.error;
          EXPECT_EQ((where == 0 ? apart : where == 1 ? x : y).get(), a);
          EXPECT_EQ(dst.get(), expected.get());
        }
      }
}

TEST(Fusion, AnAdditionNeedsAPlaceForItsSum) {
  DeviceMatrix x(1, 64, DType::F32), y(1, 64, DType::F32);
  std::vector<float> weight(64, 1.0f);
  NormParams params = {true, x.view(), y.view(), weight.data(), nullptr, 1, 64, 64, 1e-5f};
  params.add = x.view();
  Device device;
  EXPECT_EQ(launchNorm(device.launch, params), 1);
}

TEST(Fusion, RotationAndAppend) {
  for (DType type : {DType::F32, DType::F16, DType::BF16, DType::I8, DType::I4})
    for (bool interleaved : {false, true})
      for (bool balanced : {false, true}) {
        const int64_t rows = 3, heads = 6, kvHeads = 2, dim = 64, half = 24; // a part is rotated
        const int64_t pageBytes = kvPageBytes(kvHeads, dim, type);
        std::vector<int32_t> partOfRow = {0, 0, -1}, blocks = {0};
        std::vector<Part> parts = {{0, 2, 5, 0}};
        StepState step;
        step.partOfRow = partOfRow.data();
        step.parts = parts.data();
        step.blocks = blocks.data();
        step.partCount = step.blockStride = 1;
        std::vector<float> cos = randomValues(size_t(rows * half), 4),
                           sin = randomValues(size_t(rows * half), 5),
                           balance(size_t(kvHeads * dim));
        for (size_t i = 0; i < balance.size(); ++i)
          balance[i] = 0.5f + float(i % 7);
        DeviceMatrix q(rows, heads * dim, DType::F32), k(rows, kvHeads * dim, DType::F32),
            v(rows, kvHeads * dim, DType::F32);
        q.set(randomValues(size_t(rows * heads * dim), 1));
        k.set(randomValues(size_t(rows * kvHeads * dim), 2));
        v.set(randomValues(size_t(rows * kvHeads * dim), 3));
        auto append = [&](Device &device, const DeviceMatrix &keys, Memory &pool) {
          KvAppendParams params;
          params.k = keys.view();
          params.v = v.view();
          params.step = step;
          params.kv = {pool.data(), 2 * pageBytes, 0, pageBytes, type, type};
          params.rows = rows;
          params.kvHeads = kvHeads;
          params.headDim = params.valueDim = dim;
          params.balance = balanced ? balance.data() : nullptr;
          return params;
        };
        for (uint64_t seed : {0, 3}) {
          Device device(seed);
          // Apart: both rotations, then the append.
          DeviceMatrix q1 = q, k1 = k;
          Memory pool1(size_t(2 * pageBytes)), pool2(size_t(2 * pageBytes));
          for (auto [m, count] : {std::pair<DeviceMatrix *, int64_t>{&q1, heads}, {&k1, kvHeads}})
            ASSERT_EQ(launchRope(device.launch, {m->view(), m->view(), cos.data(), sin.data(), 2,
                                                 count, dim, half, interleaved}),
                      0);
          ASSERT_EQ(launchKvAppend(device.launch, append(device, k1, pool1)), 0);
          // In one.
          DeviceMatrix q2 = q, k2 = k;
          KvAppendParams fused = append(device, k2, pool2);
          fused.cos = cos.data();
          fused.sin = sin.data();
          fused.half = half;
          fused.interleaved = interleaved;
          fused.q = q2.view();
          fused.heads = heads;
          ASSERT_EQ(launchKvAppend(device.launch, fused), 0) << device.stream.error;
          EXPECT_EQ(
              std::memcmp(pool1.data<uint8_t>(), pool2.data<uint8_t>(), size_t(2 * pageBytes)), 0);
          std::vector<float> a = q1.get(), b = q2.get();
          a.resize(size_t(2 * heads * dim)); // the third row is not in use
          b.resize(a.size());
          EXPECT_EQ(a, b);
          EXPECT_EQ(k2.get(), k.get());
          EXPECT_TRUE(pool2.guardsIntact());
        }
      }
}

} // namespace
