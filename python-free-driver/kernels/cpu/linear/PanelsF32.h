//===- PanelsF32.h - quantized weights in f32 arithmetic ---------------------===//
//
// One block of one panel is dequantized into an L1 buffer [k][16 rows] and multiplied with all
// tokens before the next block: the cost of unpacking is spread over the tokens. Only products that
// ask for f32 activations run here: 16-bit ones are faster in integers on every instruction set.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_LINEAR_PANELSF32_H
#define QRT_KERNELS_CPU_LINEAR_PANELSF32_H

#include "kernels/cpu/linear/Variants.h"
#include "kernels/cpu/simd/Intrinsics.h"

namespace qrt::kernels {
namespace {

/// One block of a panel, dequantized, and the streams' values for its group.
struct DequantizedBlock {
  alignas(64) float weight[channelBlock * panelRows]; // [k][row]
};

/// Codes of V::width rows as 32-bit integers: a line's 32-bit lane holds one row's four k, each
/// byte with its fields, so a code is a shift and a mask away.
template <class V>
typename V::Int codesAt(const uint8_t *lines, int64_t byteOffset, int shift, int mask) {
  return V::bitAnd(V::shiftRight(V::loadInt(lines + byteOffset), shift), V::set1Int(mask));
}

/// The code of k = 4 step + kk for rows [row, row + V::width) of a block.
template <class V>
typename V::Int codes(int bits, int block, const uint8_t *data, int step, int kk, int row) {
  auto field = [&](const uint8_t *lines, int width) {
    const int count = block * width / 32; // lines of the stream
    return codesAt<V>(lines, int64_t(step % count) * lineBytes + row * 4,
                      8 * kk + step / count * width, (1 << width) - 1);
  };
  if (bits != 3)
    return field(data, bits);
  return V::bitOr(field(data, 2), V::shiftLeft(field(data + block / 16 * lineBytes, 1), 2));
}

template <class V>
void dequantizeBlock(const PanelArgs &args, int64_t panel, int64_t block, DequantizedBlock &out) {
  const PanelGeometry &g = args.geometry;
  const WeightView &weight = args.linear->weight;
  const WeightDesc &desc = weight.desc;
  const int bits = g.bits;
  const uint8_t *data =
      static_cast<const uint8_t *>(weight.data) + panel * g.panelBytes + block * g.blockBytes;
  const int64_t group = (panel * g.groups + (desc.groupSize ? block : 0)) * panelRows;
  alignas(64) int32_t zero[panelRows];
  for (int i = 0; i < panelRows; ++i)
    zero[i] = desc.symmetric ? 1 << (bits - 1) : weight.zeroPoints[group + i];
  for (int row = 0; row < panelRows; row += V::width) {
    const typename V::Type scale =
        desc.scaleType == ScaleType::F32
            ? V::load(static_cast<const float *>(weight.scales) + group + row)
            : V::loadHalf(static_cast<const uint16_t *>(weight.scales) + group + row);
    const typename V::Int zeros = V::loadInt(zero + row);
    for (int step = 0; step < g.block / 4; ++step)
      for (int kk = 0; kk < 4; ++kk) {
        typename V::Int q = V::subInt(codes<V>(bits, g.block, data, step, kk, row), zeros);
        V::store(out.weight + (4 * step + kk) * panelRows + row, V::mul(V::toFloat(q), scale));
      }
  }
}

/// dst[t][row] of T tokens (+)= one block's products. `rows` are valid.
template <class V, int T>
void multiplyBlock(const LinearArgs &linear, const DequantizedBlock &block, int64_t k, int count,
                   int64_t row, int64_t token) {
  constexpr int L = panelRows / V::width;
  typename V::Type acc[T][L];
  QRT_FOR (t, T)
    QRT_FOR (l, L)
      acc[t][l] = V::zero();
  const float *x = linear.src + token * linear.srcStride + k;
  const float *w = block.weight;
  for (int i = 0; i < count; ++i, w += panelRows) {
    typename V::Type wv[L];
    QRT_FOR (l, L)
      wv[l] = V::load(w + l * V::width);
    QRT_FOR (t, T) {
      typename V::Type xv = V::set1(x[t * linear.srcStride + i]);
      QRT_FOR (l, L)
        acc[t][l] = V::fma(xv, wv[l], acc[t][l]);
    }
  }
  const int64_t rows = linear.weight.desc.n - row;
  QRT_FOR (t, T) {
    float *dst = linear.dst + (token + t) * linear.dstStride + row;
    if (rows >= panelRows) {
      QRT_FOR (l, L) {
        typename V::Type old = k ? V::load(dst + l * V::width) : V::zero();
        V::store(dst + l * V::width, V::add(old, acc[t][l]));
      }
      continue;
    }
    alignas(64) float lanes[panelRows];
    for (int l = 0; l < L; ++l)
      V::store(lanes + l * V::width, acc[t][l]);
    for (int64_t i = 0; i < rows; ++i)
      dst[i] = (k ? dst[i] : 0.0f) + lanes[i];
  }
}

template <class V, int T>
void multiplyTokens(const LinearArgs &linear, const DequantizedBlock &block, int64_t k, int count,
                    int64_t row, int64_t token) {
  for (; linear.m - token >= T; token += T)
    multiplyBlock<V, T>(linear, block, k, count, row, token);
  if constexpr (T > 1)
    if (token < linear.m)
      multiplyTokens<V, T - 1>(linear, block, k, count, row, token);
}

template <class V, int T>
void panelsF32Generic(const PanelArgs &args, int64_t begin, int64_t end) {
  const LinearArgs &linear = *args.linear;
  const PanelGeometry &g = args.geometry;
  DequantizedBlock block;
  for (int64_t panel = begin; panel < end; ++panel) {
    const int64_t row = panel * panelRows;
    for (int64_t b = 0; b < g.blocks; ++b) {
      dequantizeBlock<V>(args, panel, b, block);
      int64_t left = linear.weight.desc.k - b * g.block;
      multiplyTokens<V, T>(linear, block, b * g.block,
                           static_cast<int>(left < g.block ? left : g.block), row, 0);
    }
    if (linear.bias)
      for (int64_t token = 0; token < linear.m; ++token)
        for (int64_t n = row; n < row + panelRows && n < linear.weight.desc.n; ++n)
          linear.dst[token * linear.dstStride + n] += linear.bias[n];
  }
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_LINEAR_PANELSF32_H
