//===- VecAvx512Bf16.h - AVX-512 with products of bf16 pairs -----------------===//
//
// VecAvx512.h, of which pairs of bf16 numbers stay what they are.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_SIMD_VECAVX512BF16_H
#define QRT_KERNELS_CPU_SIMD_VECAVX512BF16_H

#include "kernels/cpu/simd/VecAvx512.h"

namespace qrt::kernels {
namespace {

struct VecAvx512Bf16 : VecAvx512 {
  using Pairs = __m512i;
  using PairElement = uint16_t;
  static Pairs loadPairs(const void *p) { return loadInt(p); }
  static Pairs set1Pair(const PairElement *p) {
    int32_t word;
    __builtin_memcpy(&word, p, 4);
    return set1Int(word);
  }
  static Pairs keepEven(Pairs x) { return bitAnd(x, set1Int(0x0000ffff)); }
  static Pairs keepOdd(Pairs x) { return bitAnd(x, set1Int(static_cast<int32_t>(0xffff0000))); }
  static Type dotPairs(Type acc, Pairs a, Pairs b) {
    return _mm512_dpbf16_ps(acc, (__m512bh)a, (__m512bh)b);
  }
  static Type storeRounded(PairElement *p, Type x) {
    const __m256i rounded = (__m256i)_mm512_cvtneps_pbh(x);
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(p), rounded);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded), 16));
  }
};

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_SIMD_VECAVX512BF16_H
