//===- UnpackedAvx2.h - quantized linear on AVX2 for many tokens -------------===//
//
// Codes of at most 4 bits. The codes of one block of a panel are unpacked to bytes once (2 KB,
// first-level cache) and multiplied with a run of tokens: a step costs two loads of codes, and per
// word a broadcast and vpmaddubsw + vpaddw for each half line, which is all that the probe of `qrun
// bench` does. What is left is widening the 16-bit sums, a sixth. Sums over blocks live in memory
// beside the codes, in the order of the definition.
//
// Register tile: 16 rows x 6 words (tokens x planes): twelve sums, two codes, a broadcast, a
// product.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_LINEAR_UNPACKEDAVX2_H
#define QRT_KERNELS_CPU_LINEAR_UNPACKEDAVX2_H

#include "kernels/cpu/linear/PanelsAvx2.h"

namespace qrt::kernels {
namespace {

/// Tokens whose sums are kept at once.
inline constexpr int64_t unpackedTokens = 128;

/// One block of a panel as bytes, [step in the form's order][16 rows x 4 k].
struct UnpackedBlock {
  alignas(64) uint8_t codes[channelBlock * panelRows];
};

template <class Codes>
void unpackBlock(const uint8_t *data, int block, UnpackedBlock &out) {
  const int units = block / 4 / Codes::steps;
  for (int half = 0; half < 2; ++half) {
    uint8_t *to = out.codes + half * 32;
    for (int unit = 0; unit < units; ++unit) {
      __m256i raw[Codes::lines];
      Codes::load(data, unit, units, half, raw);
      if (half == 0)
        for (int line = 0; line < Codes::lines; ++line)
          prefetchStream(data + (unit * Codes::lines + line) * lineBytes);
      QRT_FOR (f, Codes::steps) {
        _mm256_store_si256(reinterpret_cast<__m256i *>(to), Codes::extract(raw, f));
        to += lineBytes;
      }
    }
  }
}

#if !defined(QRT_SIMDE)
// Written out: gcc 12 stores half of the twelve sums of the full tile to the stack in every step
// (190 instead of 300 Gop/s). Sums of the upper half line in ymm0 to 5, of the lower in ymm6 to 11.
#define QRT_WORD(at, u, l)                                                                         \
  "vpbroadcastd " #at "(%[values]), %%ymm14\n"                                                     \
  "vpmaddubsw %%ymm14, %%ymm12, %%ymm15\n"                                                         \
  "vpaddw %%ymm15, %%ymm" #u ", %%ymm" #u "\n"                                                     \
  "vpmaddubsw %%ymm14, %%ymm13, %%ymm14\n"                                                         \
  "vpaddw %%ymm14, %%ymm" #l ", %%ymm" #l "\n"
#define QRT_STEP(n)                                                                                \
  "vmovdqa 64*" #n "(%[codes]), %%ymm12\n"                                                         \
  "vmovdqa 64*" #n "+32(%[codes]), %%ymm13\n" QRT_WORD(24 * n, 0, 6) QRT_WORD(24 * n + 4, 1, 7)    \
      QRT_WORD(24 * n + 8, 2, 8) QRT_WORD(24 * n + 12, 3, 9) QRT_WORD(24 * n + 16, 4, 10)          \
          QRT_WORD(24 * n + 20, 5, 11)
#define QRT_ZERO(n) "vpxor %%ymm" #n ", %%ymm" #n ", %%ymm" #n "\n"
#define QRT_WIDEN(n)                                                                               \
  "vpmaddwd %%ymm12, %%ymm" #n ", %%ymm" #n "\n"                                                   \
  "vpaddd 32*" #n "(%[dot]), %%ymm" #n ", %%ymm" #n "\n"                                           \
  "vmovdqa %%ymm" #n ", 32*" #n "(%[dot])\n"
#define QRT_EIGHT(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define QRT_TWELVE(X) QRT_EIGHT(X) X(8) X(9) X(10) X(11)

/// Eight steps `eights` times, which fit 16 bits, of a tile of 6 words, the results added to dot.
inline void sixWords(const uint8_t *codes, const int32_t *values, int64_t eights,
                     __m256i dot[2][6]) {
  // clang-format off
  asm volatile(QRT_TWELVE(QRT_ZERO)
               "1:\n"
               QRT_EIGHT(QRT_STEP)
               "add $512, %[codes]\n"
               "add $192, %[values]\n"
               "dec %[eights]\n"
               "jnz 1b\n"
               "vpcmpeqw %%ymm12, %%ymm12, %%ymm12\n"
               "vpsrlw $15, %%ymm12, %%ymm12\n" // ones
               QRT_TWELVE(QRT_WIDEN)
               : [codes] "+r"(codes), [values] "+r"(values), [eights] "+r"(eights)
               : [dot] "r"(dot)
               : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                 "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  // clang-format on
}
#undef QRT_STEP
#undef QRT_EIGHT
#undef QRT_WORD
#undef QRT_ZERO
#undef QRT_WIDEN
#undef QRT_TWELVE
#endif

/// dot[h][w] += the products of one block's codes, half line h, with word w of each step. `flush`
/// steps fit 16 bits.
template <int W>
inline void multiplySteps(const UnpackedBlock &block, int steps, int flush, const int32_t *values,
                          __m256i dot[2][W]) {
  const __m256i one = _mm256_set1_epi16(1);
  const uint8_t *codes = block.codes;
  for (int first = 0; first < steps; first += flush) {
    const int count = flush < steps - first ? flush : steps - first;
#if !defined(QRT_SIMDE)
    if constexpr (W == 6) {
      sixWords(codes, values, count / 8, dot);
      codes += count * lineBytes;
      values += count * W;
      continue;
    }
#endif
    // One half line at a time: its sums and products fit the registers.
    QRT_FOR (h, 2) {
      __m256i narrow[W];
      QRT_FOR (w, W)
        narrow[w] = _mm256_setzero_si256();
      for (int step = 0; step < count; ++step) {
        const __m256i line =
            _mm256_load_si256(reinterpret_cast<const __m256i *>(codes + step * lineBytes + h * 32));
        QRT_FOR (w, W)
          narrow[w] = _mm256_add_epi16(
              narrow[w], _mm256_maddubs_epi16(line, _mm256_set1_epi32(values[step * W + w])));
      }
      QRT_FOR (w, W)
        dot[h][w] = _mm256_add_epi32(dot[h][w], _mm256_madd_epi16(narrow[w], one));
    }
    codes += count * lineBytes;
    values += count * W;
  }
}

/// What the tiles of one block of a panel share.
struct UnpackedArgs {
  const PanelArgs *panels;
  const UnpackedBlock *codes;
  int64_t block;
  int flush;
  __m256 scale[2];
  __m256i zero[2]; ///< zero points, unused where symmetric
};

/// sums[T][16] += the products of one block with the T tokens of the tile at `token`.
template <int T, int Planes>
void multiplyTile(const UnpackedArgs &args, int64_t token, float *sums) {
  constexpr int W = T * Planes;
  const PanelGeometry &g = args.panels->geometry;
  const IntegerInput &input = args.panels->input;
  const bool symmetric = args.panels->linear->weight.desc.symmetric;
  const int steps = g.block / 4;
  const int32_t *values =
      input.values + (token * (g.paddedK / 4) + args.block * steps * T) * Planes;
  const float *inputScales = input.scales + token * g.blocks + args.block * T;
  const int32_t *inputSums = input.sums + token * g.blocks + args.block * T;
  __m256i dot[2][W];
  QRT_FOR (h, 2)
    QRT_FOR (w, W)
      // The correction of symmetric codes is a start value of the last plane.
      dot[h][w] = symmetric && w % Planes == Planes - 1 ? _mm256_set1_epi32(inputSums[w / Planes])
                                                        : _mm256_setzero_si256();
  multiplySteps<W>(*args.codes, steps, args.flush, values, dot);
  QRT_FOR (t, T)
    QRT_FOR (h, 2) {
      __m256i exact = dot[h][t * Planes];
      if constexpr (Planes == 2)
        exact = _mm256_add_epi32(_mm256_slli_epi32(exact, 8), dot[h][t * Planes + 1]);
      if (!symmetric)
        exact = _mm256_sub_epi32(exact,
                                 _mm256_mullo_epi32(args.zero[h], _mm256_set1_epi32(inputSums[t])));
      float *sum = sums + t * panelRows + h * 8;
      const __m256 factor = _mm256_mul_ps(args.scale[h], _mm256_set1_ps(inputScales[t]));
      _mm256_store_ps(sum, _mm256_fmadd_ps(_mm256_cvtepi32_ps(exact), factor, _mm256_load_ps(sum)));
    }
}

template <int T, int Planes>
void multiplyTokens(const UnpackedArgs &args, int64_t token, int64_t tokens, float *sums) {
  if (tokens == T)
    multiplyTile<T, Planes>(args, token, sums);
  else if constexpr (T > 1)
    multiplyTokens<T - 1, Planes>(args, token, tokens, sums);
}

/// Adds the bias and stores rows of `count` tokens.
inline void storeSums(const LinearArgs &linear, int64_t row, int64_t token, int64_t count,
                      const float *sums) {
  const int64_t left = linear.weight.desc.n - row;
  const int rows = static_cast<int>(left < panelRows ? left : panelRows);
  for (int64_t t = 0; t < count; ++t, sums += panelRows) {
    float *dst = linear.dst + (token + t) * linear.dstStride + row;
    if (rows == panelRows && !linear.bias) {
      _mm256_storeu_ps(dst, _mm256_load_ps(sums));
      _mm256_storeu_ps(dst + 8, _mm256_load_ps(sums + 8));
      continue;
    }
    for (int i = 0; i < rows; ++i)
      dst[i] = linear.bias ? sums[i] + linear.bias[row + i] : sums[i];
  }
}

/// The tokens [begin, end), at most unpackedTokens, of one panel.
template <class Codes, int Planes>
void unpackedPanel(const PanelArgs &args, int64_t panel, int64_t begin, int64_t end) {
  const WeightView &weight = args.linear->weight;
  const WeightDesc &desc = weight.desc;
  const PanelGeometry &g = args.geometry;
  const int64_t scaleBytes = panelRows * (desc.scaleType == ScaleType::F16 ? 2 : 4);
  const uint8_t *data = static_cast<const uint8_t *>(weight.data) + panel * g.panelBytes;
  alignas(64) float sums[unpackedTokens * panelRows] = {};
  UnpackedBlock codes;
  UnpackedArgs shared = {&args, &codes, 0, Codes::flushSteps, {}, {}};
  for (int64_t block = 0; block < g.blocks; ++block) {
    unpackBlock<Codes>(data + block * g.blockBytes, g.block, codes);
    const int64_t group = panel * g.groups + (desc.groupSize ? block : 0);
    shared.block = block;
    for (int h = 0; h < 2; ++h) {
      shared.scale[h] = loadScalesAvx2(
          static_cast<const uint8_t *>(weight.scales) + group * scaleBytes, desc.scaleType, h);
      if (!desc.symmetric)
        shared.zero[h] = _mm256_cvtepu8_epi32(_mm_loadl_epi64(
            reinterpret_cast<const __m128i *>(weight.zeroPoints + group * panelRows + h * 8)));
    }
    const int64_t tile = args.input.form.tile;
    for (int64_t token = begin; token < end; token += tile)
      multiplyTokens<tileWordsAvx2 / Planes, Planes>(shared, token,
                                                     end - token < tile ? end - token : tile,
                                                     sums + (token - begin) * panelRows);
  }
  storeSums(*args.linear, panel * panelRows, begin, end - begin, sums);
}

template <class Codes, int Planes>
void unpackedRange(const PanelArgs &args, int64_t begin, int64_t end) {
  const int64_t m = args.linear->m, tile = args.input.form.tile, cached = tokensInCache(args);
  const int64_t most = unpackedTokens / tile * tile, run = cached < most ? cached : most;
  for (int64_t token = 0; token < m; token += run)
    for (int64_t panel = begin; panel < end; ++panel)
      unpackedPanel<Codes, Planes>(args, panel, token, token + run < m ? token + run : m);
}

template <class Codes>
void computePlanesAvx2(const PanelArgs &args, int64_t begin, int64_t end) {
  const InputForm &form = args.input.form;
  const bool unpacked =
      args.linear->m >= unpackedFromTokens(args.linear->weight.desc.format, form.words);
  if (form.words == 1 && unpacked)
    unpackedRange<Codes, 1>(args, begin, end);
  else if (unpacked)
    unpackedRange<Codes, 2>(args, begin, end);
  else if (form.words == 1)
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

#endif // QRT_KERNELS_CPU_LINEAR_UNPACKEDAVX2_H
