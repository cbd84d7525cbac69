//===- Probe.cpp - What the machine can do at this moment -------------------------------------===//
#include "Bench/Probe.h"

#include <algorithm>
#include <chrono>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace qrt::bench {
namespace {

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr int64_t sliceBytes = 64 * 1024;

#if defined(__x86_64__)
/// Plain 32-byte loads with the kernels' distance of prefetch. `last - p` is a multiple of 256.
__attribute__((target("avx2"))) uint64_t readWide(const uint8_t *p, const uint8_t *last) {
  __m256i sum[8] = {};
  for (; p < last; p += 256) {
    for (int line = 0; line < 4; ++line)
      _mm_prefetch(reinterpret_cast<const char *>(p + 4096 + 64 * line), _MM_HINT_T0);
    for (int i = 0; i < 8; ++i)
      sum[i] =
          _mm256_xor_si256(sum[i], _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p) + i));
  }
  for (int i = 1; i < 8; ++i)
    sum[0] = _mm256_xor_si256(sum[0], sum[i]);
  return static_cast<uint64_t>(_mm256_extract_epi64(sum[0], 0));
}
#endif

uint64_t readPlain(const uint8_t *p, const uint8_t *last) {
  uint64_t sum = 0;
  for (; p + 8 <= last; p += 8) {
    uint64_t word;
    __builtin_memcpy(&word, p, 8);
    sum ^= word;
  }
  return sum;
}

void readSlice(const uint8_t *p, const uint8_t *last) {
  uint64_t sum = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    const uint8_t *middle = p + (last - p) / 256 * 256;
    sum = readWide(p, middle);
    p = middle;
  }
#endif
  sum ^= readPlain(p, last);
  asm volatile("" : : "r"(sum)); // the sum counts as used
}

#if defined(__x86_64__)
// Twelve (AVX2: registers left for operands) or sixteen independent chains; zeros all the way,
// whose speed is that of other numbers.
#define QRT_REPEAT12(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define QRT_CLOBBERS                                                                               \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",         \
      "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc"

__attribute__((target("avx2,fma"))) void fmaAvx2(int64_t rounds) {
#define QRT_STEP(n) "vfmadd231ps %%ymm14, %%ymm15, %%ymm" #n "\n"
  asm volatile("vzeroall\n1:\n" QRT_REPEAT12(QRT_STEP) "dec %0\n jnz 1b\n vzeroupper\n"
               : "+r"(rounds)
               :
               : QRT_CLOBBERS);
#undef QRT_STEP
}

__attribute__((target("avx2"))) void int8Avx2(int64_t rounds) {
  // Accumulator n, product in n + 6.
#define QRT_PRODUCT(n, m) "vpmaddubsw %%ymm14, %%ymm15, %%ymm" #m "\n"
#define QRT_SUM(n, m) "vpaddw %%ymm" #m ", %%ymm" #n ", %%ymm" #n "\n"
#define QRT_PAIRS(X) X(0, 6) X(1, 7) X(2, 8) X(3, 9) X(4, 10) X(5, 11)
  asm volatile("vzeroall\n1:\n" QRT_PAIRS(QRT_PRODUCT) QRT_PAIRS(QRT_SUM) QRT_PAIRS(QRT_PRODUCT)
                   QRT_PAIRS(QRT_SUM) "dec %0\n jnz 1b\n vzeroupper\n"
               : "+r"(rounds)
               :
               : QRT_CLOBBERS);
#undef QRT_PRODUCT
#undef QRT_SUM
#undef QRT_PAIRS
}

#define QRT_WIDE_LOOP(name, features, instruction)                                                 \
  __attribute__((target(features))) void name(int64_t rounds) {                                    \
    asm volatile("vzeroall\n1:\n" QRT_REPEAT12(instruction) "dec %0\n jnz 1b\n vzeroupper\n"       \
                 : "+r"(rounds)                                                                    \
                 :                                                                                 \
                 : QRT_CLOBBERS);                                                                  \
  }
#define QRT_FMA(n) "vfmadd231ps %%zmm14, %%zmm15, %%zmm" #n "\n"
#define QRT_INT8(n) "vpdpbusd %%zmm14, %%zmm15, %%zmm" #n "\n"
#define QRT_BF16(n) "vdpbf16ps %%zmm14, %%zmm15, %%zmm" #n "\n"
QRT_WIDE_LOOP(fmaAvx512, "avx512f", QRT_FMA)
QRT_WIDE_LOOP(int8Avx512, "avx512f,avx512vnni", QRT_INT8)
QRT_WIDE_LOOP(bf16Avx512, "avx512f,avx512bf16", QRT_BF16)
#endif

struct Loop {
  void (*run)(int64_t rounds) = nullptr;
  double operations = 0; ///< per round
};

Loop loopOf(kernels::Isa isa, Arithmetic kind) {
#if defined(__x86_64__)
  using kernels::Isa;
  switch (kind) {
  case Arithmetic::F32:
    if (isa >= Isa::Avx512Vnni)
      return {fmaAvx512, 12 * 32};
    if (isa == Isa::Avx2)
      return {fmaAvx2, 12 * 16};
    break;
  case Arithmetic::Int8:
    if (isa >= Isa::Avx512Vnni)
      return {int8Avx512, 12 * 128};
    if (isa == Isa::Avx2)
      return {int8Avx2, 12 * 64};
    break;
  case Arithmetic::Bf16:
    if (isa == Isa::Avx512Bf16)
      return {bf16Avx512, 12 * 64};
    break;
  }
#endif
  return {};
}

} // namespace

double readSeconds(kernels::ThreadPool &pool, const std::vector<Bytes> &parts) {
  std::vector<Bytes> slices;
  for (Bytes part : parts)
    for (size_t at = 0; at < part.size(); at += sliceBytes)
      slices.push_back(part.subspan(at, std::min<size_t>(sliceBytes, part.size() - at)));
  const auto start = Clock::now();
  pool.parallelFor(static_cast<int64_t>(slices.size()), 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i)
      readSlice(slices[i].data(), slices[i].data() + slices[i].size());
  });
  return secondsSince(start);
}

const char *arithmeticName(Arithmetic kind) {
  return kind == Arithmetic::F32 ? "f32" : kind == Arithmetic::Bf16 ? "bf16" : "int8";
}

double operationsPerSecond(kernels::ThreadPool &pool, kernels::Isa isa, Arithmetic kind) {
  const Loop loop = loopOf(isa, kind);
  if (!loop.run)
    return 0;
  constexpr int64_t rounds = 400'000; // 3 to 10 ms
  const auto start = Clock::now();
  pool.parallelFor(pool.size(), 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i)
      loop.run(rounds);
  });
  return loop.operations * static_cast<double>(rounds * pool.size()) / secondsSince(start);
}

} // namespace qrt::bench
