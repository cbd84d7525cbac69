//===- ThreadPool.h - persistent workers and a cheap barrier -----------------===//
//
// The one thread pool of the runtime. Work is split statically into contiguous ranges,
// so a worker touches the same weights in every step (first touch, cache, NUMA). A
// kernel must compute every output element in an order that does not depend on the
// split: then results are the same for any number of threads.
//
// One caller at a time: parallelFor must not be called from two threads at once nor
// from inside its own body.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_THREADING_THREADPOOL_H
#define QRT_KERNELS_CPU_THREADING_THREADPOOL_H

#include "kernels/cpu/threading/FunctionRef.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace qrt::kernels {

class ThreadPool {
public:
  /// Starts threads - 1 workers; the caller of parallelFor is worker 0. 0 or less means one
  /// thread per processor that this process may run on.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  int size() const { return static_cast<int>(workers.size()) + 1; }

  using Body = FunctionRef<void(int64_t begin, int64_t end, int worker)>;

  /// Calls body on disjoint ranges that cover [0, n), at most one per worker, each a multiple of
  /// `grain` long except the last; returns when all are done. With at most one grain of work the
  /// caller does it alone.
  void parallelFor(int64_t n, int64_t grain, Body body);

  /// Processors this process may run on.
  static int availableProcessors();

private:
  void workerLoop(int worker);
  void runShare(int worker) const;
  static void pauseOnce();

  struct Job {
    const Body *body = nullptr;
    int64_t n = 0, grain = 1, parts = 1;
  } job;
  alignas(64) std::atomic<uint32_t> epoch{0};
  alignas(64) std::atomic<int32_t> pending{0};
  std::atomic<bool> stopping{false};
  int spins;
  std::vector<std::thread> workers;
};

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_THREADING_THREADPOOL_H
