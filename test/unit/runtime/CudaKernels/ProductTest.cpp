//===- ProductTest.cpp - f32 products for calibration, on the emulator -----------------------===//
#include "kernels/cuda/Ops.h"
#include "kernels/cuda/emulator/Stream.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <vector>

using namespace qrt;

namespace {

struct Size {
  int64_t rows, columns, inner;
};

std::vector<float> randomFloats(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(count));
  for (float &v : values)
    v = normal(random);
  return values;
}

class Product : public ::testing::TestWithParam<uint64_t> {
protected:
  Product() {
    stream.options.seed = GetParam();
    stream.options.checkShared = true;
    launch.stream = &stream;
    launch.capability = 80;
    launch.multiprocessors = 2;
    launch.sharedBytesPerBlock = 99 << 10;
  }
  cuda::emulator::Stream stream;
  cuda::Launch launch;
};

/// dst = x w^T + bias with rows of the inner dimension, and padding that nothing may touch.
TEST_P(Product, OfRows) {
  for (const Size &s : {Size{1, 1, 1}, {3, 5, 7}, {64, 64, 16}, {65, 130, 33}, {2, 67, 100}}) {
    const auto x = randomFloats(s.rows * s.inner, 1), w = randomFloats(s.columns * s.inner, 2),
               bias = randomFloats(s.columns, 3);
    const int64_t stride = s.columns + 3;
    std::vector<float> dst(size_t(s.rows * stride), 77);
    cuda::ProductParams p;
    p.a = x.data();
    p.b = w.data();
    p.aRow = p.bRow = s.inner;
    p.aInner = p.bInner = 1;
    p.rows = s.rows;
    p.columns = s.columns;
    p.inner = s.inner;
    p.dst = dst.data();
    p.dstStride = stride;
    p.bias = bias.data();
    ASSERT_EQ(cuda::launchProduct(launch, p), 0) << stream.error;
    for (int64_t r = 0; r < s.rows; ++r)
      for (int64_t c = 0; c < stride; ++c) {
        const float got = dst[size_t(r * stride + c)];
        if (c >= s.columns) {
          ASSERT_EQ(got, 77);
          continue;
        }
        double sum = bias[size_t(c)], size = std::fabs(sum);
        for (int64_t t = 0; t < s.inner; ++t) {
          const double term = double(x[size_t(r * s.inner + t)]) * w[size_t(c * s.inner + t)];
          sum += term;
          size += std::fabs(term);
        }
        ASSERT_NEAR(got, sum, 1e-6 * size) << r << ", " << c;
      }
  }
}

/// sum += a^T b of tokens, in two calls; whole and lower triangle.
TEST_P(Product, OfColumnsIntoSums) {
  for (int64_t k : {1, 30, 64, 130})
    for (bool lower : {false, true}) {
      const int64_t tokens = 37;
      const auto a = randomFloats(tokens * k, 4), b = randomFloats(tokens * k, 5);
      std::vector<double> sum(size_t(k * k), 0.5);
      cuda::ProductParams p;
      p.aRow = p.bRow = 1;
      p.aInner = p.bInner = p.rows = p.columns = k;
      p.sum = sum.data();
      p.lowerOnly = lower;
      for (int64_t first : {0, 20}) {
        p.a = a.data() + first * k;
        p.b = b.data() + first * k;
        p.inner = first == 0 ? 20 : tokens - 20;
        ASSERT_EQ(cuda::launchProduct(launch, p), 0) << stream.error;
      }
      for (int64_t i = 0; i < k; ++i)
        for (int64_t j = 0; j < k; ++j) {
          const double got = sum[size_t(i * k + j)];
          if (lower && j / 64 > i / 64) {
            ASSERT_EQ(got, 0.5);
            continue;
          }
          double expected = 0.5, size = 0.5;
          for (int64_t t = 0; t < tokens; ++t) {
            const double term = double(a[size_t(t * k + i)]) * b[size_t(t * k + j)];
            expected += term;
            size += std::fabs(term);
          }
          ASSERT_NEAR(got, expected, 1e-6 * size) << i << ", " << j;
        }
    }
}

TEST_P(Product, NeedsOneResult) {
  float value = 0;
  double sum = 0;
  cuda::ProductParams p;
  p.a = p.b = &value;
  p.rows = p.columns = 1;
  EXPECT_EQ(cuda::launchProduct(launch, p), 1);
  p.dst = &value;
  p.sum = &sum;
  EXPECT_EQ(cuda::launchProduct(launch, p), 1);
}

INSTANTIATE_TEST_SUITE_P(Orders, Product, ::testing::Values(0, 1, 9));

} // namespace
