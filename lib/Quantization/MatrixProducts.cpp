//===- MatrixProducts.cpp - Blocked matrix products on strided operands -----------------------===//
#include "MatrixProducts.h"

#include "MatrixKernels.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace qopt::quantization {

namespace {

constexpr int64_t depth = 256; // of a packed block: 6 + 16 panels of it fit the first-level cache
template <typename T>
constexpr int64_t blockColumns = 1024 / int64_t(sizeof(T));
template <typename T>
constexpr int64_t blockRows = 768 / int64_t(sizeof(T));

void tile(int64_t k, const float *a, const float *b, float alpha, float *c, int64_t ldc, int m,
          int n) {
  matrixKernels().tileF32(k, a, b, alpha, c, ldc, m, n);
}
void tile(int64_t k, const double *a, const double *b, double alpha, double *c, int64_t ldc, int m,
          int n) {
  matrixKernels().tileF64(k, a, b, alpha, c, ldc, m, n);
}

/// A buffer of this thread, 64-byte aligned, at least `size` long. Two slots: a and b.
template <typename T>
T *scratch(int slot, int64_t size) {
  thread_local std::vector<T> buffers[2];
  std::vector<T> &buffer = buffers[slot];
  const int64_t slack = 64 / int64_t(sizeof(T));
  if (int64_t(buffer.size()) < size + slack)
    buffer.resize(size + slack);
  const auto address = reinterpret_cast<uintptr_t>(buffer.data());
  return buffer.data() + ((64 - address % 64) % 64) / sizeof(T);
}

template <int width, typename T>
void packWhole(const T *data, int64_t rowStride, int64_t columnStride, int64_t k, T *out) {
  const T *columns[width];
  for (int i = 0; i < width; ++i)
    columns[i] = data + i * columnStride;
  for (int64_t p = 0; p < k; ++p, out += width)
    for (int i = 0; i < width; ++i)
      out[i] = columns[i][p * rowStride];
}

int64_t roundUp(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

} // namespace

template <typename T>
void packPanel(const T *data, int64_t rowStride, int64_t columnStride, int64_t k, int64_t count,
               int width, T *out) {
  if (columnStride == 1 && count == width && width == tileColumns<T>) {
    for (int64_t p = 0; p < k; ++p, out += tileColumns<T>, data += rowStride)
      std::memcpy(out, data, 64);
    return;
  }
  if (count == width && width == tileRows)
    return packWhole<tileRows>(data, rowStride, columnStride, k, out);
  if (count == width && width == tileColumns<T>)
    return packWhole<tileColumns<T>>(data, rowStride, columnStride, k, out);
  for (int64_t p = 0; p < k; ++p, out += width, data += rowStride)
    for (int64_t i = 0; i < width; ++i)
      out[i] = i < count ? data[i * columnStride] : T(0);
}

template <typename T>
void multiplyAdd(int64_t m, int64_t n, int64_t k, T alpha, Strided<T> a, Strided<T> b, T *c,
                 int64_t ldc) {
  constexpr int width = tileColumns<T>;
  T *packedA = scratch<T>(0, roundUp(m, tileRows) * depth);
  T *packedB = scratch<T>(1, blockColumns<T> * depth);
  for (int64_t p = 0; p < k; p += depth) {
    const int64_t kc = std::min(depth, k - p);
    for (int64_t i = 0; i < m; i += tileRows)
      packPanel(a.data + i * a.rowStride + p * a.columnStride, a.columnStride, a.rowStride, kc,
                std::min<int64_t>(tileRows, m - i), tileRows, packedA + i * kc);
    for (int64_t j0 = 0; j0 < n; j0 += blockColumns<T>) {
      const int64_t nc = std::min(blockColumns<T>, n - j0);
      for (int64_t j = 0; j < nc; j += width)
        packPanel(b.data + p * b.rowStride + (j0 + j) * b.columnStride, b.rowStride, b.columnStride,
                  kc, std::min<int64_t>(width, nc - j), width, packedB + j * kc);
      for (int64_t j = 0; j < nc; j += width)
        for (int64_t i = 0; i < m; i += tileRows)
          tile(kc, packedA + i * kc, packedB + j * kc, alpha, c + i * ldc + j0 + j, ldc,
               int(std::min<int64_t>(tileRows, m - i)), int(std::min<int64_t>(width, nc - j)));
    }
  }
}

template <typename T>
void multiplyAdd(int64_t m, int64_t n, int64_t k, T alpha, Strided<T> a, Strided<T> b, T *c,
                 int64_t ldc, const ParallelFor &parallel, Part part) {
  struct Tile {
    int64_t row, column;
  };
  std::vector<Tile> tiles;
  for (int64_t i = 0; i < m; i += blockRows<T>)
    for (int64_t j = 0; j < n; j += blockColumns<T>)
      if (part == Part::Whole || j <= std::min(i + blockRows<T>, m) - 1)
        tiles.push_back({i, j});
  parallel(int64_t(tiles.size()), [&](int64_t index) {
    const auto [i, j] = tiles[index];
    multiplyAdd(std::min(blockRows<T>, m - i), std::min(blockColumns<T>, n - j), k, alpha,
                Strided<T>{a.data + i * a.rowStride, a.rowStride, a.columnStride},
                Strided<T>{b.data + j * b.columnStride, b.rowStride, b.columnStride},
                c + i * ldc + j, ldc);
  });
}

template void packPanel(const float *, int64_t, int64_t, int64_t, int64_t, int, float *);
template void packPanel(const double *, int64_t, int64_t, int64_t, int64_t, int, double *);
template void multiplyAdd(int64_t, int64_t, int64_t, float, Strided<float>, Strided<float>, float *,
                          int64_t);
template void multiplyAdd(int64_t, int64_t, int64_t, double, Strided<double>, Strided<double>,
                          double *, int64_t);
template void multiplyAdd(int64_t, int64_t, int64_t, float, Strided<float>, Strided<float>, float *,
                          int64_t, const ParallelFor &, Part);
template void multiplyAdd(int64_t, int64_t, int64_t, double, Strided<double>, Strided<double>,
                          double *, int64_t, const ParallelFor &, Part);

} // namespace qopt::quantization
