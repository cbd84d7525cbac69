//===- ThreadPoolTest.cpp - the runtime's thread pool -------------------------===//
//
// Every index is visited once whatever the sizes, ranges keep their grain, and the pool survives
// many launches and more threads than processors.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/threading/ThreadPool.h"

#include <gtest/gtest.h>

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

TEST(ThreadPool, ManyLaunches) {
  ThreadPool pool(4);
  std::vector<int64_t> counts(4);
  for (int i = 0; i < 20000; ++i)
    pool.parallelFor(4, 1, [&](int64_t begin, int64_t, int) { ++counts[begin]; });
  EXPECT_EQ(counts, std::vector<int64_t>(4, 20000));
}

TEST(ThreadPool, ZeroMeansTheProcessorsOfThisProcess) {
  EXPECT_EQ(ThreadPool(0).size(), ThreadPool::availableProcessors());
}
