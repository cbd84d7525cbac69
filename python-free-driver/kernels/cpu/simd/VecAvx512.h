//===- VecAvx512.h - sixteen floats on AVX-512 -------------------------------===//
//
// The vector type that generic kernels are instantiated with; VecAvx2.h is its twin. Static
// functions on plain registers, nothing else. max(a, b) returns b where a lane is NaN.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_SIMD_VECAVX512_H
#define QRT_KERNELS_CPU_SIMD_VECAVX512_H

#include "kernels/cpu/simd/VecAvx2.h"

#include <cstdint>

namespace qrt::kernels {
namespace {

struct VecAvx512 {
  using Type = __m512;
  using Mask = __mmask16;
  static constexpr int width = 16;

  static Type zero() { return _mm512_setzero_ps(); }
  static Type set1(float x) { return _mm512_set1_ps(x); }
  static Type load(const float *p) { return _mm512_loadu_ps(p); }
  static Type loadHalf(const uint16_t *p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(p)));
  }
  static Type loadBf16(const uint16_t *p) {
    __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
  }
  /// To the second-level cache; may point anywhere.
  static void prefetch(const void *p) {
    _mm_prefetch(reinterpret_cast<const char *>(p), _MM_HINT_T1);
  }
  static void store(float *p, Type x) { _mm512_storeu_ps(p, x); }

  static Type add(Type a, Type b) { return _mm512_add_ps(a, b); }
  static Type sub(Type a, Type b) { return _mm512_sub_ps(a, b); }
  static Type mul(Type a, Type b) { return _mm512_mul_ps(a, b); }
  static Type div(Type a, Type b) { return _mm512_div_ps(a, b); }
  static Type max(Type a, Type b) { return _mm512_max_ps(a, b); }
  static Type min(Type a, Type b) { return _mm512_min_ps(a, b); }
  /// a * b + c, rounded once.
  static Type fma(Type a, Type b, Type c) { return _mm512_fmadd_ps(a, b, c); }
  static Type abs(Type a) {
    return _mm512_castsi512_ps(
        _mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(0x7fffffff)));
  }

  /// Lanes i and i + Half, for i without that bit: their sum and their difference.
  template <int Half>
  static Type butterfly(Type x) {
    const Type swapped = Half == 1   ? _mm512_permute_ps(x, 0xb1)
                         : Half == 2 ? _mm512_permute_ps(x, 0x4e)
                         : Half == 4 ? _mm512_shuffle_f32x4(x, x, 0xb1)
                                     : _mm512_shuffle_f32x4(x, x, 0x4e);
    constexpr Mask upper = Half == 1 ? 0xaaaa : Half == 2 ? 0xcccc : Half == 4 ? 0xf0f0 : 0xff00;
    return _mm512_mask_sub_ps(_mm512_add_ps(swapped, x), upper, swapped, x);
  }

  static Mask less(Type a, Type b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static Type select(Mask m, Type yes, Type no) { return _mm512_mask_blend_ps(m, no, yes); }
  static bool any(Mask m) { return m != 0; }

  /// 2^n for n holding integers plus 1.5 * 2^23, -126 <= n <= 127.
  static Type exponent(Type shifted) {
    __m512i n = _mm512_add_epi32(_mm512_castps_si512(shifted), _mm512_set1_epi32(127));
    return _mm512_castsi512_ps(_mm512_slli_epi32(n, 23));
  }

  using Int = __m512i;
  static Int loadInt(const void *p) { return _mm512_loadu_si512(p); }
  static void storeInt(int32_t *p, Int x) { _mm512_storeu_si512(p, x); }
  static Int set1Int(int32_t x) { return _mm512_set1_epi32(x); }
  static Int shiftRight(Int x, int n) { return _mm512_srl_epi32(x, _mm_cvtsi32_si128(n)); }
  static Int shiftLeft(Int x, int n) { return _mm512_sll_epi32(x, _mm_cvtsi32_si128(n)); }
  static Int bitAnd(Int a, Int b) { return _mm512_and_si512(a, b); }
  static Int bitOr(Int a, Int b) { return _mm512_or_si512(a, b); }
  static Int subInt(Int a, Int b) { return _mm512_sub_epi32(a, b); }
  static Type toFloat(Int x) { return _mm512_cvtepi32_ps(x); }

  /// Pairs of bf16 numbers, each half widened; VecAvx512Bf16.h has them as they are.
  struct Pairs {
    Type even, odd;
  };
  using PairElement = float;
  static Pairs loadPairs(const void *p) {
    const Int x = loadInt(p), upper = set1Int(static_cast<int32_t>(0xffff0000));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(x, 16)), _mm512_castsi512_ps(bitAnd(x, upper))};
  }
  static Pairs set1Pair(const PairElement *p) { return {set1(p[0]), set1(p[1])}; }
  static Pairs keepEven(Pairs x) { return {x.even, zero()}; }
  static Pairs keepOdd(Pairs x) { return {zero(), x.odd}; }
  /// acc plus both products.
  static Type dotPairs(Type acc, Pairs a, Pairs b) {
    return fma(a.odd, b.odd, fma(a.even, b.even, acc));
  }
  /// Stores elements of pairs, rounded to nearest even; returns them rounded.
  static Type storeRounded(PairElement *p, Type x) {
    const Int bits = _mm512_castps_si512(x), one = set1Int(1);
    const Int odd = bitAnd(_mm512_srli_epi32(bits, 16), one);
    const Int up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, set1Int(0x7fff)));
    const Type y = _mm512_castsi512_ps(bitAnd(up, set1Int(static_cast<int32_t>(0xffff0000))));
    const Type rounded = select(less(abs(x), set1(__builtin_inff())), y, x);
    store(p, rounded);
    return rounded;
  }

  /// Bytes as floats.
  static Type loadBytes(const uint8_t *p) {
    return toFloat(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(p))));
  }
  /// Code n of both 16-bit halves of every lane; `mask` has the low Bits of each half.
  template <int Bits>
  static Int codes16(Int x, int n, Int mask) {
    switch (n * Bits) {
    case 0:
      return bitAnd(x, mask);
    case 4:
      return bitAnd(_mm512_srli_epi16(x, 4), mask);
    case 8:
      return Bits == 8 ? _mm512_srli_epi16(x, 8) : bitAnd(_mm512_srli_epi16(x, 8), mask);
    default:
      return _mm512_srli_epi16(x, 12);
    }
  }
  /// acc plus the products of both signed 16-bit halves.
  static Int dot16(Int acc, Int a, Int b) { return _mm512_dpwssd_epi32(acc, a, b); }
  /// Rounded to integers that fit 16 bits.
  static void storeInt16(int16_t *p, Type x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(p),
                        _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(x)));
  }
  static int32_t reduceAddInt(Int x) {
    return VecAvx2::reduceAddInt(
        _mm256_add_epi32(_mm512_castsi512_si256(x),
                         _mm256_castpd_si256(_mm512_extractf64x4_pd(_mm512_castsi512_pd(x), 1))));
  }

  /// Sum of the lanes in a fixed order (halves, then quarters, ...).
  static float reduceAdd(Type x) {
    return VecAvx2::reduceAdd(_mm256_add_ps(_mm512_castps512_ps256(x), upperHalf(x)));
  }
  /// NaN lanes may be lost.
  static float reduceMax(Type x) {
    return VecAvx2::reduceMax(_mm256_max_ps(_mm512_castps512_ps256(x), upperHalf(x)));
  }

private:
  static __m256 upperHalf(Type x) {
    return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1));
  }
};

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_SIMD_VECAVX512_H
