//===- VecAvx2.h - eight floats on AVX2 with FMA and F16C --------------------===//
//
// The twin of VecAvx512.h.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_SIMD_VECAVX2_H
#define QRT_KERNELS_CPU_SIMD_VECAVX2_H

#include "kernels/cpu/simd/Intrinsics.h"

#include <cstdint>

namespace qrt::kernels {
namespace {

struct VecAvx2 {
  using Type = __m256;
  using Mask = __m256;
  static constexpr int width = 8;

  static Type zero() { return _mm256_setzero_ps(); }
  static Type set1(float x) { return _mm256_set1_ps(x); }
  static Type load(const float *p) { return _mm256_loadu_ps(p); }
  static Type loadHalf(const uint16_t *p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(p)));
  }
  static Type loadBf16(const uint16_t *p) {
    __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i *>(p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
  }
  /// To the second-level cache; may point anywhere.
  static void prefetch(const void *p) {
    _mm_prefetch(reinterpret_cast<const char *>(p), _MM_HINT_T1);
  }
  static void store(float *p, Type x) { _mm256_storeu_ps(p, x); }

  static Type add(Type a, Type b) { return _mm256_add_ps(a, b); }
  static Type sub(Type a, Type b) { return _mm256_sub_ps(a, b); }
  static Type mul(Type a, Type b) { return _mm256_mul_ps(a, b); }
  static Type div(Type a, Type b) { return _mm256_div_ps(a, b); }
  static Type max(Type a, Type b) { return _mm256_max_ps(a, b); }
  static Type min(Type a, Type b) { return _mm256_min_ps(a, b); }
  static Type fma(Type a, Type b, Type c) { return _mm256_fmadd_ps(a, b, c); }
  static Type abs(Type a) {
    return _mm256_and_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff)));
  }

  template <int Half>
  static Type butterfly(Type x) {
    const Type swapped = Half == 1   ? _mm256_permute_ps(x, 0xb1)
                         : Half == 2 ? _mm256_permute_ps(x, 0x4e)
                                     : _mm256_permute2f128_ps(x, x, 1);
    const Type signs =
        Half == 1   ? _mm256_setr_ps(0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f)
        : Half == 2 ? _mm256_setr_ps(0.0f, 0.0f, -0.0f, -0.0f, 0.0f, 0.0f, -0.0f, -0.0f)
                    : _mm256_setr_ps(0.0f, 0.0f, 0.0f, 0.0f, -0.0f, -0.0f, -0.0f, -0.0f);
    return _mm256_add_ps(swapped, _mm256_xor_ps(x, signs));
  }

  static Mask less(Type a, Type b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static Type select(Mask m, Type yes, Type no) { return _mm256_blendv_ps(no, yes, m); }
  static bool any(Mask m) { return _mm256_movemask_ps(m) != 0; }

  static Type exponent(Type shifted) {
    __m256i n = _mm256_add_epi32(_mm256_castps_si256(shifted), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(n, 23));
  }

  using Int = __m256i;
  static Int loadInt(const void *p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p));
  }
  static void storeInt(int32_t *p, Int x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(p), x);
  }
  static Int set1Int(int32_t x) { return _mm256_set1_epi32(x); }
  static Int shiftRight(Int x, int n) { return _mm256_srl_epi32(x, _mm_cvtsi32_si128(n)); }
  static Int shiftLeft(Int x, int n) { return _mm256_sll_epi32(x, _mm_cvtsi32_si128(n)); }
  static Int bitAnd(Int a, Int b) { return _mm256_and_si256(a, b); }
  static Int bitOr(Int a, Int b) { return _mm256_or_si256(a, b); }
  static Int subInt(Int a, Int b) { return _mm256_sub_epi32(a, b); }
  static Type toFloat(Int x) { return _mm256_cvtepi32_ps(x); }

  struct Pairs {
    Type even, odd;
  };
  using PairElement = float;
  static Pairs loadPairs(const void *p) {
    const Int x = loadInt(p), upper = set1Int(static_cast<int32_t>(0xffff0000));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(x, 16)), _mm256_castsi256_ps(bitAnd(x, upper))};
  }
  static Pairs set1Pair(const PairElement *p) { return {set1(p[0]), set1(p[1])}; }
  static Pairs keepEven(Pairs x) { return {x.even, zero()}; }
  static Pairs keepOdd(Pairs x) { return {zero(), x.odd}; }
  static Type dotPairs(Type acc, Pairs a, Pairs b) {
    return fma(a.odd, b.odd, fma(a.even, b.even, acc));
  }
  static Type storeRounded(PairElement *p, Type x) {
    const Int bits = _mm256_castps_si256(x), one = set1Int(1);
    const Int odd = bitAnd(_mm256_srli_epi32(bits, 16), one);
    const Int up = _mm256_add_epi32(bits, _mm256_add_epi32(odd, set1Int(0x7fff)));
    const Type y = _mm256_castsi256_ps(bitAnd(up, set1Int(static_cast<int32_t>(0xffff0000))));
    const Type rounded = select(less(abs(x), set1(__builtin_inff())), y, x);
    store(p, rounded);
    return rounded;
  }

  static Type loadBytes(const uint8_t *p) {
    return toFloat(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(p))));
  }
  template <int Bits>
  static Int codes16(Int x, int n, Int mask) {
    switch (n * Bits) {
    case 0:
      return bitAnd(x, mask);
    case 4:
      return bitAnd(_mm256_srli_epi16(x, 4), mask);
    case 8:
      return Bits == 8 ? _mm256_srli_epi16(x, 8) : bitAnd(_mm256_srli_epi16(x, 8), mask);
    default:
      return _mm256_srli_epi16(x, 12);
    }
  }
  static Int dot16(Int acc, Int a, Int b) { return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b)); }
  static void storeInt16(int16_t *p, Type x) {
    __m256i n = _mm256_cvtps_epi32(x);
    _mm_storeu_si128(reinterpret_cast<__m128i *>(p),
                     _mm_packs_epi32(_mm256_castsi256_si128(n), _mm256_extracti128_si256(n, 1)));
  }
  static int32_t reduceAddInt(Int x) {
    __m128i quarter = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    __m128i pair = _mm_add_epi32(quarter, _mm_shuffle_epi32(quarter, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32(pair, 0xb1)));
  }

  static float reduceAdd(Type x) {
    __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_shuffle_ps(pair, pair, 1)));
  }
  static float reduceMax(Type x) {
    __m128 quarter = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 pair = _mm_max_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_max_ss(pair, _mm_shuffle_ps(pair, pair, 1)));
  }
};

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_SIMD_VECAVX2_H
