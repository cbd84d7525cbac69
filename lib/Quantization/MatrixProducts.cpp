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

/// packWhole for contiguous rows, four columns at a time.
template <int width, typename T>
void packContiguous(const T *data, int64_t ld, int64_t k, T *out) {
  int64_t p = 0;
  for (; p + 4 <= k; p += 4, out += 4 * width) {
    T block[width][4];
    for (int i = 0; i < width; ++i)
      std::memcpy(block[i], data + i * ld + p, sizeof(block[i]));
    for (int q = 0; q < 4; ++q)
      for (int i = 0; i < width; ++i)
        out[q * width + i] = block[i][q];
  }
  packWhole<width>(data + p, 1, ld, k - p, out);
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
  if (count == width && width == tileRows && rowStride == 1)
    return packContiguous<tileRows>(data, columnStride, k, out);
  if (count == width && width == tileColumns<T> && rowStride == 1)
    return packContiguous<tileColumns<T>>(data, columnStride, k, out);
  if (count == width && width == tileRows)
    return packWhole<tileRows>(data, rowStride, columnStride, k, out);
  if (count == width && width == tileColumns<T>)
    return packWhole<tileColumns<T>>(data, rowStride, columnStride, k, out);
  for (int64_t p = 0; p < k; ++p, out += width, data += rowStride)
    for (int64_t i = 0; i < width; ++i)
      out[i] = i < count ? data[i * columnStride] : T(0);
}

namespace {

/// Rows of a packed tile, and columns.
template <typename T>
int64_t rowsDown() {
  return matrixKernels().panels * tileRows;
}
template <typename T>
int64_t columnsAcross() {
  return matrixKernels().panels * tileColumns<T>;
}

/// Columns [0, kc) of m rows, padded to whole tiles.
template <typename T>
void packRows(int64_t m, int64_t kc, Strided<T> a, T *out) {
  for (int64_t i = 0; i < roundUp(m, rowsDown<T>()); i += tileRows)
    packPanel(a.data + std::min(i, m - 1) * a.rowStride, a.columnStride, a.rowStride, kc,
              std::clamp<int64_t>(m - i, 0, tileRows), tileRows, out + i * kc);
}

/// c += alpha * packed rows * b [kc, n].
template <typename T>
void multiplyPacked(int64_t m, int64_t n, int64_t kc, T alpha, const T *packedA, Strided<T> b, T *c,
                    int64_t ldc) {
  constexpr int width = tileColumns<T>;
  const int64_t down = rowsDown<T>(), across = columnsAcross<T>();
  T *packedB = scratch<T>(1, blockColumns<T> * depth);
  for (int64_t j0 = 0; j0 < n; j0 += blockColumns<T>) {
    const int64_t nc = std::min(blockColumns<T>, n - j0);
    for (int64_t j = 0; j < roundUp(nc, across); j += width)
      packPanel(b.data + std::min(j0 + j, n - 1) * b.columnStride, b.rowStride, b.columnStride, kc,
                std::clamp<int64_t>(nc - j, 0, width), width, packedB + j * kc);
    for (int64_t j = 0; j < nc; j += across)
      for (int64_t i = 0; i < m; i += down)
        tile(kc, packedA + i * kc, packedB + j * kc, alpha, c + i * ldc + j0 + j, ldc,
             int(std::min(down, m - i)), int(std::min(across, nc - j)));
  }
}

} // namespace

template <typename T>
void multiplyAdd(int64_t m, int64_t n, int64_t k, T alpha, Strided<T> a, Strided<T> b, T *c,
                 int64_t ldc) {
  if (m <= 0 || n <= 0)
    return;
  T *packedA = scratch<T>(0, roundUp(m, rowsDown<T>()) * depth);
  for (int64_t p = 0; p < k; p += depth) {
    const int64_t kc = std::min(depth, k - p);
    packRows(m, kc, Strided<T>{a.data + p * a.columnStride, a.rowStride, a.columnStride}, packedA);
    multiplyPacked(m, n, kc, alpha, static_cast<const T *>(packedA),
                   Strided<T>{b.data + p * b.rowStride, b.rowStride, b.columnStride}, c, ldc);
  }
}

PackedRows::PackedRows(int64_t m, int64_t k)
    : m(m), k(k), paddedRows(roundUp(m, rowsDown<float>())), data(paddedRows * k) {}

void PackedRows::pack(const float *a, int64_t lda, int64_t first, int64_t last) {
  for (int64_t p = first / depth * depth; p < last; p += depth) {
    const int64_t kc = std::min(depth, k - p), begin = std::max(first, p) - p,
                  end = std::min(last, p + kc) - p;
    float *out = data.data() + p * paddedRows;
    for (int64_t i = 0; i < paddedRows; i += tileRows)
      packPanel(a + std::min(i, m - 1) * lda + p + begin, 1, lda, end - begin,
                std::clamp<int64_t>(m - i, 0, tileRows), tileRows, out + i * kc + begin * tileRows);
  }
}

void multiplyAdd(const PackedRows &a, int64_t first, int64_t last, int64_t n, float alpha,
                 Strided<float> b, float *c, int64_t ldc) {
  for (int64_t p = first; p < last; p += depth) {
    // Panels are as long as their block of columns, which is whole unless it is the last.
    const int64_t kc = std::min(depth, a.k - p);
    multiplyPacked(a.m, n, std::min(kc, last - p), alpha, a.data.data() + p * a.paddedRows,
                   Strided<float>{b.data + (p - first) * b.rowStride, b.rowStride, b.columnStride},
                   c, ldc);
  }
}

template <typename T>
void multiplyAdd(int64_t m, int64_t n, int64_t k, T alpha, Strided<T> a, Strided<T> b, T *c,
                 int64_t ldc, const ParallelFor &parallel, Part part) {
  struct Tile {
    int64_t row, column;
  };
  // Large tiles pack less, small ones leave more to share.
  const int64_t times = m >= 8 * blockRows<T> ? 2 : 1;
  const int64_t rows = times * blockRows<T>, columns = times * blockColumns<T>;
  std::vector<Tile> tiles;
  for (int64_t i = 0; i < m; i += rows)
    for (int64_t j = 0; j < n; j += columns)
      if (part == Part::Whole || j <= std::min(i + rows, m) - 1)
        tiles.push_back({i, j});
  parallel(int64_t(tiles.size()), [&](int64_t index) {
    const auto [i, j] = tiles[index];
    multiplyAdd(std::min(rows, m - i), std::min(columns, n - j), k, alpha,
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
