//===- Dense.h - products with row-major dense weights -----------------------===//
//
// Weights and activations both run along k, so a register tile of R rows x T tokens needs no
// packing: R + T loads feed R * T fused multiply-adds, and each (row, token) has its own
// accumulator, reduced once at the end. The order of additions depends on neither the tile nor the
// split, so a token's result does not depend on what it is batched with.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_LINEAR_DENSE_H
#define QRT_KERNELS_CPU_LINEAR_DENSE_H

#include "kernels/cpu/linear/Variants.h"
#include "kernels/cpu/simd/Intrinsics.h"

namespace qrt::kernels {
namespace {

struct ElementF32 {
  static constexpr int bytes = 4;
  template <class V>
  static typename V::Type load(const uint8_t *p) {
    return V::load(reinterpret_cast<const float *>(p));
  }
};
struct ElementF16 {
  static constexpr int bytes = 2;
  template <class V>
  static typename V::Type load(const uint8_t *p) {
    return V::loadHalf(reinterpret_cast<const uint16_t *>(p));
  }
};
struct ElementBf16 {
  static constexpr int bytes = 2;
  template <class V>
  static typename V::Type load(const uint8_t *p) {
    return V::loadBf16(reinterpret_cast<const uint16_t *>(p));
  }
};

/// Tokens whose activations should stay in L2 while all rows pass by.
inline int64_t denseTokenBlock(int64_t k) {
  int64_t tokens = (int64_t(512) << 10) / (k * 4);
  return tokens < 16 ? 16 : tokens / 4 * 4;
}

template <class V, class Element, int R, int T>
void denseTile(const LinearArgs &args, int64_t row, int64_t token) {
  const int64_t k = args.weight.desc.k, rowBytes = denseRowBytes(args.weight.desc);
  const uint8_t *w = static_cast<const uint8_t *>(args.weight.data) + row * rowBytes;
  const float *x = args.src + token * args.srcStride;
  typename V::Type acc[R][T];
  QRT_FOR (r, R)
    QRT_FOR (t, T)
      acc[r][t] = V::zero();
  // Several rows at once are several streams, which the hardware follows poorly: the next rows are
  // asked for at the same position, unless they lie too far to stay in L1 until then.
  const int64_t ahead = R * rowBytes <= 16384 ? R * rowBytes : 2048;
  const int64_t whole = k / V::width * V::width;
  for (int64_t i = 0; i < whole; i += V::width) {
    typename V::Type wv[R];
    QRT_FOR (r, R) {
      const uint8_t *at = w + r * rowBytes + i * Element::bytes;
      if (T == 1)
        V::prefetch(at + ahead);
      wv[r] = Element::template load<V>(at);
    }
    QRT_FOR (t, T) {
      typename V::Type xv = V::load(x + t * args.srcStride + i);
      QRT_FOR (r, R)
        acc[r][t] = V::fma(wv[r], xv, acc[r][t]);
    }
  }
  if (whole < k) { // weight rows are padded with zeros, activations are not
    alignas(64) float tail[V::width] = {};
    for (int t = 0; t < T; ++t) {
      for (int64_t i = whole; i < k; ++i)
        tail[i - whole] = x[t * args.srcStride + i];
      for (int r = 0; r < R; ++r)
        acc[r][t] = V::fma(Element::template load<V>(w + r * rowBytes + whole * Element::bytes),
                           V::load(tail), acc[r][t]);
    }
  }
  for (int t = 0; t < T; ++t)
    for (int r = 0; r < R; ++r)
      args.dst[(token + t) * args.dstStride + row + r] =
          V::reduceAdd(acc[r][t]) + (args.bias ? args.bias[row + r] : 0.0f);
}

template <class V, class Element, int R, int T>
void denseTokens(const LinearArgs &args, int64_t row, int64_t token, int64_t tokens) {
  for (; tokens >= T; tokens -= T, token += T)
    denseTile<V, Element, R, T>(args, row, token);
  if constexpr (T > 1)
    if (tokens > 0)
      denseTokens<V, Element, R, T - 1>(args, row, token, tokens);
}

template <class V, class Element, int R, int T>
void denseRows(const LinearArgs &args, int64_t begin, int64_t end) {
  const int64_t block = denseTokenBlock(args.weight.desc.k);
  for (int64_t token = 0; token < args.m; token += block) {
    int64_t tokens = args.m - token < block ? args.m - token : block;
    int64_t row = begin;
    for (; row + R <= end; row += R)
      denseTokens<V, Element, R, T>(args, row, token, tokens);
    for (; row < end; ++row)
      denseTokens<V, Element, 1, T>(args, row, token, tokens);
  }
}

template <class V, int R, int T>
void denseGeneric(const LinearArgs &args, int64_t begin, int64_t end) {
  switch (args.weight.desc.format) {
  case WeightFormat::F32:
    return denseRows<V, ElementF32, R, T>(args, begin, end);
  case WeightFormat::F16:
    return denseRows<V, ElementF16, R, T>(args, begin, end);
  case WeightFormat::BF16:
    return denseRows<V, ElementBf16, R, T>(args, begin, end);
  default:
    return; // linear() sends quantized formats elsewhere
  }
}

template <class V, class Element>
void widenWith(const WeightView &weight, int64_t row, float *out) {
  const int64_t rowBytes = denseRowBytes(weight.desc);
  const uint8_t *w = static_cast<const uint8_t *>(weight.data) + row * rowBytes;
  for (int64_t i = 0; i < weight.desc.k; i += V::width) // both rows are padded to 64 bytes
    V::store(out + i, Element::template load<V>(w + i * Element::bytes));
}

template <class V>
void widenRowGeneric(const WeightView &weight, int64_t row, float *out) {
  if (weight.desc.format == WeightFormat::F16)
    widenWith<V, ElementF16>(weight, row, out);
  else if (weight.desc.format == WeightFormat::BF16)
    widenWith<V, ElementBf16>(weight, row, out);
  else
    widenWith<V, ElementF32>(weight, row, out);
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_LINEAR_DENSE_H
