//===- ThreadPool.cpp - persistent workers and a cheap barrier ---------------===//
//
// A decode step crosses a few hundred barriers, so waiting spins for some microseconds
// before it sleeps on a futex (std::atomic::wait). With more threads than processors
// spinning only steals time from the thread that is waited for: then nobody spins.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/threading/ThreadPool.h"

#include "Support/Processors.h"

#include <algorithm>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace qrt::kernels {

static constexpr int spinsBeforeSleep = 4000;

int ThreadPool::availableProcessors() { return qrt::availableProcessors(); }

void ThreadPool::pauseOnce() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

ThreadPool::ThreadPool(int threads) {
  int processors = availableProcessors();
  int count = threads > 0 ? threads : processors;
  spins = count <= processors ? spinsBeforeSleep : 0;
  workers.reserve(count - 1);
  for (int worker = 1; worker < count; ++worker)
    workers.emplace_back([this, worker] { workerLoop(worker); });
}

ThreadPool::~ThreadPool() {
  stopping.store(true, std::memory_order_relaxed);
  epoch.fetch_add(1, std::memory_order_release);
  epoch.notify_all();
  for (std::thread &worker : workers)
    worker.join();
}

void ThreadPool::runShare(int worker) const {
  int64_t grains = (job.n + job.grain - 1) / job.grain;
  int64_t base = grains / job.parts, extra = grains % job.parts;
  if (worker >= job.parts)
    return;
  int64_t first = worker * base + std::min<int64_t>(worker, extra);
  int64_t count = base + (worker < extra ? 1 : 0);
  if (count > 0)
    (*job.body)(first *job.grain, std::min(job.n, (first + count) * job.grain), worker);
}

void ThreadPool::workerLoop(int worker) {
  uint32_t seen = 0;
  while (true) {
    uint32_t now = epoch.load(std::memory_order_acquire);
    for (int i = 0; now == seen && i < spins; ++i) {
      pauseOnce();
      now = epoch.load(std::memory_order_acquire);
    }
    while (now == seen) {
      epoch.wait(seen, std::memory_order_acquire);
      now = epoch.load(std::memory_order_acquire);
    }
    seen = now;
    if (stopping.load(std::memory_order_relaxed))
      return;
    runShare(worker);
    if (pending.fetch_sub(1, std::memory_order_acq_rel) == 1)
      pending.notify_one();
  }
}

void ThreadPool::parallelFor(int64_t n, int64_t grain, Body body) {
  if (n <= 0)
    return;
  grain = std::max<int64_t>(1, grain);
  int64_t parts = std::min<int64_t>(size(), (n + grain - 1) / grain);
  if (parts == 1) {
    body(0, n, 0);
    return;
  }
  job = {&body, n, grain, parts};
  pending.store(static_cast<int32_t>(workers.size()), std::memory_order_relaxed);
  epoch.fetch_add(1, std::memory_order_release);
  epoch.notify_all();
  runShare(0);
  int32_t left = pending.load(std::memory_order_acquire);
  for (int i = 0; left != 0 && i < spins; ++i) {
    pauseOnce();
    left = pending.load(std::memory_order_acquire);
  }
  while (left != 0) {
    pending.wait(left, std::memory_order_acquire);
    left = pending.load(std::memory_order_acquire);
  }
}

} // namespace qrt::kernels
