//===- HadamardKernelTest.cpp - Walsh-Hadamard transforms ---------------------===//
//
// The scalar definition against the dense product in float64, every variant against its bits.
//
//===----------------------------------------------------------------------===//

#include "EmulatedVariants.h"
#include "TestVariants.h"
#include "kernels/cpu/vector/Variants.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

using namespace qrt::kernels;
using namespace qrt::kernels::test;

namespace {

struct Size {
  int64_t width, block, order;
};

constexpr Size sizes[] = {{1, 1, 1},     {2, 2, 1},      {6, 2, 1},       {8, 8, 1},
                          {16, 16, 1},   {32, 32, 1},    {96, 32, 1},     {64, 64, 1},
                          {128, 128, 1}, {1024, 512, 1}, {2048, 2048, 1}, {3, 3, 3},
                          {20, 10, 5},   {24, 24, 12},   {56, 56, 7},     {144, 144, 9},
                          {160, 160, 5}, {320, 320, 5},  {608, 608, 76},  {1216, 1216, 19}};

std::vector<float> signs(int64_t count, uint32_t seed) {
  std::vector<float> values = randomFloats(count, seed);
  for (float &value : values)
    value = value < 0 ? -1.0f : 1.0f;
  return values;
}

HadamardArgs call(const Size &size, std::vector<float> &y, const std::vector<float> &x,
                  const std::vector<float> &base, int64_t tokens) {
  HadamardArgs args = {};
  args.dst = y.data();
  args.src = x.data();
  args.dstStride = size.width + 3;
  args.srcStride = size.width + 1;
  args.base = size.order > 1 ? base.data() : nullptr;
  args.baseOrder = size.order;
  args.tokens = tokens;
  args.width = size.width;
  args.block = size.block;
  return args;
}

int64_t rowsOf(const Size &size, int64_t tokens) {
  return tokens * size.width / size.block * size.order;
}

} // namespace

TEST(Hadamard, AgainstTheDenseProduct) {
  const int64_t tokens = 2;
  for (const Size &size : sizes)
    for (bool plain : {false, true}) { // any base, or one of signs
      const std::vector<float> x = randomFloats(tokens * (size.width + 1), 1);
      const std::vector<float> base =
          plain ? signs(size.order * size.order, 2) : randomFloats(size.order * size.order, 2);
      const int64_t inner = size.block / size.order;
      std::vector<double> want;
      double largest = 1;
      for (int64_t t = 0; t < tokens; ++t)
        for (int64_t at = 0; at < size.width; ++at) {
          const int64_t first = at / size.block * size.block, to = at % size.block;
          double sum = 0;
          for (int64_t i = 0; i < size.block; ++i) {
            const double factor = size.order > 1 ? base[i / inner * size.order + to / inner] : 1.0f;
            const bool odd = std::popcount(uint64_t((i % inner) & (to % inner))) % 2;
            sum += (odd ? -factor : factor) * x[t * (size.width + 1) + first + i];
          }
          want.push_back(sum / std::sqrt(double(size.block)));
          largest = std::max(largest, std::abs(want.back()));
        }
      for (const auto &variant :
           runnable<VectorKernels>(vectorVariants(), emulatedVectorVariants())) {
        std::vector<float> y(tokens * (size.width + 3), 7.0f);
        variant.kernels->hadamard(call(size, y, x, base, tokens), 0, rowsOf(size, tokens));
        for (int64_t t = 0; t < tokens; ++t) {
          for (int64_t i = 0; i < size.width; ++i)
            ASSERT_NEAR(y[t * (size.width + 3) + i], want[t * size.width + i], 2e-6 * largest)
                << variant.name << " width " << size.width << " block " << size.block << " at "
                << i;
          for (int64_t i = size.width; i < size.width + 3; ++i)
            ASSERT_EQ(y[t * (size.width + 3) + i], 7.0f) << "between rows";
        }
      }
    }
}

TEST(Hadamard, VariantsAndCutsGiveTheSameBits) {
  const int64_t tokens = 3;
  const VectorKernels &scalar = *vectorVariants().front();
  for (const Size &size : sizes) {
    const std::vector<float> x = randomFloats(tokens * (size.width + 1), 3, 10.0f);
    const std::vector<float> base = signs(size.order * size.order, 4);
    const int64_t rows = rowsOf(size, tokens);
    std::vector<float> want(tokens * (size.width + 3), 7.0f);
    scalar.hadamard(call(size, want, x, base, tokens), 0, rows);
    for (const auto &variant : runnable<VectorKernels>(vectorVariants(), emulatedVectorVariants()))
      for (int64_t cut : {rows, int64_t(1), int64_t(3), int64_t(5)}) {
        std::vector<float> y(want.size(), 7.0f);
        for (int64_t begin = 0; begin < rows; begin += cut)
          variant.kernels->hadamard(call(size, y, x, base, tokens), begin,
                                    std::min(rows, begin + cut));
        ASSERT_EQ(y, want) << variant.name << " width " << size.width << " cut " << cut;
      }
  }
}

TEST(Hadamard, ThreadsDoNotChangeABit) {
  ThreadPool one(1), three(3);
  for (const Size &size : {Size{4864, 4864, 76}, {11008, 256, 1}, {16384, 16384, 1}}) {
    const int64_t tokens = 5;
    const std::vector<float> x = randomFloats(tokens * (size.width + 1), 5);
    const std::vector<float> base = signs(size.order * size.order, 6);
    std::vector<float> a(tokens * (size.width + 3), 7.0f), b = a;
    hadamard(one, call(size, a, x, base, tokens));
    hadamard(three, call(size, b, x, base, tokens));
    EXPECT_EQ(a, b) << size.width;
  }
}
