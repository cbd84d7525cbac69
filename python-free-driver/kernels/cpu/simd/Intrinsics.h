//===- Intrinsics.h - vector intrinsics, native or emulated ------------------===//
//
// Variant files include this instead of <immintrin.h>. With QRT_SIMDE defined (a test builds the
// AVX-512 files so, without their flags) SIMDe emulates what the processor lacks, and the few
// functions that SIMDe 0.7.4 does not know are written out below.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_SIMD_INTRINSICS_H
#define QRT_KERNELS_CPU_SIMD_INTRINSICS_H

/// The namespace of a variant: emulated copies live beside the native ones.
#if defined(QRT_SIMDE)
#define QRT_VARIANT(ns) simde_##ns
#else
#define QRT_VARIANT(ns) ns
#endif

/// QRT_UNROLL(n) before a loop unrolls it n times; QRT_FOR(i, n) is a loop over a small constant n,
/// unrolled whole: register tiles are arrays, which stay in registers only if every index is a
/// constant. Emulated copies are compiled faster without.
#if defined(QRT_SIMDE)
#define QRT_UNROLL(n)
#else
#define QRT_PRAGMA(text) _Pragma(#text)
#define QRT_UNROLL(n) QRT_PRAGMA(GCC unroll n)
#endif
#define QRT_FOR(i, n)                                                                              \
  QRT_UNROLL(16)                                                                                   \
  for (int i = 0; i < (n); ++i)

/// QRT_LOADED(vector): it is in a register from here on. Without it gcc 12 folds a load into each
/// of its uses, and 64-byte loads are what the streaming kernels have least of (one per cycle on
/// Zen 4).
#if defined(QRT_SIMDE)
#define QRT_LOADED(vector)
#else
#define QRT_LOADED(vector) asm("" : "+v"(vector))
#endif

#if !defined(QRT_SIMDE)

#include <immintrin.h>

#else

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx2.h>
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>

// SIMDe rounds the product where the processor has no FMA; kernels rely on one rounding.
#if !defined(__FMA__)
#undef _mm256_fmadd_ps
#undef _mm512_fmadd_ps
namespace {
inline __m256 _mm256_fmadd_ps(__m256 a, __m256 b, __m256 c) {
  alignas(32) float x[8], y[8], z[8];
  simde_mm256_store_ps(x, a);
  simde_mm256_store_ps(y, b);
  simde_mm256_store_ps(z, c);
  for (int i = 0; i < 8; ++i)
    z[i] = __builtin_fmaf(x[i], y[i], z[i]);
  return simde_mm256_load_ps(z);
}
inline __m512 _mm512_fmadd_ps(__m512 a, __m512 b, __m512 c) {
  alignas(64) float x[16], y[16], z[16];
  simde_mm512_storeu_ps(x, a);
  simde_mm512_storeu_ps(y, b);
  simde_mm512_storeu_ps(z, c);
  for (int i = 0; i < 16; ++i)
    z[i] = __builtin_fmaf(x[i], y[i], z[i]);
  return simde_mm512_loadu_ps(z);
}
} // namespace
#endif

#if !defined(__AVX512F__)
using __mmask16 = simde__mmask16;

namespace {
inline __m512 _mm512_cvtph_ps(__m256i x) {
  alignas(32) uint16_t half[16];
  alignas(64) float out[16];
  simde_mm256_store_si256(reinterpret_cast<simde__m256i *>(half), x);
  for (int i = 0; i < 16; i += 8) {
    simde__m128i part = simde_mm_loadu_si128(reinterpret_cast<const simde__m128i *>(half + i));
    simde_mm256_storeu_ps(out + i, simde_mm256_cvtph_ps(part));
  }
  return simde_mm512_loadu_ps(out);
}
inline __m512 _mm512_cvtepi32_ps(__m512i x) {
  alignas(64) int32_t in[16];
  alignas(64) float out[16];
  simde_mm512_storeu_si512(in, x);
  for (int i = 0; i < 16; ++i)
    out[i] = static_cast<float>(in[i]);
  return simde_mm512_loadu_ps(out);
}
inline __m512 _mm512_permute_ps(__m512 x, int order) {
  alignas(64) float in[16], out[16];
  simde_mm512_storeu_ps(in, x);
  for (int i = 0; i < 16; ++i)
    out[i] = in[i / 4 * 4 + (order >> i % 4 * 2 & 3)];
  return simde_mm512_loadu_ps(out);
}
inline __m512 _mm512_shuffle_f32x4(__m512 a, __m512 b, int order) {
  alignas(64) float low[16], high[16], out[16];
  simde_mm512_storeu_ps(low, a);
  simde_mm512_storeu_ps(high, b);
  for (int i = 0; i < 16; ++i) {
    const float *from = i < 8 ? low : high;
    out[i] = from[(order >> i / 4 * 2 & 3) * 4 + i % 4];
  }
  return simde_mm512_loadu_ps(out);
}
inline __m512i _mm512_srai_epi32(__m512i x, unsigned count) {
  alignas(64) int32_t lanes[16];
  simde_mm512_storeu_si512(lanes, x);
  for (int32_t &lane : lanes)
    lane >>= count;
  return simde_mm512_loadu_si512(lanes);
}
inline __m512i _mm512_cvtepu8_epi32(__m128i x) {
  alignas(16) uint8_t in[16];
  alignas(64) int32_t out[16];
  simde_mm_storeu_si128(reinterpret_cast<simde__m128i *>(in), x);
  for (int i = 0; i < 16; ++i)
    out[i] = in[i];
  return simde_mm512_loadu_si512(out);
}
inline __m512i _mm512_cvtps_epi32(__m512 x) {
  alignas(64) float in[16];
  alignas(64) int32_t out[16];
  simde_mm512_storeu_ps(in, x);
  for (int i = 0; i < 16; ++i)
    out[i] = static_cast<int32_t>(__builtin_nearbyintf(in[i]));
  return simde_mm512_loadu_si512(out);
}
inline __m256i _mm512_cvtepi32_epi16(__m512i x) {
  alignas(64) int32_t in[16];
  alignas(32) int16_t out[16];
  simde_mm512_storeu_si512(in, x);
  for (int i = 0; i < 16; ++i)
    out[i] = static_cast<int16_t>(in[i]);
  return simde_mm256_load_si256(reinterpret_cast<const simde__m256i *>(out));
}
inline __m256i _mm512_cvtneps_pbh(__m512 x) {
  alignas(64) uint32_t in[16];
  alignas(32) uint16_t out[16];
  simde_mm512_storeu_si512(in, simde_mm512_castps_si512(x));
  for (int i = 0; i < 16; ++i) {
    const bool nan = (in[i] & 0x7fffffff) > 0x7f800000;
    out[i] = static_cast<uint16_t>(nan ? in[i] >> 16 | 0x40
                                       : (in[i] + 0x7fff + (in[i] >> 16 & 1)) >> 16);
  }
  return simde_mm256_load_si256(reinterpret_cast<const simde__m256i *>(out));
}
inline __m512i _mm512_cvtepu16_epi32(__m256i x) {
  alignas(32) uint16_t in[16];
  alignas(64) int32_t out[16];
  simde_mm256_store_si256(reinterpret_cast<simde__m256i *>(in), x);
  for (int i = 0; i < 16; ++i)
    out[i] = in[i];
  return simde_mm512_loadu_si512(out);
}
} // namespace
#endif

#endif

#endif // QRT_KERNELS_CPU_SIMD_INTRINSICS_H
