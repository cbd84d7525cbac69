//===- ThreadPoolTest.cpp - the runtime's thread pool -------------------------===//
//
// Every index is visited once whatever the sizes, ranges keep their grain, and the pool survives
// many launches and more threads than processors.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/threading/ThreadPool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <vector>

using namespace qrt::kernels;

TEST(ThreadPool, CoversEveryIndexOnce) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    for (int64_t n : {0, 1, 2, 7, 8, 100})
      for (int64_t grain : {1, 3, 8, 1000}) {
        std::vector<int> visits(n);
        std::mutex mutex;
        pool.parallelFor(n, grain, [&](int64_t begin, int64_t end, int worker) {
          EXPECT_EQ(begin % grain, 0);
          EXPECT_TRUE(end == n || end % grain == 0);
          EXPECT_GE(worker, 0);
          EXPECT_LT(worker, threads);
          std::lock_guard lock(mutex);
          for (int64_t i = begin; i < end; ++i)
            ++visits[i];
        });
        EXPECT_EQ(visits, std::vector<int>(n, 1));
      }
  }
}

TEST(ThreadPool, BalancedLoopsCoverEveryIndexOnceWhateverTheRangesCost) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (int64_t n : {0, 1, 2, 7, 8, 100, 1000})
      for (int64_t grain : {1, 3, 8, 1000}) {
        std::vector<std::atomic<int>> visits(n);
        pool.parallelForBalanced(n, grain, [&](int64_t begin, int64_t end, int worker) {
          EXPECT_EQ(begin % grain, 0);
          EXPECT_TRUE(end == n || end % grain == 0);
          EXPECT_LT(begin, end);
          EXPECT_GE(worker, 0);
          EXPECT_LT(worker, threads);
          for (int64_t i = begin; i < end; ++i) {
            ++visits[i];
            if (i < n / 4) // the first worker needs help
              for (volatile int spin = 0; spin < 2000;)
                spin = spin + 1;
          }
        });
        for (int64_t i = 0; i < n; ++i)
          EXPECT_EQ(visits[i], 1) << i << " of " << n << " with " << threads << " threads";
      }
  }
}

TEST(ThreadPool, ExpectedMemoryMayBeGoneAndOfAnySize) {
  ThreadPool pool(3);
  const auto *nowhere = reinterpret_cast<const std::byte *>(size_t(1) << 40);
  std::vector<ThreadPool::Bytes> parts(ThreadPool::maxExpected + 2, {nowhere, 70});
  parts[1] = {nowhere, 0};
  parts[2] = {nowhere, size_t(1) << 30};
  std::atomic<int64_t> sum{0};
  for (int i = 0; i < 60; ++i) {
    if (i % 2 == 0)
      pool.expect(parts);
    else if (i % 3 == 0)
      pool.expect({});
    pool.parallelForBalanced(5, 1, [&](int64_t begin, int64_t end, int) { sum += end - begin; });
    pool.parallelFor(5, 1, [&](int64_t begin, int64_t end, int) { sum += end - begin; });
  }
  EXPECT_EQ(sum, 600);
}

TEST(ThreadPool, ManyLaunches) {
  ThreadPool pool(4);
  std::vector<int64_t> counts(4);
  for (int i = 0; i < 20000; ++i)
    pool.parallelFor(4, 1, [&](int64_t begin, int64_t, int) { ++counts[begin]; });
  EXPECT_EQ(counts, std::vector<int64_t>(4, 20000));
  std::atomic<int64_t> sum{0};
  for (int i = 0; i < 2000; ++i)
    pool.parallelForBalanced(40, 1, [&](int64_t begin, int64_t end, int) { sum += end - begin; });
  EXPECT_EQ(sum, 80000);
}

TEST(ThreadPool, ZeroMeansTheProcessorsOfThisProcess) {
  EXPECT_EQ(ThreadPool(0).size(), ThreadPool::availableProcessors());
}
