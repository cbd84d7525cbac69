//===- PanelsAvx512.h - quantized linear on AVX-512 VNNI ---------------------===//
//
// A 64-byte line is one zmm of 16 rows x 4 k: vpdpbusd with a broadcast step of activations
// (unsigned codes, signed activations) accumulates 16 rows at once. A16 runs two planes through the
// same instruction: on Zen 5 that costs what bf16 products cost (half the int8 rate) and is 2^7
// times finer at the top of a block. See Layout.h for lines, steps and fields.
//
// Register tile: one panel x 16 words (tokens x planes). The codes of a step are extracted once for
// all words, and a broadcast of activations costs no more than the load that it is. 16
// accumulators, not 24: gcc 12 keeps these in registers, and 16 already cover the latency of
// vpdpbusd.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_LINEAR_PANELSAVX512_H
#define QRT_KERNELS_CPU_LINEAR_PANELSAVX512_H

#include "kernels/cpu/linear/Variants.h"
#include "kernels/cpu/simd/Intrinsics.h"

namespace qrt::kernels {
namespace {

/// Words (tokens x planes) per tile.
inline constexpr int tileWordsAvx512 = 16;

inline InputForm inputFormAvx512(WeightFormat format, Activation activation, int64_t m) {
  const int words = activation == Activation::A8 ? 1 : 2;
  return {balancedTile(m, tileWordsAvx512 / words), words, false, stepsPerUnit(format)};
}

/// Codes of few bits take so many instructions per line that the loads wait too long in the queue
/// for the hardware to run ahead.
inline void prefetchStream(const uint8_t *p) {
  _mm_prefetch(reinterpret_cast<const char *>(p + 4096), _MM_HINT_T0);
}

inline __m512i loadLine(const uint8_t *p) {
  return _mm512_loadu_si512(reinterpret_cast<const void *>(p));
}

// A codes policy reads `lines` lines per unit and extracts `steps` vectors of codes from them;
// vector f of unit u, of `units(block)`, is step f * units + u. `unroll` units are taken at once
// where a tile has too few accumulators to cover the latency of vpdpbusd; it divides units(32).
// inPlace() leaves a code where it lies in its byte, shiftOf(placeOf(f)) bits up, which saves
// shifts where there are registers to sum each of the `places` apart.
struct CodesU8 {
  static constexpr int lines = 1, steps = 1, unroll = 4, places = 1;
  static constexpr int placeOf(int) { return 0; }
  static constexpr int shiftOf(int) { return 0; }
  static __m512i inPlace(const __m512i *raw, int) { return raw[0]; }
  static void load(const uint8_t *block, int unit, int, __m512i *raw) {
    raw[0] = loadLine(block + unit * lineBytes);
  }
  static __m512i extract(const __m512i *raw, int) { return raw[0]; }
};

struct CodesU4 {
  static constexpr int lines = 1, steps = 2, unroll = 4, places = 2;
  static constexpr int placeOf(int f) { return f; }
  static constexpr int shiftOf(int place) { return 4 * place; }
  static __m512i inPlace(const __m512i *raw, int f) {
    return _mm512_and_si512(raw[0], _mm512_set1_epi8(static_cast<char>(f ? 0xf0 : 0x0f)));
  }
  static void load(const uint8_t *block, int unit, int, __m512i *raw) {
    raw[0] = loadLine(block + unit * lineBytes);
  }
  static __m512i extract(const __m512i *raw, int f) {
    return _mm512_and_si512(f ? _mm512_srli_epi16(raw[0], 4) : raw[0], _mm512_set1_epi8(0x0f));
  }
};

/// Field f of a line of 2-bit codes, other bits left in place.
inline __m512i shiftedU2(__m512i line, int f) {
  switch (f) {
  case 0:
    return line;
  case 1:
    return _mm512_srli_epi16(line, 2);
  case 2:
    return _mm512_srli_epi16(line, 4);
  default:
    return _mm512_srli_epi16(line, 6);
  }
}

struct CodesU2 {
  static constexpr int lines = 1, steps = 4, unroll = 2, places = 4;
  static constexpr int placeOf(int f) { return f; }
  static constexpr int shiftOf(int place) { return 2 * place; }
  static __m512i inPlace(const __m512i *raw, int f) {
    return _mm512_and_si512(raw[0], _mm512_set1_epi8(static_cast<char>(0x03 << 2 * f)));
  }
  static void load(const uint8_t *block, int unit, int, __m512i *raw) {
    raw[0] = loadLine(block + unit * lineBytes);
  }
  static __m512i extract(const __m512i *raw, int f) {
    return _mm512_and_si512(shiftedU2(raw[0], f), _mm512_set1_epi8(0x03));
  }
};

struct CodesU3 {
  static constexpr int lines = 3, steps = 8, unroll = 1, places = 3;
  static constexpr int placeOf(int f) { return f < 6 ? f / 2 : 2; }
  static constexpr int shiftOf(int place) { return 2 * place; }
  /// Low bits where they lie, those of fields 6 and 7 two further down; the high bit moved above.
  static __m512i inPlace(const __m512i *raw, int f) {
    const int shift = shiftOf(placeOf(f));
    const __m512i low = f < 6 ? raw[f & 1] : _mm512_srli_epi16(raw[f & 1], 2);
    const __m512i high = f == 6   ? raw[2]
                         : f == 7 ? _mm512_srli_epi16(raw[2], 1)
                         : f & 1  ? _mm512_slli_epi16(raw[2], 1)
                                  : _mm512_slli_epi16(raw[2], 2);
    const __m512i joined = _mm512_ternarylogic_epi32(
        _mm512_set1_epi8(static_cast<char>(0x03 << shift)), low, high, 0xca);
    return _mm512_and_si512(joined, _mm512_set1_epi8(static_cast<char>(0x07 << shift)));
  }
  static void load(const uint8_t *block, int unit, int units, __m512i *raw) {
    for (int line = 0; line < 3; ++line)
      raw[line] = loadLine(block + (line * units + unit) * lineBytes);
  }
  /// Bit f of the high plane at bit 2.
  static __m512i high(__m512i plane, int f) {
    switch (f) {
    case 0:
      return _mm512_slli_epi16(plane, 2);
    case 1:
      return _mm512_slli_epi16(plane, 1);
    case 2:
      return plane;
    case 3:
      return _mm512_srli_epi16(plane, 1);
    case 4:
      return _mm512_srli_epi16(plane, 2);
    case 5:
      return _mm512_srli_epi16(plane, 3);
    case 6:
      return _mm512_srli_epi16(plane, 4);
    default:
      return _mm512_srli_epi16(plane, 5);
    }
  }
  static __m512i extract(const __m512i *raw, int f) {
    // Selects by mask, then drops the bits of other fields: 0xca is a ? b : c.
    __m512i joined = _mm512_ternarylogic_epi32(_mm512_set1_epi8(0x03), shiftedU2(raw[f & 1], f / 2),
                                               high(raw[2], f), 0xca);
    return _mm512_and_si512(joined, _mm512_set1_epi8(0x07));
  }
};

/// What one register tile needs; filled once per call and advanced from tile to tile.
struct Tile {
  const uint8_t *data;       ///< first panel
  const uint8_t *scales;     ///< first panel's scales
  const uint8_t *zeroPoints; ///< first panel's zero points or null
  const int32_t *values;     ///< the token tile
  const float *inputScales;
  const int32_t *inputSums;
  const float *bias; ///< of the first row, or null
  float *dst;
  int64_t rows; ///< valid rows from the first on
};

inline __m512 loadScales(const uint8_t *at, ScaleType type) {
  if (type == ScaleType::F32)
    return _mm512_loadu_ps(reinterpret_cast<const float *>(at));
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(at)));
}

