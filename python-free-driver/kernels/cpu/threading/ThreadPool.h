//===- ThreadPool.h - persistent workers and a cheap barrier -----------------===//
//
// The one thread pool of the runtime. Work is split into contiguous ranges, the same in
// every step, so a worker touches the same weights (first touch, cache, NUMA); of a balanced
// loop it may take over the end of another's range. A kernel must compute every output
// element in an order that does not depend on the split: then results are the same for any
// number of threads.
//
// One caller at a time: parallelFor must not be called from two threads at once nor
// from inside its own body.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_THREADING_THREADPOOL_H
#define QRT_KERNELS_CPU_THREADING_THREADPOOL_H

#include "kernels/cpu/threading/FunctionRef.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
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

  /// The same for long loops: whoever is done takes half of what another has left, so that all end
  /// together. Calls body several times per worker.
  void parallelForBalanced(int64_t n, int64_t grain, Body body);

  using Bytes = std::span<const std::byte>;
  static constexpr size_t maxExpected = 8;
  /// What the balanced loop after the next one will stream, up to maxExpected parts in their order:
  /// from the end of the next one on, waiting workers fetch the beginning of their ranges of it.
  /// Parts may be gone by then: an address that is not mapped is not fetched. Empty: nothing.
  void expect(std::span<const Bytes> parts);

  /// Processors this process may run on.
  static int availableProcessors();

private:
  struct Expected {
    std::array<Bytes, maxExpected> parts;
    size_t count = 0, total = 0; ///< parts, their bytes
  };
  /// How far a worker is with fetching.
  struct Fetch {
    Expected what;
    size_t at = 0, end = 0; ///< bytes within `what`
    void start(const Expected &expected, int worker, int workers);
    /// Fetches a line; false if there is nothing left to fetch.
    bool step();
  };
  /// Grains [first, last) that a worker has left of a balanced loop: first in the upper half.
  struct alignas(64) Share {
    std::atomic<uint64_t> range{0};
  };

  void start(int64_t n, int64_t grain, const Body &body, bool balanced);
  void finish();
  void workerLoop(int worker);
  void runShare(int worker);
  void runBalanced(int worker);
  void runGrains(uint64_t first, uint64_t last, int worker) const;
  bool takeOver(int worker);
  /// Of one iteration of waiting.
  static void waitOnce(Fetch &fetch);

  struct Job {
    const Body *body = nullptr;
    int64_t n = 0, grain = 1, parts = 1;
    bool balanced = false;
    uint32_t expectation = 0; ///< counts up with what is expected
  } job;
  Expected expected, following; ///< from now on; from the end of the next balanced loop on
  std::unique_ptr<Share[]> shares;
  Fetch callerFetch;
  uint32_t callerExpectation = 0;
  alignas(64) std::atomic<uint32_t> epoch{0};
  alignas(64) std::atomic<int32_t> pending{0};
  std::atomic<bool> stopping{false};
  int spins;
  std::vector<std::thread> workers;
};

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_THREADING_THREADPOOL_H
