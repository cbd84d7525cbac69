//===- Products.cpp - Sums of products over any two views -------------------------------------===//
#include "Tensor/Products.h"

#include "Tensor/WideElements.h"

#include <algorithm>

namespace qrt::tensor {
namespace {

constexpr int64_t lanes = 8;
constexpr int64_t rowsPerBlock = 32; ///< of a, widened at once
constexpr int64_t columnsPerBlock = 8;
constexpr int64_t tileRows = 4; ///< multiplied with one column at once

/// tileRows sums of products; `rows` lie `stride` apart. Compiled twice, see below.
template <typename T>
[[gnu::always_inline]] inline void tileOf(const T *rows, int64_t stride, const T *column,
                                          int64_t count, int64_t used, T *sums) {
  T partial[tileRows][lanes] = {};
  for (int64_t k = 0; k < count; k += lanes)
    for (int64_t r = 0; r < tileRows; ++r)
      for (int64_t lane = 0; lane < lanes; ++lane)
        partial[r][lane] += rows[(r < used ? r : 0) * stride + k + lane] * column[k + lane];
  for (int64_t r = 0; r < tileRows; ++r) {
    const T *p = partial[r];
    sums[r] = ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
  }
}

template <typename T>
[[gnu::always_inline]] inline T dotOf(const T *a, const T *b, int64_t count) {
  T p[lanes] = {};
  for (int64_t k = 0; k < count; k += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane)
      p[lane] += a[k + lane] * b[k + lane];
  return ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
}

#if defined(__x86_64__)
#define QRT_WIDE_VECTORS __attribute__((target("avx2,fma")))
bool hasWideVectors() {
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return has;
}
#else
#define QRT_WIDE_VECTORS
bool hasWideVectors() { return false; }
#endif

QRT_WIDE_VECTORS void wideTile(const double *rows, int64_t stride, const double *column,
                               int64_t count, int64_t used, double *sums) {
  if (used == tileRows)
    return tileOf(rows, stride, column, count, tileRows, sums);
  for (int64_t r = 0; r < used; ++r)
    sums[r] = dotOf(rows + r * stride, column, count);
}
QRT_WIDE_VECTORS double wideDot(const double *a, const double *b, int64_t count) {
  return dotOf(a, b, count);
}

void tile(const double *rows, int64_t stride, const double *column, int64_t count, int64_t used,
          double *sums) {
  if (hasWideVectors())
    return wideTile(rows, stride, column, count, used, sums);
  for (int64_t r = 0; r < used; ++r)
    sums[r] = dotOf(rows + r * stride, column, count);
}
/// Integers: unsigned arithmetic wraps.
void tile(const int64_t *rows, int64_t stride, const int64_t *column, int64_t count, int64_t used,
          int64_t *sums) {
  for (int64_t r = 0; r < used; ++r)
    sums[r] = static_cast<int64_t>(dotOf(reinterpret_cast<const uint64_t *>(rows + r * stride),
                                         reinterpret_cast<const uint64_t *>(column), count));
}

bool isRun(const std::vector<int64_t> &offsets) {
  for (size_t i = 1; i < offsets.size(); ++i)
    if (offsets[i] != offsets[i - 1] + 1)
      return false;
  return true;
}

/// Widens rows [first, last) of a side, padded with zeros to `padded` steps each.
template <typename T>
class Packer {
public:
  explicit Packer(const ProductSide &side)
      : side(side), steps(static_cast<int64_t>(side.steps.size())), stepsRun(isRun(side.steps)),
        outerRun(isRun(side.outer)) {}

  void pack(int64_t first, int64_t last, int64_t padded, T *out) const {
    const int64_t count = last - first;
    for (int64_t i = 0; i < count; ++i)
      std::fill(out + i * padded + steps, out + (i + 1) * padded, T(0));
    if (steps == 0)
      return;
    if (stepsRun) {
      for (int64_t i = 0; i < count; ++i)
        widen(*side.tensor, side.base + side.outer[first + i] + side.steps[0], steps,
              out + i * padded);
    } else {
      packAcross(first, count, padded, out);
    }
    if (!side.zeros.empty())
      for (int64_t i = 0; i < count; ++i)
        for (int64_t k = 0; k < steps; ++k)
          out[i * padded + k] -= static_cast<T>(side.zeros[first + i]);
  }

private:
  void packAcross(int64_t first, int64_t count, int64_t padded, T *out) const {
    T column[rowsPerBlock];
    for (int64_t k = 0; k < steps; ++k) {
      const int64_t base = side.base + side.steps[k];
      if (outerRun)
        widen(*side.tensor, base + side.outer[first], count, column);
      else
        for (int64_t i = 0; i < count; ++i)
          widen(*side.tensor, base + side.outer[first + i], 1, column + i);
      for (int64_t i = 0; i < count; ++i)
        out[i * padded + k] = column[i];
    }
  }

  const ProductSide &side;
  int64_t steps;
  bool stepsRun, outerRun;
};

/// `T` is what both sides are widened to, `Result` what is written.
template <typename T, typename Result>
void multiplyAs(const Product &product) {
  const auto rows = static_cast<int64_t>(product.rows.size());
  const auto columns = static_cast<int64_t>(product.columns.size());
  const auto steps = static_cast<int64_t>(product.a.steps.size());
  const int64_t padded = (steps + lanes - 1) / lanes * lanes;
  std::vector<T> left(std::min(rows, rowsPerBlock) * padded);
  std::vector<T> right(std::min(columns, columnsPerBlock) * padded);
  const Packer<T> packA(product.a), packB(product.b);
  for (int64_t m0 = 0; m0 < rows; m0 += rowsPerBlock) {
    const int64_t m1 = std::min(rows, m0 + rowsPerBlock);
    packA.pack(m0, m1, padded, left.data());
    for (int64_t n0 = 0; n0 < columns; n0 += columnsPerBlock) {
      const int64_t n1 = std::min(columns, n0 + columnsPerBlock);
      packB.pack(n0, n1, padded, right.data());
      double bias[columnsPerBlock] = {};
      if (product.bias)
        widen(*product.bias, product.biasBase + n0, n1 - n0, bias);
      for (int64_t n = n0; n < n1; ++n)
        for (int64_t m = m0; m < m1; m += tileRows) {
          const int64_t used = std::min(tileRows, m1 - m);
          T sums[tileRows];
          tile(left.data() + (m - m0) * padded, padded, right.data() + (n - n0) * padded, padded,
               used, sums);
          for (int64_t r = 0; r < used; ++r) {
            auto value = static_cast<Result>(sums[r] + static_cast<T>(bias[n - n0]));
            narrow(product.dtype, product.data,
                   product.base + product.rows[m + r] + product.columns[n], 1, &value);
          }
        }
    }
  }
}

} // namespace

void multiply(const Product &product) {
  if (isFloat(product.dtype))
    return multiplyAs<double, double>(product);
  auto small = [](const ProductSide &side) { return bitWidth(side.tensor->dtype) <= 16; };
  if (small(product.a) && small(product.b) && product.a.steps.size() < (size_t(1) << 19))
    return multiplyAs<double, int64_t>(product);
  multiplyAs<int64_t, int64_t>(product);
}

std::vector<int64_t> offsets(int64_t count, int64_t stride) {
  std::vector<int64_t> result(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i)
    result[static_cast<size_t>(i)] = i * stride;
  return result;
}

double dot(const double *a, const double *b, int64_t count) {
  return hasWideVectors() ? wideDot(a, b, count) : dotOf(a, b, count);
}

void addScaled(double *y, const double *x, double factor, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    y[i] += factor * x[i];
}

} // namespace qrt::tensor