inline void storeRows(float *dst, __m512 value, int64_t rows) {
  if (rows >= panelRows) {
    _mm512_storeu_ps(dst, value);
    return;
  }
  alignas(64) float lanes[panelRows];
  _mm512_storeu_ps(lanes, value);
  for (int64_t i = 0; i < rows; ++i)
    dst[i] = lanes[i];
}

/// What was summed in place, exact since every sum is a multiple of its place.
template <class Codes, int Places, int Copies>
inline __m512i sumOfPlaces(const __m512i acc[Places][Copies]) {
  __m512i total = _mm512_setzero_si512();
  QRT_FOR (p, Places) {
    __m512i sum = acc[p][0];
    QRT_FOR (c, Copies - 1)
      sum = _mm512_add_epi32(sum, acc[p][c + 1]);
    total = p == 0 ? sum : _mm512_add_epi32(total, _mm512_srai_epi32(sum, Codes::shiftOf(p)));
  }
  return total;
}

template <class Codes, int T, int Planes>
void computeTile(const PanelArgs &args, const Tile &tile) {
  constexpr int MV = T * Planes;
  constexpr bool InPlace = MV * Codes::places <= tileWordsAvx512;
  constexpr int Places = InPlace ? Codes::places : 1;
  // Independent sums per accumulator where there are too few to cover the latency.
  constexpr int Wanted = (7 + MV * Places) / (MV * Places);
  constexpr int Copies = Wanted < Codes::unroll ? Wanted : Codes::unroll;
  constexpr int Unroll = Copies > 1 ? Codes::unroll : 1;
  const PanelGeometry &g = args.geometry;
  const WeightDesc &desc = args.linear->weight.desc;
  // A step is 64 codes.
  const int units = g.block / 4 / Codes::steps;
  const int64_t scaleBytes = panelRows * (desc.scaleType == ScaleType::F16 ? 2 : 4);
  const int64_t perGroup = desc.groupSize ? 1 : 0; // per channel: every block uses group 0
  const int32_t *values = tile.values;

  __m512 sum[T];
  QRT_FOR (t, T)
    sum[t] = _mm512_setzero_ps();

  for (int64_t block = 0; block < g.blocks; ++block) {
    const int32_t *sums = tile.inputSums + block * T;
    __m512i acc[MV][Places][Copies];
    QRT_FOR (v, MV)
      QRT_FOR (p, Places)
        QRT_FOR (c, Copies)
          acc[v][p][c] = _mm512_setzero_si512();
    // The correction of symmetric codes is a start value of the last plane.
    if (!tile.zeroPoints)
      QRT_FOR (t, T)
        acc[t * Planes + Planes - 1][0][0] = _mm512_set1_epi32(sums[t]);

    const uint8_t *data = tile.data + block * g.blockBytes;
    for (int unit = 0; unit < units; unit += Unroll)
      QRT_FOR (i, Unroll) {
        __m512i raw[Codes::lines];
        Codes::load(data, unit + i, units, raw);
        QRT_FOR (line, Codes::lines)
          QRT_LOADED(raw[line]);
        QRT_FOR (line, Codes::lines)
          prefetchStream(data + ((unit + i) * Codes::lines + line) * lineBytes);
        QRT_UNROLL(16)
        for (int f = 0; f < Codes::steps; ++f, values += MV) {
          const __m512i codes = InPlace ? Codes::inPlace(raw, f) : Codes::extract(raw, f);
          const int place = InPlace ? Codes::placeOf(f) : 0, copy = i % Copies;
          QRT_FOR (v, MV)
            acc[v][place][copy] =
                _mm512_dpbusd_epi32(acc[v][place][copy], codes, _mm512_set1_epi32(values[v]));
        }
      }

    const float *inputScales = tile.inputScales + block * T;
    const int64_t group = block * perGroup;
    const __m512 scale = loadScales(tile.scales + group * scaleBytes, desc.scaleType);
    __m512i zero = _mm512_setzero_si512();
    if (tile.zeroPoints)
      zero = _mm512_cvtepu8_epi32(
          _mm_loadu_si128(reinterpret_cast<const __m128i *>(tile.zeroPoints + group * panelRows)));
    QRT_FOR (t, T) {
      __m512i plane[Planes];
      QRT_FOR (i, Planes)
        plane[i] = sumOfPlaces<Codes, Places, Copies>(acc[t * Planes + i]);
      __m512i dot = plane[0];
      if constexpr (Planes == 2)
        dot = _mm512_add_epi32(_mm512_slli_epi32(plane[0], 8), plane[1]);
      if (tile.zeroPoints)
        dot = _mm512_sub_epi32(dot, _mm512_mullo_epi32(zero, _mm512_set1_epi32(sums[t])));
      const __m512 factor = _mm512_mul_ps(scale, _mm512_set1_ps(inputScales[t]));
      sum[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), factor, sum[t]);
    }
  }

  alignas(64) float bias[panelRows] = {};
  if (tile.bias)
    for (int64_t i = 0; i < panelRows && i < tile.rows; ++i)
      bias[i] = tile.bias[i];
  for (int t = 0; t < T; ++t) {
    __m512 result = tile.bias ? _mm512_add_ps(sum[t], _mm512_loadu_ps(bias)) : sum[t];
    storeRows(tile.dst + t * args.linear->dstStride, result, tile.rows);
  }
}

