//===- KernelBench.h - what the kernel benchmarks share -----------------------===//
//
// Memory as a model has it, a read probe over it, timing. Environment: QRT_BENCH_THREADS (default:
// all processors).
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_BENCH_KERNELBENCH_H
#define QRT_KERNELS_BENCH_KERNELBENCH_H

#include "kernels/cpu/threading/ThreadPool.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

namespace qrt::kernels::bench {

ThreadPool &pool();

/// Anonymous memory with huge pages, filled with random codes, or with small finite numbers where
/// it will be read as floats.
class Memory {
public:
  explicit Memory(size_t size);
  ~Memory();
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;
  uint8_t *data() const { return base; }

private:
  uint8_t *base;
  size_t bytes;
};

/// Of the clock; with one thread, of its processor time, which other jobs disturb less.
double now();
double seconds(auto &&body) {
  const double start = now();
  body();
  return now() - start;
}

/// Reads everything once, split over the pool as the kernels split it.
void readAll(const uint8_t *data, size_t bytes);

void add(const std::string &name, auto function) {
  benchmark::RegisterBenchmark(name.c_str(), function)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

/// AttentionBench.cpp
void registerAttention();
/// HadamardBench.cpp
void registerHadamard();
/// SparseBench.cpp
void registerSparse();

} // namespace qrt::kernels::bench

#endif // QRT_KERNELS_BENCH_KERNELBENCH_H
