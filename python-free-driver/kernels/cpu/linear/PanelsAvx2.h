//===- PanelsAvx2.h - quantized linear on AVX2 -------------------------------===//
//
// A line is read as two halves of 8 rows. Codes of at most 4 bits: vpmaddubsw with a broadcast step
// of int8 activations gives 16-bit pair sums, of which eight steps fit (15 * 128 * 2 * 8 = 30720)
// before they are widened; A16 runs two planes over the same unpacked codes. Codes of 8 bits would
// saturate there (255 * 127 * 2): their bytes are split into even and odd 16-bit lanes and
// multiplied with 16-bit activations by vpmaddwd, exact for both A16 and A8 at the same cost.
//
// Register tile: 8 rows x 6 words (tokens x planes). Larger batches: UnpackedAvx2.h.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_LINEAR_PANELSAVX2_H
#define QRT_KERNELS_CPU_LINEAR_PANELSAVX2_H

#include "kernels/cpu/linear/Variants.h"
#include "kernels/cpu/simd/Intrinsics.h"

namespace qrt::kernels {
namespace {

inline constexpr int tileWordsAvx2 = 6;

/// From this many tokens codes are unpacked once for all (UnpackedAvx2.h), in full tiles: those of
/// three bits, which take most instructions, early. (Zen 4, A16, 8 tokens, Gop/s of one core: U3
/// 105 : 115, U4 126 : 106.)
inline int64_t unpackedFromTokens(WeightFormat format, int words) {
  return format == WeightFormat::U3 ? (words == 2 ? 5 : 10) : 12;
}

inline InputForm inputFormAvx2(WeightFormat format, Activation activation, int64_t m) {
  if (format == WeightFormat::U8)
    return {balancedTile(m, tileWordsAvx2), 2, true, 1};
  const int words = activation == Activation::A8 ? 1 : 2, most = tileWordsAvx2 / words;
  return {m < unpackedFromTokens(format, words) ? balancedTile(m, most) : most, words, false,
          stepsPerUnit(format)};
}

/// The streams are read line by line, too slowly for the hardware to run far enough ahead: without
/// this, 8-bit decode reached 0.3 of the read probe (Zen 5, one thread).
inline void prefetchStream(const uint8_t *p) {
  _mm_prefetch(reinterpret_cast<const char *>(p + 4096), _MM_HINT_T0);
}

inline __m256i loadHalfLine(const uint8_t *p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p));
}

// A codes policy reads `lines` half lines per unit and extracts `steps` vectors of codes from them;
// vector f of unit u, of `units`, is step f * units + u. `flush` units are summed in 16 bits.
struct HalfCodesU4 {
  static constexpr int lines = 1, steps = 2, flush = 4, flushSteps = 8;
  static void load(const uint8_t *block, int unit, int, int half, __m256i *raw) {
    raw[0] = loadHalfLine(block + unit * lineBytes + half * 32);
  }
  static __m256i extract(const __m256i *raw, int f) {
    return _mm256_and_si256(f ? _mm256_srli_epi16(raw[0], 4) : raw[0], _mm256_set1_epi8(0x0f));
  }
};

/// Field f of a half line of 2-bit codes, other bits left in place.
inline __m256i shiftedHalfU2(__m256i line, int f) {
  switch (f) {
  case 0:
    return line;
  case 1:
    return _mm256_srli_epi16(line, 2);
  case 2:
    return _mm256_srli_epi16(line, 4);
  default:
    return _mm256_srli_epi16(line, 6);
  }
}

struct HalfCodesU2 {
  static constexpr int lines = 1, steps = 4, flush = 2, flushSteps = 32;
  static void load(const uint8_t *block, int unit, int, int half, __m256i *raw) {
    raw[0] = loadHalfLine(block + unit * lineBytes + half * 32);
  }
  static __m256i extract(const __m256i *raw, int f) {
    return _mm256_and_si256(shiftedHalfU2(raw[0], f), _mm256_set1_epi8(0x03));
  }
};

struct HalfCodesU3 {
  static constexpr int lines = 3, steps = 8, flush = 1, flushSteps = 16;
  static void load(const uint8_t *block, int unit, int units, int half, __m256i *raw) {
    for (int line = 0; line < 3; ++line)
      raw[line] = loadHalfLine(block + (line * units + unit) * lineBytes + half * 32);
  }
  /// Bit f of the high plane at bit 2.
  static __m256i high(__m256i plane, int f) {
    switch (f) {
    case 0:
      return _mm256_slli_epi16(plane, 2);
    case 1:
      return _mm256_slli_epi16(plane, 1);
    case 2:
      return plane;
    case 3:
      return _mm256_srli_epi16(plane, 1);
    case 4:
      return _mm256_srli_epi16(plane, 2);
    case 5:
      return _mm256_srli_epi16(plane, 3);
    case 6:
      return _mm256_srli_epi16(plane, 4);
    default:
      return _mm256_srli_epi16(plane, 5);
    }
  }
  static __m256i extract(const __m256i *raw, int f) {
    return _mm256_or_si256(
        _mm256_and_si256(shiftedHalfU2(raw[f & 1], f / 2), _mm256_set1_epi8(0x03)),
        _mm256_and_si256(high(raw[2], f), _mm256_set1_epi8(0x04)));
  }
};

