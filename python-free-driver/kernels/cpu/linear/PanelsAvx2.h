//===- PanelsAvx2.h - quantized linear on AVX2 -------------------------------===//
//
// A line is read as two halves of 8 rows. Codes of at most 4 bits: vpmaddubsw with a broadcast step
// of int8 activations gives 16-bit pair sums, of which eight steps fit (15 * 128 * 2 * 8 = 30720)
// before they are widened; A16 runs two planes over the same unpacked codes. Codes of 8 bits would
// saturate there (255 * 127 * 2): their bytes are split into even and odd 16-bit lanes and
// multiplied with 16-bit activations by vpmaddwd, exact for both A16 and A8 at the same cost.
//
// Register tile: 16 rows x 4 words (tokens x planes), as many as sixteen registers hold.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_LINEAR_PANELSAVX2_H
#define QRT_KERNELS_CPU_LINEAR_PANELSAVX2_H

#include "kernels/cpu/linear/Variants.h"
#include "kernels/cpu/simd/Intrinsics.h"

namespace qrt::kernels {
namespace {

inline constexpr int tileWordsAvx2 = 4;

inline InputForm inputFormAvx2(WeightFormat format, Activation activation, int64_t) {
  if (format == WeightFormat::U8)
    return {tileWordsAvx2, 2, true};
  int words = activation == Activation::A8 ? 1 : 2;
  return {tileWordsAvx2 / words, words, false};
}

inline __m256i loadHalfLine(const uint8_t *p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p));
}

// A codes policy gives `steps` vectors of codes for half a line's rows; vector f of unit u is step
// f * units + u. A group of `flush` units is summed in 16 bits.
struct HalfCodesU4 {
  static constexpr int steps = 2, flush = 4;
  static int units(int block) { return block / 8; }
  static void load(const uint8_t *block, int unit, int, int half, __m256i *codes) {
    const __m256i mask = _mm256_set1_epi8(0x0f);
    __m256i v = loadHalfLine(block + unit * lineBytes + half * 32);
    codes[0] = _mm256_and_si256(v, mask);
    codes[1] = _mm256_and_si256(_mm256_srli_epi16(v, 4), mask);
  }
};

struct HalfCodesU2 {
  static constexpr int steps = 4, flush = 2;
  static int units(int block) { return block / 16; }
  static void load(const uint8_t *block, int unit, int, int half, __m256i *codes) {
    const __m256i mask = _mm256_set1_epi8(0x03);
    __m256i v = loadHalfLine(block + unit * lineBytes + half * 32);
    codes[0] = _mm256_and_si256(v, mask);
    codes[1] = _mm256_and_si256(_mm256_srli_epi16(v, 2), mask);
    codes[2] = _mm256_and_si256(_mm256_srli_epi16(v, 4), mask);
    codes[3] = _mm256_and_si256(_mm256_srli_epi16(v, 6), mask);
  }
};

struct HalfCodesU3 {
  static constexpr int steps = 8, flush = 1;
  static int units(int block) { return block / 32; }
  static __m256i join(__m256i low, __m256i high) {
    return _mm256_or_si256(_mm256_and_si256(low, _mm256_set1_epi8(0x03)),
                           _mm256_and_si256(high, _mm256_set1_epi8(0x04)));
  }
  static void load(const uint8_t *block, int unit, int units, int half, __m256i *codes) {
    __m256i a = loadHalfLine(block + unit * lineBytes + half * 32);
    __m256i b = loadHalfLine(block + (units + unit) * lineBytes + half * 32);
    __m256i high = loadHalfLine(block + (2 * units + unit) * lineBytes + half * 32);
    codes[0] = join(a, _mm256_slli_epi16(high, 2));
    codes[1] = join(b, _mm256_slli_epi16(high, 1));
    codes[2] = join(_mm256_srli_epi16(a, 2), high);
    codes[3] = join(_mm256_srli_epi16(b, 2), _mm256_srli_epi16(high, 1));
    codes[4] = join(_mm256_srli_epi16(a, 4), _mm256_srli_epi16(high, 2));
    codes[5] = join(_mm256_srli_epi16(b, 4), _mm256_srli_epi16(high, 3));
    codes[6] = join(_mm256_srli_epi16(a, 6), _mm256_srli_epi16(high, 4));
    codes[7] = join(_mm256_srli_epi16(b, 6), _mm256_srli_epi16(high, 5));
  }
};

