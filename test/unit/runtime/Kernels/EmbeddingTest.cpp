//===- EmbeddingTest.cpp - token embedding lookup ----------------------------===//
//
// Rows of every format with an offset; ids outside the table are refused.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/embedding/embedding.h"
#include "LinearFixture.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::kernels;
using namespace qrt::kernels::test;

TEST(Embedding, GathersRowsOfEveryFormat) {
  ThreadPool pool(2);
  for (auto format : {WeightFormat::F32, WeightFormat::F16, WeightFormat::BF16, WeightFormat::U8,
                      WeightFormat::U4, WeightFormat::U3, WeightFormat::U2}) {
    RandomWeight table =
        randomWeight({format, 37, 70, isQuantized(format) ? 32 : 0, false, ScaleType::F16}, 1);
    std::vector<int32_t> ids = {0, 34, 5, 5, 17, -2};
    std::vector<float> out(ids.size() * 72, 3.0f);
    ASSERT_TRUE(embeddingGather(pool, table.view(), ids.data(), 6, 2, out.data(), 72));
    for (size_t t = 0; t < ids.size(); ++t) {
      for (int i = 0; i < 70; ++i)
        EXPECT_EQ(out[t * 72 + i], table.values[(ids[t] + 2) * 70 + i]);
      EXPECT_EQ(out[t * 72 + 71], 3.0f);
    }
  }
}

TEST(Embedding, IdsOutsideTheTableAreRefused) {
  ThreadPool pool(1);
  RandomWeight table = randomWeight({WeightFormat::F32, 10, 4, 0, true, ScaleType::F16}, 1);
  std::vector<float> out(8, 3.0f);
  for (int32_t bad : {-1, 10, 2147483647}) {
    int32_t ids[] = {3, bad};
    Status status = embeddingGather(pool, table.view(), ids, 2, 0, out.data(), 4);
    EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
    EXPECT_EQ(status.message(), "token id " + std::to_string(bad) +
                                    " at index 1 is outside the embedding table of 10 rows");
    EXPECT_EQ(out[0], 3.0f);
  }
}