/// Integer dot products of 8 rows with one block, for the T tokens of a tile.
template <class Codes, int T, int Planes>
inline void halfDots(const uint8_t *data, int half, int block, const int32_t *values,
                     __m256i dot[T]) {
  constexpr int MV = T * Planes;
  const __m256i one = _mm256_set1_epi16(1);
  const int units = block / 4 / Codes::steps;
  __m256i wide[MV];
  QRT_FOR (v, MV)
    wide[v] = _mm256_setzero_si256();
  for (int first = 0; first < units; first += Codes::flush) {
    __m256i narrow[MV];
    QRT_FOR (v, MV)
      narrow[v] = _mm256_setzero_si256();
    QRT_FOR (i, Codes::flush) {
      __m256i raw[Codes::lines];
      Codes::load(data, first + i, units, half, raw);
      if (half == 0)
        for (int line = 0; line < Codes::lines; ++line)
          prefetchStream(data + ((first + i) * Codes::lines + line) * lineBytes);
      QRT_UNROLL(8)
      for (int f = 0; f < Codes::steps; ++f, values += MV) {
        __m256i codes = Codes::extract(raw, f);
        QRT_FOR (v, MV)
          narrow[v] = _mm256_add_epi16(narrow[v],
                                       _mm256_maddubs_epi16(codes, _mm256_set1_epi32(values[v])));
      }
    }
    QRT_FOR (v, MV)
      wide[v] = _mm256_add_epi32(wide[v], _mm256_madd_epi16(narrow[v], one));
  }
  QRT_FOR (t, T)
    dot[t] = Planes == 1 ? wide[t]
                         : _mm256_add_epi32(_mm256_slli_epi32(wide[t * Planes], 8),
                                            wide[t * Planes + Planes - 1]);
}

/// 8-bit codes: values are int16 pairs.
struct WideCodesU8 {};

template <class Codes, int T, int Planes>
  requires(__is_same(Codes, WideCodesU8))
inline void halfDots(const uint8_t *data, int half, int block, const int32_t *values,
                     __m256i dot[T]) {
  const __m256i mask = _mm256_set1_epi16(0x00ff);
  QRT_FOR (t, T)
    dot[t] = _mm256_setzero_si256();
  QRT_UNROLL(2)
  for (int step = 0; step < block / 4; ++step, values += 2 * T) {
    __m256i v = loadHalfLine(data + step * lineBytes + half * 32);
    if (half == 0)
      prefetchStream(data + step * lineBytes);
    __m256i even = _mm256_and_si256(v, mask), odd = _mm256_srli_epi16(v, 8);
    QRT_FOR (t, T) {
      __m256i low = _mm256_madd_epi16(even, _mm256_set1_epi32(values[2 * t]));
      __m256i high = _mm256_madd_epi16(odd, _mm256_set1_epi32(values[2 * t + 1]));
      dot[t] = _mm256_add_epi32(dot[t], _mm256_add_epi32(low, high));
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
    for (int h = 0; h < 2; ++h)
      halfDots<Codes, T, Planes>(data + block * g.blockBytes, h, g.block,
                                 values + block * blockWords, dot[h]);
    const int64_t group = panel * g.groups + (desc.groupSize ? block : 0);
    const uint8_t *scales = static_cast<const uint8_t *>(weight.scales) + group * scaleBytes;
    const float *inputScales = args.input.scales + token * g.blocks + block * T;
    const int32_t *sums = args.input.sums + token * g.blocks + block * T;
    QRT_FOR (h, 2) {
      __m256 scale = loadScalesAvx2(scales, desc.scaleType, h);
      __m256i zero = _mm256_set1_epi32(-1); // sums of symmetric codes are whole corrections
      if (!desc.symmetric)
        zero = _mm256_cvtepu8_epi32(_mm_loadl_epi64(
            reinterpret_cast<const __m128i *>(weight.zeroPoints + group * panelRows + h * 8)));
      QRT_FOR (t, T) {
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

/// A tile of `tokens`, at most T.
template <class Codes, int T, int Planes>
void computeTileAvx2(const PanelArgs &args, int64_t panel, int64_t token, int64_t tokens) {
  if (tokens == T)
    computeTokensAvx2<Codes, T, Planes>(args, panel, token);
  else if constexpr (T > 1)
    computeTileAvx2<Codes, T - 1, Planes>(args, panel, token, tokens);
}

template <class Codes, int T, int Planes>
void computeRangeAvx2(const PanelArgs &args, int64_t begin, int64_t end) {
  const int64_t m = args.linear->m, tile = args.input.form.tile;
  for (int64_t panel = begin; panel < end; ++panel)
    for (int64_t token = 0; token < m; token += tile)
      computeTileAvx2<Codes, T, Planes>(args, panel, token, m - token < tile ? m - token : tile);
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_LINEAR_PANELSAVX2_H