/// Integer dot products of one block: dot[half][token], of 8 rows each.
template <class Codes, int T, int Planes>
inline void blockDots(const uint8_t *data, int block, const int32_t *values, __m256i dot[2][T]) {
  constexpr int MV = T * Planes;
  const __m256i one = _mm256_set1_epi16(1);
  const int units = Codes::units(block);
  __m256i wide[2][MV];
  for (int h = 0; h < 2; ++h)
    for (int v = 0; v < MV; ++v)
      wide[h][v] = _mm256_setzero_si256();
  for (int first = 0; first < units; first += Codes::flush) {
    __m256i narrow[2][MV];
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h)
#pragma GCC unroll 4
      for (int v = 0; v < MV; ++v)
        narrow[h][v] = _mm256_setzero_si256();
#pragma GCC unroll 4
    for (int i = 0; i < Codes::flush; ++i) {
      const int unit = first + i;
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h) {
        __m256i codes[Codes::steps];
        Codes::load(data, unit, units, h, codes);
#pragma GCC unroll 8
        for (int f = 0; f < Codes::steps; ++f)
#pragma GCC unroll 4
          for (int v = 0; v < MV; ++v) {
            __m256i a = _mm256_set1_epi32(values[(f * units + unit) * MV + v]);
            narrow[h][v] = _mm256_add_epi16(narrow[h][v], _mm256_maddubs_epi16(codes[f], a));
          }
      }
    }
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h)
#pragma GCC unroll 4
      for (int v = 0; v < MV; ++v)
        wide[h][v] = _mm256_add_epi32(wide[h][v], _mm256_madd_epi16(narrow[h][v], one));
  }
  for (int h = 0; h < 2; ++h)
    for (int t = 0; t < T; ++t)
      dot[h][t] = Planes == 1 ? wide[h][t]
                              : _mm256_add_epi32(_mm256_slli_epi32(wide[h][t * Planes], 8),
                                                 wide[h][t * Planes + Planes - 1]);
}

/// 8-bit codes: values are int16 pairs.
struct WideCodesU8 {};

template <class Codes, int T, int Planes>
  requires(__is_same(Codes, WideCodesU8))
inline void blockDots(const uint8_t *data, int block, const int32_t *values, __m256i dot[2][T]) {
  const __m256i mask = _mm256_set1_epi16(0x00ff);
  for (int h = 0; h < 2; ++h)
    for (int t = 0; t < T; ++t)
      dot[h][t] = _mm256_setzero_si256();
#pragma GCC unroll 2
  for (int step = 0; step < block / 4; ++step) {
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      __m256i v = loadHalfLine(data + step * lineBytes + h * 32);
      __m256i even = _mm256_and_si256(v, mask), odd = _mm256_srli_epi16(v, 8);
#pragma GCC unroll 4
      for (int t = 0; t < T; ++t) {
        const int32_t *pair = values + (step * T + t) * 2;
        __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(even, _mm256_set1_epi32(pair[0])),
                                       _mm256_madd_epi16(odd, _mm256_set1_epi32(pair[1])));
        dot[h][t] = _mm256_add_epi32(dot[h][t], sum);
      }
    }
  }
}

inline __m256 loadScalesAvx2(const uint8_t *at, ScaleType type, int half) {
  if (type == ScaleType::F32)
    return _mm256_loadu_ps(reinterpret_cast<const float *>(at) + half * 8);
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(at) + half));
}

