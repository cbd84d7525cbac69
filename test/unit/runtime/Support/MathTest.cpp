//===- MathTest.cpp - Checked arithmetic and sizes in messages -------------------------------===//
#include "Support/CheckedMath.h"
#include "Support/Memory.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <vector>

using namespace qrt;

TEST(CheckedMath, OverflowIsNothing) {
  EXPECT_EQ(checkedAdd<int64_t>(INT64_MAX, 0), INT64_MAX);
  EXPECT_FALSE(checkedAdd<int64_t>(INT64_MAX, 1));
  EXPECT_FALSE(checkedMul<uint64_t>(uint64_t(1) << 33, uint64_t(1) << 31));
  EXPECT_EQ(checkedAlignUp<uint64_t>(65, 64), 128u);
  EXPECT_EQ(checkedAlignUp<uint64_t>(64, 64), 64u);
  EXPECT_FALSE(checkedAlignUp<uint64_t>(UINT64_MAX, 64));
  std::vector<int64_t> dims = {3, 0, 5};
  EXPECT_EQ(checkedProduct(dims), 0);
  dims = {INT64_MAX, 2};
  EXPECT_FALSE(checkedProduct(dims));
  dims = {-1};
  EXPECT_FALSE(checkedProduct(dims));
}

TEST(CheckedMath, FitsInsideNeverWraps) {
  EXPECT_TRUE(fitsInside(0, 10, 10));
  EXPECT_TRUE(fitsInside(10, 0, 10));
  EXPECT_FALSE(fitsInside(11, 0, 10));
  EXPECT_FALSE(fitsInside(UINT64_MAX, 2, 10));
  EXPECT_FALSE(fitsInside(2, UINT64_MAX, 10));
}

TEST(Memory, EnvironmentLowersTheAnswer) {
  int64_t real = availableMemory();
  EXPECT_GT(real, 1 << 20);
  setenv("QRT_FREE_MEMORY", "4096", 1);
  EXPECT_EQ(availableMemory(), 4096);
  setenv("QRT_FREE_MEMORY", "nonsense", 1);
  EXPECT_GT(availableMemory(), 4096);
  unsetenv("QRT_FREE_MEMORY");
}

TEST(Memory, SizesReadWell) {
  EXPECT_EQ(formatBytes(512), "512 bytes");
  EXPECT_EQ(formatBytes(1536), "1.50 KiB");
  EXPECT_EQ(formatBytes(int64_t(20) << 30), "20.0 GiB");
}
