//===- ThreadPool.cpp - persistent workers and a cheap barrier ---------------===//
//
// A decode step crosses a few hundred barriers, so waiting spins for some microseconds
// before it sleeps on a futex (std::atomic::wait). With more threads than processors
// spinning only steals time from the thread that is waited for: then nobody spins. Between
// the loops that stream weights the memory would rest: whoever spins fetches weights.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/threading/ThreadPool.h"

#include "Support/Processors.h"

#include <algorithm>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace qrt::kernels {

static constexpr int spinsBeforeSleep = 4000;

int ThreadPool::availableProcessors() { return qrt::availableProcessors(); }

/// What a waiting worker fetches at most: a part of the smallest second-level cache.
static constexpr size_t fetchBytes = 256 << 10;

void ThreadPool::Fetch::start(const Expected &expected, int worker, int workers) {
  what = expected;
  at = what.total / workers * worker / 64 * 64;
  end = std::min(what.total, at + std::min(fetchBytes, what.total / workers));
}

bool ThreadPool::Fetch::step() {
  if (at >= end)
    return false;
  size_t within = at;
  for (size_t i = 0; i < what.count; ++i) {
    if (within < what.parts[i].size()) {
      __builtin_prefetch(what.parts[i].data() + within, 0, 2);
      break;
    }
    within -= what.parts[i].size();
  }
  at += 64;
  return true;
}

void ThreadPool::waitOnce(Fetch &fetch) {
  if (fetch.step())
    return;
#if defined(__x86_64__)
  _mm_pause();
#endif
}

ThreadPool::ThreadPool(int threads) {
  int processors = availableProcessors();
  int count = threads > 0 ? threads : processors;
  spins = count <= processors ? spinsBeforeSleep : 0;
  shares = std::make_unique<Share[]>(count);
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

void ThreadPool::expect(std::span<const Bytes> parts) {
  following = {};
  for (Bytes part : parts.first(std::min(parts.size(), maxExpected))) {
    following.parts[following.count++] = part;
    following.total += part.size();
  }
}

void ThreadPool::runGrains(uint64_t first, uint64_t last, int worker) const {
  (*job.body)(int64_t(first) * job.grain, std::min(job.n, int64_t(last) * job.grain), worker);
}

/// Grains of worker `worker` of `parts`.
static std::pair<int64_t, int64_t> shareOf(int64_t grains, int64_t parts, int worker) {
  int64_t base = grains / parts, extra = grains % parts;
  int64_t first = worker * base + std::min<int64_t>(worker, extra);
  return {first, first + base + (worker < extra ? 1 : 0)};
}

void ThreadPool::runShare(int worker) {
  if (worker >= job.parts)
    return;
  if (job.balanced)
    return runBalanced(worker);
  auto [first, last] = shareOf((job.n + job.grain - 1) / job.grain, job.parts, worker);
  if (first < last)
    runGrains(first, last, worker);
}

static uint64_t packRange(uint64_t first, uint64_t last) { return first << 32 | last; }
static uint64_t firstOf(uint64_t range) { return range >> 32; }
static uint64_t lastOf(uint64_t range) { return range & 0xffffffff; }

/// Half of its own range at a time, from the front; then half of another's, from the back. Ranges
/// only shrink until they are empty, and only its owner refills one.
void ThreadPool::runBalanced(int worker) {
  std::atomic<uint64_t> &own = shares[worker].range;
  do {
    uint64_t range = own.load(std::memory_order_relaxed);
    while (firstOf(range) < lastOf(range)) {
      const uint64_t first = firstOf(range), last = lastOf(range);
      const uint64_t middle = first + (last - first + 1) / 2;
      if (!own.compare_exchange_weak(range, packRange(middle, last), std::memory_order_relaxed))
        continue;
      runGrains(first, middle, worker);
      range = own.load(std::memory_order_relaxed);
    }
  } while (takeOver(worker));
}

bool ThreadPool::takeOver(int worker) {
  for (int64_t i = 1; i < job.parts; ++i) {
    std::atomic<uint64_t> &other = shares[(worker + i) % job.parts].range;
    uint64_t range = other.load(std::memory_order_relaxed);
    while (firstOf(range) < lastOf(range)) {
      const uint64_t first = firstOf(range), last = lastOf(range);
      const uint64_t middle = last - (last - first + 1) / 2;
      if (!other.compare_exchange_weak(range, packRange(first, middle), std::memory_order_relaxed))
        continue;
      shares[worker].range.store(packRange(middle, last), std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

void ThreadPool::workerLoop(int worker) {
  uint32_t seen = 0, expectation = 0;
  Fetch fetch;
  while (true) {
    uint32_t now = epoch.load(std::memory_order_acquire);
    for (int i = 0; now == seen && i < spins; ++i) {
      waitOnce(fetch);
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
    // Copied while the caller waits: afterwards it may change.
    if (expectation != job.expectation) {
      expectation = job.expectation;
      fetch.start(expected, worker, size());
    }
    if (pending.fetch_sub(1, std::memory_order_acq_rel) == 1)
      pending.notify_one();
  }
}

void ThreadPool::parallelFor(int64_t n, int64_t grain, Body body) {
  start(n, std::max<int64_t>(1, grain), body, false);
}

void ThreadPool::parallelForBalanced(int64_t n, int64_t grain, Body body) {
  // Grains are counted in 32 bits.
  start(n, std::max({int64_t(1), grain, n >> 31}), body, true);
}

void ThreadPool::start(int64_t n, int64_t grain, const Body &body, bool balanced) {
  if (n <= 0)
    return;
  const int64_t grains = (n + grain - 1) / grain, parts = std::min<int64_t>(size(), grains);
  if (balanced) {
    expected = following;
    ++job.expectation;
  }
  if (parts == 1) {
    body(0, n, 0);
    return;
  }
  job.body = &body;
  job.n = n, job.grain = grain, job.parts = parts, job.balanced = balanced;
  if (balanced)
    for (int worker = 0; worker < parts; ++worker) {
      auto [first, last] = shareOf(grains, parts, worker);
      shares[worker].range.store(packRange(first, last), std::memory_order_relaxed);
    }
  pending.store(static_cast<int32_t>(workers.size()), std::memory_order_relaxed);
  epoch.fetch_add(1, std::memory_order_release);
  epoch.notify_all();
  runShare(0);
  finish();
}

void ThreadPool::finish() {
  if (callerExpectation != job.expectation) {
    callerExpectation = job.expectation;
    callerFetch.start(expected, 0, size());
  }
  int32_t left = pending.load(std::memory_order_acquire);
  for (int i = 0; left != 0 && i < spins; ++i) {
    waitOnce(callerFetch);
    left = pending.load(std::memory_order_acquire);
  }
  while (left != 0) {
    pending.wait(left, std::memory_order_acquire);
    left = pending.load(std::memory_order_acquire);
  }
}

} // namespace qrt::kernels
