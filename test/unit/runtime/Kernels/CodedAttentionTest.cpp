//===- CodedAttentionTest.cpp - Paged attention over caches of codes -------------------------===//
// With precise tokens and balanced keys, too.
#include "AttentionCheck.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::kernels;
using namespace qrt::kernels::test;

TEST(CodedAttention, EveryPairOfTypes) {
  for (const auto &variant : runnableVariants())
    for (KvTypes types : {KvTypes(DType::I8), KvTypes(DType::I4), KvTypes(DType::I8, DType::I4),
                          KvTypes(DType::F16, DType::I4), KvTypes(DType::I4, DType::F32)})
      checkAttention(*variant.kernels, variant.name, {4, 2, 16, 16},
                     {{70, 70}, {1, 1}, {130, 1}, {64, 1}, {100, 37}, {65, 2}}, types);
}

TEST(CodedAttention, OddHeads) {
  for (const auto &variant : runnableVariants())
    for (KvTypes types : {KvTypes(DType::I8), KvTypes(DType::I4)})
      for (AttentionShape shape : {AttentionShape{14, 2, 64, 64},
                                   {3, 3, 20, 36},
                                   {40, 1, 8, 8},
                                   {5, 1, 100, 7},
                                   {7, 1, 128, 96},
                                   {2, 1, 256, 256}})
        checkAttention(*variant.kernels, variant.name, shape, {{9, 9}, {66, 1}}, types);
}

TEST(CodedAttention, SinksAndRecentTokensStayPrecise) {
  for (const auto &variant : runnableVariants())
    for (KvTypes types : {KvTypes(DType::I8), KvTypes(DType::I4)}) {
      checkAttention(*variant.kernels, variant.name, {4, 2, 16, 16, 0, 0, 4, 0}, {{70, 70}, {3, 1}},
                     types);
      checkAttention(*variant.kernels, variant.name, {4, 2, 16, 16, 0, 0, 0, 20},
                     {{150, 60}, {150, 1}, {10, 10}}, types);
      checkAttention(*variant.kernels, variant.name, {4, 2, 16, 16, 90, 2.0f, 70, 33},
                     {{200, 60}, {150, 1}, {80, 80}}, types);
    }
}

TEST(CodedAttention, LongContextsAreSplitAlongTheKeys) {
  for (const auto &variant : runnableVariants())
    for (KvTypes types : {KvTypes(DType::I8), KvTypes(DType::I4)}) {
      checkAttention(*variant.kernels, variant.name, {6, 2, 16, 16, 0, 0, 4, 100},
                     {{2500, 1}, {1024, 1}, {1025, 1}}, types);
      checkAttention(*variant.kernels, variant.name, {40, 1, 8, 12, 100}, {{2500, 1}}, types);
    }
}

TEST(CodedAttention, BalancedKeysCancelAndKeepWhatOutliersWouldDrown) {
  for (const auto &variant : runnableVariants())
    for (KvTypes types : {KvTypes(DType::I8), KvTypes(DType::I4)}) {
      AttentionShape shape{6, 2, 32, 32};
      shape.balanced = true;
      checkAttention(*variant.kernels, variant.name, shape, {{70, 70}, {130, 1}}, types);
    }
  // With outlier features, balance lowers the error of the other ones by about the spread.
  ThreadPool pool(1);
  double errors[2];
  for (bool balanced : {false, true}) {
    AttentionShape shape{6, 2, 32, 32};
    shape.keySpread = 40;
    shape.balanced = balanced;
    KvSequence coded = makeSequence(pool, shape, 64, DType::I4, 5);
    double sum = 0;
    for (size_t i = 0; i < coded.k.size(); ++i)
      if (i % 8 != 0)
        sum += std::pow(double(coded.k[i]) - coded.kPreciseRow[i], 2);
    errors[balanced] = sum;
  }
  EXPECT_LT(errors[1] * 50, errors[0]);
}
