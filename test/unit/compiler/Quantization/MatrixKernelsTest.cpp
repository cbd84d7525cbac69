//===- MatrixKernelsTest.cpp - The tables of matrix kernels against plain loops ---------------===//
#include "MatrixKernels.h"

#include "Reference.h"

#include <gtest/gtest.h>

#include <string>

using namespace qopt::quantization;
using namespace qopt::quantization::test;

namespace {

struct Table {
  std::string name;
  const MatrixKernels *kernels;
};

std::vector<Table> tables() {
  std::vector<Table> all{{"baseline", &baselineMatrixKernels}};
#ifdef QOPT_BUILD_X86
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    all.push_back({"avx2", &avx2MatrixKernels});
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni"))
    all.push_back({"avx512", &avx512MatrixKernels});
#endif
  return all;
}

/// c of `tile` over a whole matrix of 19 x 37, for alpha = -0.5.
template <typename T, typename Tile>
std::vector<T> multiply(const MatrixKernels &kernels, Tile tile, int64_t k, const std::vector<T> &a,
                        const std::vector<T> &b) {
  constexpr int64_t m = 19, n = 37;
  const int64_t down = kernels.panels * tileRows, across = kernels.panels * tileColumns<T>;
  std::vector<T> c(m * n, T(1));
  for (int64_t i = 0; i < m; i += down)
    for (int64_t j = 0; j < n; j += across) {
      std::vector<T> rows(k * down), columns(k * across);
      for (int64_t p = 0; p < k; ++p) {
        for (int64_t r = 0; r < down; ++r)
          rows[(r / tileRows * k + p) * tileRows + r % tileRows] =
              i + r < m ? a[(i + r) * k + p] : T(0);
        for (int64_t s = 0; s < across; ++s)
          columns[(s / tileColumns<T> * k + p) * tileColumns<T> + s % tileColumns<T>] =
              j + s < n ? b[p * n + j + s] : T(0);
      }
      tile(k, rows.data(), columns.data(), T(-0.5), c.data() + i * n + j, n,
           int(std::min(down, m - i)), int(std::min(across, n - j)));
    }
  return c;
}

template <typename T, typename Pick>
void checkTiles(Pick pick, double tolerance) {
  for (int64_t k : {1, 7, 256}) {
    Floats x = normals(19 * k, unsigned(k)), y = normals(k * 37, unsigned(k) + 1);
    std::vector<T> a(x.begin(), x.end()), b(y.begin(), y.end()), fused;
    for (const Table &table : tables()) {
      std::vector<T> c = multiply<T>(*table.kernels, pick(*table.kernels), k, a, b);
      for (int64_t i = 0; i < 19; ++i)
        for (int64_t j = 0; j < 37; ++j) {
          double sum = 0, size = 1;
          for (int64_t p = 0; p < k; ++p) {
            sum += double(a[i * k + p]) * b[p * 37 + j];
            size += std::fabs(double(a[i * k + p]) * b[p * 37 + j]);
          }
          ASSERT_NEAR(c[i * 37 + j], 1 - 0.5 * sum, tolerance * size) << table.name;
        }
      if (table.name == "baseline")
        continue;
      if (fused.empty())
        fused = c;
      EXPECT_EQ(fused, c) << table.name; // the same order of the same operations
    }
  }
}

} // namespace

TEST(MatrixKernels, TilesAgreeWithFloat64) {
  checkTiles<float>([](const MatrixKernels &kernels) { return kernels.tileF32; }, 1e-6);
  checkTiles<double>([](const MatrixKernels &kernels) { return kernels.tileF64; }, 1e-15);
}

TEST(MatrixKernels, BytesAreRoundedToTheNearest) {
  for (const Table &table : tables())
    for (int64_t tokens : {1, 4, 6, 33}) {
      Floats x = normals(tokens * 20 + 16, unsigned(tokens), 40), inverse(16);
      for (int i = 0; i < 16; ++i)
        inverse[i] = 0.05f * float(i);
      x[0] = 2.5f / 0.05f, x[1] = -3; // a tie, and zero times something
      const int64_t quads = (tokens + 3) / 4;
      std::vector<int8_t> out(quads * 64, 99);
      std::vector<int32_t> sums(16, 99);
      table.kernels->roundToBytes(tokens, x.data(), 20, inverse.data(), out.data(), sums.data());
      for (int i = 0; i < 16; ++i) {
        int32_t sum = 0;
        for (int64_t t = 0; t < quads * 4; ++t) {
          const float value = t < tokens ? x[t * 20 + i] * inverse[i] : 0.0f;
          const auto code = static_cast<int8_t>(int(std::nearbyint(value)));
          ASSERT_EQ(out[(t / 4 * 16 + i) * 4 + t % 4], code) << table.name << " " << t << " " << i;
          sum += int(std::nearbyint(value));
        }
        ASSERT_EQ(sums[i], sum) << table.name;
      }
    }
}

TEST(MatrixKernels, ProductsOfBytesAreExact) {
  constexpr int size = 3 * byteColumns;
  for (const Table &table : tables())
    for (int64_t quads : {1, 5, 256}) {
      std::mt19937 engine(static_cast<unsigned>(quads));
      std::uniform_int_distribution<int> byte(-127, 127);
      std::vector<int8_t> a(size * quads * 4), b(a.size());
      for (int8_t &value : a)
        value = quads == 256 ? int8_t(-127) : static_cast<int8_t>(byte(engine)); // the largest sum
      for (int8_t &value : b)
        value = quads == 256 ? int8_t(127) : static_cast<int8_t>(byte(engine));
      auto at = [&](const std::vector<int8_t> &x, int channel, int64_t t) {
        return int(x[((channel / 16 * quads + t / 4) * 16 + channel % 16) * 4 + t % 4]);
      };
      std::vector<int32_t> sums(size, 0);
      Floats rows(size), columns(size);
      for (int i = 0; i < size; ++i) {
        rows[i] = float(1 << (i % 4)), columns[i] = 0.25f * float(1 << (i % 3));
        for (int64_t t = 0; t < quads * 4; ++t)
          sums[i] += at(b, i, t);
      }
      Doubles c(size * 50, 3.0);
      table.kernels->byteProducts(quads, a.data(), b.data(), sums.data(), rows.data(),
                                  columns.data(), c.data(), 50);
      for (int i = 0; i < size; ++i)
        for (int j = 0; j < size; ++j) {
          int64_t sum = 0;
          for (int64_t t = 0; t < quads * 4; ++t)
            sum += at(a, i, t) * at(b, j, t);
          ASSERT_EQ(c[i * 50 + j], 3.0 + double(sum) * rows[i] * columns[j])
              << table.name << " " << quads << ": " << i << ", " << j;
        }
    }
}
