//===- Support.cpp - memory, threads and the read probe of the benchmarks ------===//
//
// The probe reads with plain wide loads and the kernels' distance of prefetch.
//
//===----------------------------------------------------------------------===//

#include "kernels/bench/KernelBench.h"

#include <cstdlib>
#include <cstring>
#include <immintrin.h>
#include <random>
#include <sys/mman.h>
#include <time.h>

namespace qrt::kernels::bench {

ThreadPool &pool() {
  static const char *threads = std::getenv("QRT_BENCH_THREADS");
  static ThreadPool instance(threads ? std::atoi(threads) : 0);
  return instance;
}

double now() {
  timespec time;
  clock_gettime(pool().size() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

Memory::Memory(size_t size) : bytes(size) {
  base = static_cast<uint8_t *>(
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (base == MAP_FAILED)
    std::abort();
  madvise(base, size, MADV_HUGEPAGE);
  std::mt19937_64 random(1);
  for (size_t i = 0; i + 8 <= size; i += 8) {
    uint64_t word = random() & 0xbfffbfffbfffbfffu; // every 16-bit half is a finite f16
    std::memcpy(base + i, &word, 8);
  }
}

Memory::~Memory() { munmap(base, bytes); }

/// Reads [p, last) with the widest plain loads that every supported vector machine has.
__attribute__((target("avx2"))) static void readRange(const uint8_t *p, const uint8_t *last) {
  __m256i sum[8] = {};
  for (; p < last; p += 256) {
    _mm_prefetch(reinterpret_cast<const char *>(p + 4096), _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char *>(p + 4160), _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char *>(p + 4224), _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char *>(p + 4288), _MM_HINT_T0);
    for (int i = 0; i < 8; ++i)
      sum[i] =
          _mm256_xor_si256(sum[i], _mm256_load_si256(reinterpret_cast<const __m256i *>(p) + i));
  }
  for (int i = 1; i < 8; ++i)
    sum[0] = _mm256_xor_si256(sum[0], sum[i]);
  benchmark::DoNotOptimize(_mm256_extract_epi32(sum[0], 0));
}

void readAll(const uint8_t *data, size_t bytes) {
  pool().parallelFor(static_cast<int64_t>(bytes / 4096), 1, [&](int64_t begin, int64_t end, int) {
    readRange(data + begin * 4096, data + end * 4096);
  });
}

} // namespace qrt::kernels::bench
