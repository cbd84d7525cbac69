//===- SparseKernel.h - sparse products on a vector type ---------------------===//
//
// Values of a row are widened to f32 a vector at a time. Sums keep the order of the entries, so
// vectors run over tokens, never over entries; with few tokens the fused multiply-adds are scalar
// ones, and neighbouring rows overlap in the pipeline.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_SPARSE_SPARSEKERNEL_H
#define QRT_KERNELS_CPU_SPARSE_SPARSEKERNEL_H

#include "kernels/cpu/vector/Variants.h"

namespace qrt::kernels {
namespace {

/// The next at most V::width values as f32; nothing behind the last is read.
template <class V>
inline int widenValues(const uint16_t *values, int64_t left, float *out) {
  if (left >= V::width) {
    V::store(out, V::loadHalf(values));
    return V::width;
  }
  uint16_t padded[V::width] = {};
  for (int64_t i = 0; i < left; ++i)
    padded[i] = values[i];
  V::store(out, V::loadHalf(padded));
  return static_cast<int>(left);
}

template <class V>
void sparseRowsKernel(const SparseArgs &args, int64_t begin, int64_t end) {
  alignas(64) float values[V::width];
  for (int64_t row = begin; row < end; ++row) {
    const int64_t first = args.matrix.rows[row], last = args.matrix.rows[row + 1];
    if (first == last)
      continue;
    float sums[sparseTileTokens] = {};
    for (int64_t at = first; at < last;) {
      const int count = widenValues<V>(args.matrix.values + at, last - at, values);
      const uint16_t *columns = args.matrix.columns + at;
      for (int64_t t = 0; t < args.tokens; ++t) {
        const float *x = args.src + t * args.srcStride;
        float sum = sums[t];
        for (int i = 0; i < count; ++i)
          sum = __builtin_fmaf(values[i], x[columns[i]], sum);
        sums[t] = sum;
      }
      at += count;
    }
    for (int64_t t = 0; t < args.tokens; ++t)
      args.dst[t * args.dstStride + row] += sums[t];
  }
}

template <class V>
void sparseTileKernel(const SparseTile &tile, int64_t begin, int64_t end) {
  constexpr int parts = sparseTileTokens / V::width;
  alignas(64) float values[V::width], out[sparseTileTokens];
  for (int64_t row = begin; row < end; ++row) {
    const int64_t first = tile.matrix.rows[row], last = tile.matrix.rows[row + 1];
    if (first == last)
      continue;
    typename V::Type sums[parts];
    for (int p = 0; p < parts; ++p)
      sums[p] = V::zero();
    for (int64_t at = first; at < last;) {
      const int count = widenValues<V>(tile.matrix.values + at, last - at, values);
      for (int i = 0; i < count; ++i) {
        const float *x = tile.columns + int64_t(tile.matrix.columns[at + i]) * sparseTileTokens;
        const typename V::Type value = V::set1(values[i]);
        for (int p = 0; p < parts; ++p)
          sums[p] = V::fma(value, V::load(x + p * V::width), sums[p]);
      }
      at += count;
    }
    for (int p = 0; p < parts; ++p)
      V::store(out + p * V::width, sums[p]);
    for (int64_t t = 0; t < tile.tokens; ++t)
      tile.dst[t * tile.dstStride + row] += out[t];
  }
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_SPARSE_SPARSEKERNEL_H
