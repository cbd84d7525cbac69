//===- VecAvx512.h - sixteen floats on AVX-512 -------------------------------===//
//
// The vector type that generic kernels are instantiated with; VecAvx2.h is its twin. Static
// functions on plain registers, nothing else. max(a, b) returns b where a lane is NaN.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_SIMD_VECAVX512_H
#define QRT_KERNELS_CPU_SIMD_VECAVX512_H

#include "kernels/cpu/simd/Intrinsics.h"

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
  /// May point anywhere.
  static void prefetch(const void *p) {
    _mm_prefetch(reinterpret_cast<const char *>(p), _MM_HINT_T0);
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

  static Mask less(Type a, Type b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static Type select(Mask m, Type yes, Type no) { return _mm512_mask_blend_ps(m, no, yes); }

  /// 2^n for n holding integers plus 1.5 * 2^23, -126 <= n <= 127.
  static Type exponent(Type shifted) {
    __m512i n = _mm512_add_epi32(_mm512_castps_si512(shifted), _mm512_set1_epi32(127));
    return _mm512_castsi512_ps(_mm512_slli_epi32(n, 23));
  }

  using Int = __m512i;
  static Int loadInt(const void *p) { return _mm512_loadu_si512(p); }
  static Int set1Int(int32_t x) { return _mm512_set1_epi32(x); }
  static Int shiftRight(Int x, int n) { return _mm512_srl_epi32(x, _mm_cvtsi32_si128(n)); }
  static Int shiftLeft(Int x, int n) { return _mm512_sll_epi32(x, _mm_cvtsi32_si128(n)); }
  static Int bitAnd(Int a, Int b) { return _mm512_and_si512(a, b); }
  static Int bitOr(Int a, Int b) { return _mm512_or_si512(a, b); }
  static Int subInt(Int a, Int b) { return _mm512_sub_epi32(a, b); }
  static Type toFloat(Int x) { return _mm512_cvtepi32_ps(x); }

  /// Sum of the lanes in a fixed order (halves, then quarters, ...).
  static float reduceAdd(Type x) {
    __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1));
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256(x), high);
    __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    __m128 pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_shuffle_ps(pair, pair, 1)));
  }
  static float reduceMax(Type x) {
    alignas(64) float lane[16];
    store(lane, x);
    for (int step = 8; step; step /= 2)
      for (int i = 0; i < step; ++i)
        lane[i] = lane[i] > lane[i + step] ? lane[i] : lane[i + step];
    return lane[0];
  }
};

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_SIMD_VECAVX512_H