/// The tile of T tokens, T <= the form's tile, chosen at run time for the batch's last tile.
template <class Codes, int T, int Planes>
void computeTokens(const PanelArgs &args, const Tile &tile, int64_t tokens) {
  if (tokens == T)
    computeTile<Codes, T, Planes>(args, tile);
  else if constexpr (T > 1)
    computeTokens<Codes, T - 1, Planes>(args, tile, tokens);
}

/// The tokens [begin, end) of one panel; begin is a multiple of the form's tile.
template <class Codes, int Planes>
void computePanel(const PanelArgs &args, int64_t panel, int64_t begin, int64_t end) {
  const LinearArgs &linear = *args.linear;
  const WeightView &weight = linear.weight;
  const PanelGeometry &g = args.geometry;
  const int64_t scaleBytes = panelRows * (weight.desc.scaleType == ScaleType::F16 ? 2 : 4);
  const int64_t row = panel * panelRows;
  Tile tile;
  tile.data = static_cast<const uint8_t *>(weight.data) + panel * g.panelBytes;
  tile.scales = static_cast<const uint8_t *>(weight.scales) + panel * g.groups * scaleBytes;
  tile.zeroPoints =
      weight.desc.symmetric ? nullptr : weight.zeroPoints + panel * g.groups * panelRows;
  tile.bias = linear.bias ? linear.bias + row : nullptr;
  tile.rows = weight.desc.n - row;
  for (int64_t token = begin; token < end; token += args.input.form.tile) {
    const int64_t left = end - token;
    tile.values = args.input.values + token * (g.paddedK / 4) * Planes;
    tile.inputScales = args.input.scales + token * g.blocks;
    tile.inputSums = args.input.sums + token * g.blocks;
    tile.dst = linear.dst + token * linear.dstStride + row;
    computeTokens<Codes, tileWordsAvx512 / Planes, Planes>(
        args, tile, left < args.input.form.tile ? left : args.input.form.tile);
  }
}

