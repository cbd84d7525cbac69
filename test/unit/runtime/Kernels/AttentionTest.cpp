//===- AttentionTest.cpp - Paged attention over caches of floats -----------------------------===//
// Prefill, decode, chunks, unequal sequences in one batch, grouped heads, windows, softcap,
// contexts that are split along the keys.
#include "AttentionCheck.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::kernels;
using namespace qrt::kernels::test;

TEST(Attention, PrefillDecodeAndChunksInOneBatch) {
  for (const auto &variant : runnableVariants())
    for (DType type : {DType::F32, DType::F16, DType::BF16})
      checkAttention(*variant.kernels, variant.name, {4, 2, 16, 16},
                     {{70, 70}, {1, 1}, {130, 1}, {64, 1}, {100, 37}, {65, 2}}, type);
}

TEST(Attention, OddHeadSizesAndManyHeadsPerKvHead) {
  for (const auto &variant : runnableVariants())
    for (AttentionShape shape :
         {AttentionShape{14, 2, 64, 64}, {3, 3, 20, 36}, {40, 1, 8, 8}, {5, 1, 100, 7}})
      checkAttention(*variant.kernels, variant.name, shape, {{9, 9}, {66, 1}}, DType::F32);
}

TEST(Attention, PairsOfOddHeadsAndRanges) {
  for (const auto &variant : runnableVariants()) {
    for (AttentionShape shape :
         {AttentionShape{14, 2, 64, 64}, {3, 3, 20, 36}, {40, 1, 8, 8}, {5, 1, 99, 7}})
      checkAttention(*variant.kernels, variant.name, shape, {{9, 9}, {66, 1}}, DType::BF16);
    for (int64_t window : {1, 21, 64})
      checkAttention(*variant.kernels, variant.name, {2, 1, 16, 40, window},
                     {{150, 60}, {150, 1}, {151, 1}, {10, 10}}, DType::BF16);
    checkAttention(*variant.kernels, variant.name, {6, 2, 15, 16}, {{2500, 1}, {1025, 1}},
                   DType::BF16);
    for (KvTypes types : {KvTypes(DType::BF16, DType::F32), KvTypes(DType::F16, DType::BF16),
                          KvTypes(DType::BF16, DType::I8), KvTypes(DType::I4, DType::BF16)})
      checkAttention(*variant.kernels, variant.name, {4, 2, 16, 16, 0, 0, 3, 5},
                     {{70, 70}, {131, 1}}, types);
  }
}

TEST(Attention, ScoresThatGrowFarBeyondTheFirst) {
  // Keys grow along the sequence, so that the base of the weights has to be raised again and again.
  for (const auto &variant : runnableVariants())
    for (DType type : {DType::F32, DType::F16, DType::BF16, DType::I8}) {
      AttentionShape shape{4, 2, 16, 16};
      shape.keyGrowth = 0.02;
      checkAttention(*variant.kernels, variant.name, shape, {{300, 40}, {300, 1}}, type);
    }
}

TEST(Attention, WindowAndSoftcap) {
  for (const auto &variant : runnableVariants())
    for (int64_t window : {1, 20, 64, 200})
      checkAttention(*variant.kernels, variant.name,
                     {2, 1, 16, 16, window, window == 20 ? 3.0f : 0.0f},
                     {{150, 60}, {150, 1}, {10, 10}}, DType::F32);
}

TEST(Attention, LongContextsAreSplitAlongTheKeys) {
  for (const auto &variant : runnableVariants()) {
    checkAttention(*variant.kernels, variant.name, {6, 2, 16, 16},
                   {{2500, 1}, {1024, 1}, {1025, 1}}, DType::F32);
    checkAttention(*variant.kernels, variant.name, {40, 1, 8, 12, 100}, {{2500, 1}}, DType::F16);
  }
}

TEST(Attention, WrongArgumentsAreRefused) {
  ThreadPool pool(1);
  Workspace workspace;
  std::vector<float> x(64);
  AttentionSequence sequence{0, 1, 4, {nullptr, nullptr, 4}};
  AttentionArgs args{x.data(), 8, x.data(), 8, 3, 2, 4, 4, 1.0f, 0.0f, 0, {}};
  EXPECT_EQ(attention(pool, args, workspace).message(),
            "attention: 3 heads cannot share 2 kv heads");
  args.heads = 2;
  args.sequences = std::span(&sequence, 1);
  EXPECT_EQ(attention(pool, args, workspace).message(),
            "attention: a cache of 4 tokens is shorter than its queries' positions");
  sequence.kv = {nullptr, nullptr, 5, DType::I16, DType::F32};
  EXPECT_EQ(attention(pool, args, workspace).message(),
            "attention: keys of type i16; a cache is f32, f16, bf16, i8 or i4");
  sequence.kv = {nullptr, nullptr, 5, DType::F32, DType::I4};
  args.valueDim = 300;
  EXPECT_EQ(attention(pool, args, workspace).message(),
            "attention: values of 300 features have no i4 cache: above 256 features, groups of 32 "
            "must divide them");
  args.headDim = 0;
  EXPECT_EQ(attention(pool, args, workspace).message(), "attention: a size is not positive");
}