template <class Codes, int T, int Planes>
void computeTokensAvx2(const PanelArgs &args, int64_t panel, int64_t token) {
  const LinearArgs &linear = *args.linear;
  const WeightView &weight = linear.weight;
  const WeightDesc &desc = weight.desc;
  const PanelGeometry &g = args.geometry;
  const int64_t scaleBytes = panelRows * (desc.scaleType == ScaleType::F16 ? 2 : 4);
  const uint8_t *data = static_cast<const uint8_t *>(weight.data) + panel * g.panelBytes;
  const int32_t *values = args.input.values + token * (g.paddedK / 4) * args.input.form.words;
  const int32_t blockWords = g.block / 4 * T * args.input.form.words;
  __m256 sum[2][T];
  for (int h = 0; h < 2; ++h)
    for (int t = 0; t < T; ++t)
      sum[h][t] = _mm256_setzero_ps();
  for (int64_t block = 0; block < g.blocks; ++block) {
    __m256i dot[2][T];
    blockDots<Codes, T, Planes>(data + block * g.blockBytes, g.block, values + block * blockWords,
                                dot);
    const int64_t group = panel * g.groups + (desc.groupSize ? block : 0);
    const uint8_t *scales = static_cast<const uint8_t *>(weight.scales) + group * scaleBytes;
    const float *inputScales = args.input.scales + token * g.blocks + block * T;
    const int32_t *sums = args.input.sums + token * g.blocks + block * T;
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      __m256 scale = loadScalesAvx2(scales, desc.scaleType, h);
      __m256i zero = _mm256_set1_epi32(symmetricZeroPoint(desc.format));
      if (!desc.symmetric)
        zero = _mm256_cvtepu8_epi32(_mm_loadl_epi64(
            reinterpret_cast<const __m128i *>(weight.zeroPoints + group * panelRows + h * 8)));
#pragma GCC unroll 4
      for (int t = 0; t < T; ++t) {
        __m256i correction = _mm256_mullo_epi32(zero, _mm256_set1_epi32(sums[t]));
        __m256 exact = _mm256_cvtepi32_ps(_mm256_sub_epi32(dot[h][t], correction));
        __m256 factor = _mm256_mul_ps(scale, _mm256_set1_ps(inputScales[t]));
        sum[h][t] = _mm256_fmadd_ps(exact, factor, sum[h][t]);
      }
    }
  }
  const int64_t row = panel * panelRows;
  const int64_t left = desc.n - row;
  const int rows = static_cast<int>(left < panelRows ? left : panelRows);
  for (int t = 0; t < T; ++t) {
    alignas(32) float lanes[panelRows];
    _mm256_store_ps(lanes, sum[0][t]);
    _mm256_store_ps(lanes + 8, sum[1][t]);
    float *dst = linear.dst + (token + t) * linear.dstStride + row;
    for (int i = 0; i < rows; ++i)
      dst[i] = linear.bias ? lanes[i] + linear.bias[row + i] : lanes[i];
  }
}

template <class Codes, int T, int Planes>
void computeTailAvx2(const PanelArgs &args, int64_t panel, int64_t token) {
  if (args.linear->m - token == T)
    computeTokensAvx2<Codes, T, Planes>(args, panel, token);
  else if constexpr (T > 1)
    computeTailAvx2<Codes, T - 1, Planes>(args, panel, token);
}

template <class Codes, int T, int Planes>
void computeRangeAvx2(const PanelArgs &args, int64_t begin, int64_t end) {
  for (int64_t panel = begin; panel < end; ++panel) {
    int64_t token = 0;
    for (; token + T <= args.linear->m; token += T)
      computeTokensAvx2<Codes, T, Planes>(args, panel, token);
    if (token < args.linear->m)
      computeTailAvx2<Codes, T, Planes>(args, panel, token);
  }
}

template <class Codes>
void computePlanesAvx2(const PanelArgs &args, int64_t begin, int64_t end) {
  if (args.input.form.words == 1)
    computeRangeAvx2<Codes, tileWordsAvx2, 1>(args, begin, end);
  else
    computeRangeAvx2<Codes, tileWordsAvx2 / 2, 2>(args, begin, end);
}

void panelsAvx2(const PanelArgs &args, int64_t begin, int64_t end) {
  switch (args.linear->weight.desc.format) {
  case WeightFormat::U8:
    return computeRangeAvx2<WideCodesU8, tileWordsAvx2, 1>(args, begin, end);
  case WeightFormat::U4:
    return computePlanesAvx2<HalfCodesU4>(args, begin, end);
  case WeightFormat::U3:
    return computePlanesAvx2<HalfCodesU3>(args, begin, end);
  case WeightFormat::U2:
    return computePlanesAvx2<HalfCodesU2>(args, begin, end);
  default:
    return; // linear() sends dense formats elsewhere
  }
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_LINEAR_PANELSAVX2_H