template <class Codes, int Planes>
void computeRange(const PanelArgs &args, int64_t begin, int64_t end) {
  // A tile of activations stays in the first-level cache while a run of panels, which the second
  // level holds, streams by.
  constexpr int64_t runBytes = 128 << 10;
  const int64_t m = args.linear->m, block = tokensInCache(args), tile = args.input.form.tile;
  const int64_t fit = runBytes / args.geometry.panelBytes, run = fit > 1 ? fit : 1;
  for (int64_t first = 0; first < m; first += block) {
    const int64_t last = first + block < m ? first + block : m;
    for (int64_t panel = begin; panel < end; panel += run)
      for (int64_t token = first; token < last; token += tile)
        for (int64_t p = panel; p < end && p < panel + run; ++p)
          computePanel<Codes, Planes>(args, p, token, token + tile < last ? token + tile : last);
  }
}

template <class Codes>
void computePlanes(const PanelArgs &args, int64_t begin, int64_t end) {
  if (args.input.form.words == 1)
    computeRange<Codes, 1>(args, begin, end);
  else
    computeRange<Codes, 2>(args, begin, end);
}

void panelsAvx512(const PanelArgs &args, int64_t begin, int64_t end) {
  switch (args.linear->weight.desc.format) {
  case WeightFormat::U8:
    return computePlanes<CodesU8>(args, begin, end);
  case WeightFormat::U4:
    return computePlanes<CodesU4>(args, begin, end);
  case WeightFormat::U3:
    return computePlanes<CodesU3>(args, begin, end);
  case WeightFormat::U2:
    return computePlanes<CodesU2>(args, begin, end);
  default:
    return; // linear() sends dense formats elsewhere
  }
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_LINEAR_PANELSAVX512_H
