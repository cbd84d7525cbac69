//===- SparseTest.cpp - products with sparse matrices on the emulator -------------------------===//

#include "DeviceWeight.h"

#include "qrt/Half.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;

namespace {

/// Entries as a file has them; every third output has none, output 3 one per column.
struct Sparse {
  int64_t n, k;
  std::vector<int32_t> rowStarts = {0};
  std::vector<uint16_t> columns, values;

  Sparse(int64_t n, int64_t k, double share) : n(n), k(k) {
    std::mt19937 random(9);
    std::bernoulli_distribution chosen(share);
    std::normal_distribution<float> normal;
    for (int64_t row = 0; row < n; ++row) {
      for (int64_t column = row % 3 == 1 ? k : 0; column < k; ++column)
        if (row == 3 || chosen(random)) {
          columns.push_back(uint16_t(column));
          values.push_back(f32ToF16(normal(random)));
        }
      rowStarts.push_back(int32_t(values.size()));
    }
  }
  SparseAddParams params(const Matrix &src, const Matrix &dst, int64_t rows) const {
    return {src, rowStarts.data(), columns.data(), values.data(), n, k, dst, rows};
  }
  /// before + src * matrix^T.
  std::vector<double> added(const std::vector<float> &src, const std::vector<float> &before,
                            int64_t rows) const {
    std::vector<double> sums(before.begin(), before.end());
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t output = 0; output < n; ++output)
        for (int32_t at = rowStarts[size_t(output)]; at < rowStarts[size_t(output) + 1]; ++at)
          sums[size_t(row * n + output)] +=
              double(f16ToF32(values[size_t(at)])) * src[size_t(row * k + columns[size_t(at)])];
    return sums;
  }
};

/// What the launch adds to random numbers, with an order of threads and a size of shared memory.
std::vector<float> launched(const Sparse &matrix, DType type, int64_t rows, uint64_t seed,
                            int32_t sharedBytes, std::vector<float> *rounded = nullptr) {
  Device device(seed);
  device.launch.sharedBytesPerBlock = sharedBytes;
  device.launch.multiprocessors = 3;
  DeviceMatrix src(rows, matrix.k, type), dst(rows, matrix.n, DType::F32);
  // Of any number of rows the first are the same.
  src.set(randomValues(size_t(rows * matrix.k), 4));
  dst.set(randomValues(size_t(rows * matrix.n), 5));
  if (rounded)
    *rounded = src.get();
  EXPECT_EQ(launchSparseAdd(device.launch, matrix.params(src.view(), dst.view(), rows)), 0)
      << device.stream.error;
  EXPECT_TRUE(src.guardsIntact() && dst.guardsIntact());
  return dst.get();
}

TEST(SparseAdd, MatchesFloat64) {
  for (DType type : {DType::F32, DType::F16, DType::BF16})
    for (auto [n, k] : {std::pair<int64_t, int64_t>{37, 200}, {5, 33}, {130, 1}, {64, 1000}}) {
      const Sparse matrix(n, k, 0.1);
      for (int64_t rows : {1, 3, 4, 5, 8, 20}) {
        SCOPED_TRACE(testing::Message() << int(type) << " " << n << " x " << k << ", " << rows);
        std::vector<float> src, first;
        for (uint64_t seed : allSeeds)
          for (int32_t sharedBytes : {227 << 10, 512}) {
            auto got = launched(matrix, type, rows, seed, sharedBytes, &src);
            if (first.empty()) {
              first = got;
              EXPECT_LT(
                  relativeError(got, matrix.added(src, randomValues(size_t(rows * n), 5), rows)),
                  1e-6);
            }
            EXPECT_EQ(got, first) << "seed " << seed << ", " << sharedBytes << " bytes";
          }
      }
    }
}

/// A token's sums beside others are those it has alone.
TEST(SparseAdd, RowsDoNotMatter) {
  const Sparse matrix(40, 300, 0.2);
  const auto many = launched(matrix, DType::F16, 19, 0, 227 << 10);
  for (int64_t rows : {1, 4, 11}) {
    const auto few = launched(matrix, DType::F16, rows, 0, 227 << 10);
    EXPECT_EQ(few, std::vector<float>(many.begin(), many.begin() + rows * matrix.n));
  }
}

TEST(SparseAdd, Refused) {
  const Sparse matrix(4, 8, 0.5);
  Device device;
  DeviceMatrix src(2, 8, DType::F32), dst(2, 4, DType::F32), half(2, 4, DType::F16);
  const SparseAddParams right = matrix.params(src.view(), dst.view(), 2);
  auto code = [&](auto change) {
    SparseAddParams params = right;
    change(params);
    return launchSparseAdd(device.launch, params);
  };
  EXPECT_EQ(code([](SparseAddParams &p) { p.rows = 0; }), 0);
  EXPECT_EQ(code([&](SparseAddParams &p) { p.dst = half.view(); }), 1);
  EXPECT_EQ(code([](SparseAddParams &p) { p.src.type = DType::I8; }), 1);
  EXPECT_EQ(code([](SparseAddParams &p) { p.rows = -1; }), 1);
  EXPECT_EQ(code([](SparseAddParams &p) { p.k = 65537; }), 1);
  EXPECT_EQ(code([](SparseAddParams &p) { p.rowStarts = nullptr; }), 1);
}

} // namespace
