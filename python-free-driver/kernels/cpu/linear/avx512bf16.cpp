//===- avx512bf16.cpp - linear for AVX-512 with VNNI and BF16 ----------------===//
//
// Quantized weights use the VNNI kernels; this instruction set adds bf16 products for dense bf16
// weights in prefill (two elements per lane and instruction, twice the rate of f32).
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/linear/Variants.h"
#include "kernels/cpu/simd/Intrinsics.h"
#include "kernels/cpu/simd/VecAvx512.h"

namespace qrt::kernels {

namespace QRT_VARIANT(avx512vnni) {
extern const LinearKernels linearKernels;
}

namespace {

void roundBf16(const float *src, uint16_t *dst, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    uint32_t bits = __builtin_bit_cast(uint32_t, src[i]);
    uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    bool nan = (bits & 0x7fffffff) > 0x7f800000;
    dst[i] = static_cast<uint16_t>(nan ? bits >> 16 | 0x40 : rounded);
  }
}

inline __m512bh loadPairs(const uint16_t *p) {
  return (__m512bh)_mm512_loadu_si512(reinterpret_cast<const void *>(p));
}

template <int R, int T>
void bf16Tile(const LinearArgs &args, const uint16_t *src, int64_t srcStride, int64_t row,
              int64_t token) {
  const int64_t rowElements = denseRowBytes(args.weight.desc) / 2;
  const uint16_t *w = static_cast<const uint16_t *>(args.weight.data) + row * rowElements;
  const uint16_t *x = src + token * srcStride;
  __m512 acc[R][T];
  QRT_FOR (r, R)
    QRT_FOR (t, T)
      acc[r][t] = _mm512_setzero_ps();
  for (int64_t i = 0; i < rowElements; i += 32) { // rows of both are padded to 64 bytes
    __m512bh wv[R];
    QRT_FOR (r, R)
      wv[r] = loadPairs(w + r * rowElements + i);
    QRT_FOR (t, T) {
      __m512bh xv = loadPairs(x + t * srcStride + i);
      QRT_FOR (r, R)
        acc[r][t] = _mm512_dpbf16_ps(acc[r][t], wv[r], xv);
    }
  }
  for (int t = 0; t < T; ++t)
    for (int r = 0; r < R; ++r)
      args.dst[(token + t) * args.dstStride + row + r] =
          VecAvx512::reduceAdd(acc[r][t]) + (args.bias ? args.bias[row + r] : 0.0f);
}

template <int R, int T>
void bf16Tokens(const LinearArgs &args, const uint16_t *src, int64_t srcStride, int64_t row,
                int64_t token, int64_t end) {
  for (; token + T <= end; token += T)
    bf16Tile<R, T>(args, src, srcStride, row, token);
  if constexpr (T > 1)
    if (token < end)
      bf16Tokens<R, T - 1>(args, src, srcStride, row, token, end);
}

void denseBf16(const LinearArgs &args, const uint16_t *src, int64_t srcStride, int64_t begin,
               int64_t end) {
  int64_t block = (int64_t(512) << 10) / (srcStride * 2); // activations that stay in L2
  block = block < 16 ? 16 : block / 4 * 4;
  for (int64_t token = 0; token < args.m; token += block) {
    int64_t last = token + block < args.m ? token + block : args.m;
    int64_t row = begin;
    for (; row + 4 <= end; row += 4)
      bf16Tokens<4, 4>(args, src, srcStride, row, token, last);
    for (; row < end; ++row)
      bf16Tokens<1, 4>(args, src, srcStride, row, token, last);
  }
}

InputForm inputForm(WeightFormat format, Activation activation, int64_t m) {
  return QRT_VARIANT(avx512vnni)::linearKernels.inputForm(format, activation, m);
}
void quantizeInput(const QuantizeArgs &args, int64_t begin, int64_t end) {
  QRT_VARIANT(avx512vnni)::linearKernels.quantizeInput(args, begin, end);
}
void panels(const PanelArgs &args, int64_t begin, int64_t end) {
  QRT_VARIANT(avx512vnni)::linearKernels.panels(args, begin, end);
}
void panelsF32(const PanelArgs &args, int64_t begin, int64_t end) {
  QRT_VARIANT(avx512vnni)::linearKernels.panelsF32(args, begin, end);
}
void widenRow(const WeightView &weight, int64_t row, float *out) {
  QRT_VARIANT(avx512vnni)::linearKernels.widenRow(weight, row, out);
}
void dense(const LinearArgs &args, int64_t begin, int64_t end) {
  QRT_VARIANT(avx512vnni)::linearKernels.dense(args, begin, end);
}

} // namespace

namespace QRT_VARIANT(avx512bf16) {

extern const LinearKernels linearKernels;
const LinearKernels linearKernels = {
    .name = "avx512bf16",
    .isa = Isa::Avx512Bf16,
    .inputForm = inputForm,
    .quantizeInput = quantizeInput,
    .panels = panels,
    .panelsF32 = panelsF32,
    .dense = dense,
    .roundBf16 = roundBf16,
    .denseBf16 = denseBf16,
    .widenRow = widenRow,
};

} // namespace QRT_VARIANT(avx512bf16)

} // namespace qrt::kernels
