//===- HadamardTest.cpp - the Walsh-Hadamard transform on the emulator ----------------===//
//
// Reference: the definition in kernels/cpu/hadamard/hadamard.h, term by term in float64, and, for
// the order of operations, its butterflies in f32.
//
//===----------------------------------------------------------------------===//

#include "DeviceWeight.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;

namespace {

struct Case {
  int64_t rows, width, block, order;
};

std::vector<double> reference(const Case &c, const std::vector<float> &x,
                              const std::vector<float> &base) {
  const int64_t inner = c.block / c.order;
  std::vector<double> y(x.size());
  for (int64_t start = 0; start < c.rows * c.width; start += c.block)
    for (int64_t o = 0; o < c.order; ++o)
      for (int64_t j = 0; j < inner; ++j) {
        double sum = 0;
        for (int64_t i = 0; i < c.order; ++i)
          for (int64_t k = 0; k < inner; ++k)
            sum += (c.order == 1 ? 1.0 : double(base[size_t(i * c.order + o)])) *
                   (std::popcount(uint64_t(j & k)) % 2 ? -1.0 : 1.0) *
                   x[size_t(start + i * inner + k)];
        y[size_t(start + o * inner + j)] = sum / std::sqrt(double(c.block));
      }
  return y;
}

/// The contract's order of operations.
std::vector<float> inOrder(const Case &c, const std::vector<float> &x,
                           const std::vector<float> &base) {
  const int64_t inner = c.block / c.order;
  const float factor = 1.0f / std::sqrt(float(c.block));
  std::vector<float> y(x.size());
  for (int64_t start = 0; start < c.rows * c.width; start += c.block)
    for (int64_t o = 0; o < c.order; ++o) {
      float *line = y.data() + start + o * inner;
      for (int64_t k = 0; k < inner; ++k) {
        float sum = 0;
        for (int64_t i = 0; i < c.order; ++i)
          sum += (c.order == 1 ? 1.0f : base[size_t(i * c.order + o)]) *
                 x[size_t(start + i * inner + k)];
        line[k] = sum * factor;
      }
      for (int64_t half = 1; half < inner; half *= 2)
        for (int64_t i = 0; i < inner; ++i)
          if ((i & half) == 0) {
            const float a = line[i], b = line[i + half];
            line[i] = a + b;
            line[i + half] = a - b;
          }
    }
  return y;
}

void check(const Case &c, DType type = DType::F32, std::vector<uint64_t> seeds = {0, 2}) {
  SCOPED_TRACE(testing::Message() << "width " << c.width << " block " << c.block << " order "
                                  << c.order << " type " << int(type));
  std::vector<float> x = randomValues(size_t(c.rows * c.width), 1),
                     base = randomValues(size_t(c.order * c.order), 2);
  for (float &b : base)
    b = b < 0 ? -1.0f : 1.0f;
  const std::vector<float> exact = inOrder(c, x, base);
  for (uint64_t seed : seeds) {
    DeviceMatrix src(c.rows, c.width, DType::F32), dst(c.rows, c.width, type);
    src.set(x);
    Device device(seed);
    ASSERT_EQ(launchHadamard(device.launch, {src.view(), dst.view(), c.rows, c.width, c.block,
                                             c.order > 1 ? base.data() : nullptr, c.order}),
              0)
        << device.stream.error;
    EXPECT_TRUE(dst.guardsIntact());
    if (type == DType::F32) {
      EXPECT_EQ(dst.get(), exact);
    }
    EXPECT_LT(relativeError(dst.get(), reference(c, x, base)), type == DType::F32   ? 1e-6
                                                               : type == DType::F16 ? 5e-4
                                                                                    : 4e-3);
  }
}

TEST(Hadamard, EveryPowerOfTwo) {
  for (int64_t block = 1; block <= 1024; block *= 2)
    check({2, 3 * block, block, 1});
  for (int64_t block : {2048, 4096})
    check({1, block, block, 1}, DType::F32, {3});
}

TEST(Hadamard, TheWidestBlockHasTheBitsOfTheContract) {
  const Case c = {1, 16384, 16384, 1};
  std::vector<float> x = randomValues(16384, 4);
  DeviceMatrix src(1, 16384, DType::F32), dst(1, 16384, DType::F32);
  src.set(x);
  Device device(2);
  ASSERT_EQ(launchHadamard(device.launch, {src.view(), dst.view(), 1, 16384, 16384}), 0)
      << device.stream.error;
  EXPECT_EQ(dst.get(), inOrder(c, x, {}));
}

TEST(Hadamard, BlocksUnderABase) {
  check({2, 4864, 4864, 76}, DType::F32, {2});
  for (Case c : {Case{2, 96, 48, 12},
                 {1, 40, 20, 20},
                 {2, 24, 24, 3},
                 {1, 1536, 768, 12},
                 {1, 4096, 4096, 4}})
    check(c);
}

TEST(Hadamard, RoundsToTheTypeOfDst) {
  for (DType type : {DType::F16, DType::BF16})
    check({3, 512, 256, 1}, type);
}

TEST(Hadamard, RefusesWhatItCannotTransform) {
  Device device;
  DeviceMatrix m(1, 96, DType::F32), out(1, 96, DType::F32);
  EXPECT_EQ(launchHadamard(device.launch, {m.view(), out.view(), 1, 96, 96}), 1);
  EXPECT_EQ(launchHadamard(device.launch, {m.view(), out.view(), 1, 96, 64}), 1);
  EXPECT_EQ(launchHadamard(device.launch, {m.view(), out.view(), 1, 32768, 32768}), 1);
}

} // namespace
