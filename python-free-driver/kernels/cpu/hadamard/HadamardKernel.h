//===- HadamardKernel.h - Walsh-Hadamard transform on a vector type ----------===//
//
// The mixed rows go to the result's place and are transformed there. The butterflies up to four
// vectors apart stay in registers: all of them for the widths of models with a base matrix
// (4864 = 76 * 64). Wider ones take two distances per pass.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_HADAMARD_HADAMARDKERNEL_H
#define QRT_KERNELS_CPU_HADAMARD_HADAMARDKERNEL_H

#include "kernels/cpu/hadamard/hadamard.h"
#include "kernels/cpu/simd/Intrinsics.h"

namespace qrt::kernels {
namespace {

template <class V>
void butterfly(typename V::Type &a, typename V::Type &b) {
  const typename V::Type sum = V::add(a, b);
  b = V::sub(a, b);
  a = sum;
}

/// The distances inside one vector.
template <class V>
typename V::Type walshLanes(typename V::Type x) {
  x = V::template butterfly<1>(x);
  x = V::template butterfly<2>(x);
  x = V::template butterfly<4>(x);
  if constexpr (V::width == 16)
    x = V::template butterfly<8>(x);
  return x;
}

/// y <- factor * x, then the butterflies at distances 1 .. n / 2. n is a power of two; y may be x.
void walshScalar(float *y, const float *x, int64_t n, float factor) {
  for (int64_t i = 0; i < n; ++i)
    y[i] = factor * x[i];
  for (int64_t half = 1; half < n; half *= 2)
    for (int64_t i = 0; i < n; i += 2 * half)
      for (int64_t j = i; j < i + half; ++j) {
        const float a = y[j], b = y[j + half];
        y[j] = a + b;
        y[j + half] = a - b;
      }
}

template <class V>
void walsh(float *y, const float *x, int64_t n, float factor) {
  constexpr int64_t w = V::width;
  const typename V::Type f = V::set1(factor);
  int64_t half = w;
  if (n < w)
    return walshScalar(y, x, n, factor);
  if (n < 4 * w) {
    for (int64_t i = 0; i < n; i += w)
      V::store(y + i, walshLanes<V>(V::mul(f, V::load(x + i))));
  } else {
    for (int64_t i = 0; i < n; i += 4 * w) {
      typename V::Type v[4];
      QRT_FOR (u, 4)
        v[u] = walshLanes<V>(V::mul(f, V::load(x + i + u * w)));
      butterfly<V>(v[0], v[1]);
      butterfly<V>(v[2], v[3]);
      butterfly<V>(v[0], v[2]);
      butterfly<V>(v[1], v[3]);
      QRT_FOR (u, 4)
        V::store(y + i + u * w, v[u]);
    }
    half = 4 * w;
  }
  for (; 4 * half <= n; half *= 4)
    for (int64_t i = 0; i < n; i += 4 * half)
      for (int64_t j = i; j < i + half; j += w) {
        typename V::Type v[4];
        QRT_FOR (u, 4)
          v[u] = V::load(y + j + u * half);
        butterfly<V>(v[0], v[1]);
        butterfly<V>(v[2], v[3]);
        butterfly<V>(v[0], v[2]);
        butterfly<V>(v[1], v[3]);
        QRT_FOR (u, 4)
          V::store(y + j + u * half, v[u]);
      }
  if (half < n)
    for (int64_t j = 0; j < half; j += w) {
      typename V::Type a = V::load(y + j), b = V::load(y + j + half);
      butterfly<V>(a, b);
      V::store(y + j, a);
      V::store(y + j + half, b);
    }
}

/// Rows: so many rows of y = B^T x, columns [0, Vectors * width), inner floats apart. base points
/// to the first row's column of B [m, m].
template <class V, int Rows, int Vectors>
void mixTile(float *y, const float *x, int64_t inner, const float *base, int64_t m) {
  typename V::Type sum[Rows][Vectors];
  QRT_FOR (r, Rows)
    QRT_FOR (u, Vectors)
      sum[r][u] = V::zero();
  for (int64_t i = 0; i < m; ++i) {
    typename V::Type in[Vectors];
    QRT_FOR (u, Vectors)
      in[u] = V::load(x + i * inner + u * V::width);
    QRT_FOR (r, Rows) {
      const typename V::Type factor = V::set1(base[i * m + r]);
      QRT_FOR (u, Vectors)
        sum[r][u] = V::fma(factor, in[u], sum[r][u]);
    }
  }
  QRT_FOR (r, Rows)
    QRT_FOR (u, Vectors)
      V::store(y + r * inner + u * V::width, sum[r][u]);
}

template <class V, int Rows, int Vectors>
void mixRows(float *y, const float *x, int64_t inner, const float *base, int64_t m) {
  int64_t k = 0;
  for (; k + Vectors * V::width <= inner; k += Vectors * V::width)
    mixTile<V, Rows, Vectors>(y + k, x + k, inner, base, m);
  for (; k + V::width <= inner; k += V::width)
    mixTile<V, Rows, 1>(y + k, x + k, inner, base, m);
  for (; k < inner; ++k)
    for (int r = 0; r < Rows; ++r) {
      float sum = 0.0f;
      for (int64_t i = 0; i < m; ++i)
        sum += base[i * m + r] * x[i * inner + k];
      y[r * inner + k] = sum;
    }
}

/// Vectors: registers of a row of the mixing tile, of which there are four rows.
template <class V, int Vectors>
void hadamardKernel(const HadamardArgs &args, int64_t begin, int64_t end) {
  const int64_t m = args.baseOrder, inner = args.block / m, blocks = args.width / args.block;
  const float factor = 1.0f / __builtin_sqrtf(static_cast<float>(args.block));
  for (int64_t row = begin; row < end;) {
    const int64_t o = row % m, block = row / m % blocks, token = row / m / blocks;
    const float *x = args.src + token * args.srcStride + block * args.block;
    float *y = args.dst + token * args.dstStride + block * args.block + o * inner;
    if (!args.base) {
      walsh<V>(y, x, inner, factor);
      ++row;
      continue;
    }
    const bool four = o + 4 <= m && row + 4 <= end;
    four ? mixRows<V, 4, Vectors>(y, x, inner, args.base + o, m)
         : mixRows<V, 1, Vectors>(y, x, inner, args.base + o, m);
    const int rows = four ? 4 : 1;
    for (int r = 0; r < rows; ++r)
      walsh<V>(y + r * inner, y + r * inner, inner, factor);
    row += rows;
  }
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_HADAMARD_HADAMARDKERNEL_H
