//===- TokenMajorTest.cpp - Logits against the float64 reference -----------------------------===//
#include "TinyCases.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;
using kernels::WeightFormat;

namespace {

TinyCases cases() {
  TinyCases list;
  list.addStructures(2e-6);
  list.add("f16", 2e-6, [](TinyConfig &c) { c.format = WeightFormat::F16; });
  // For 16 rows and more the bf16 kernels may round activations to bf16 as well.
  list.add("bf16", 3e-2, [](TinyConfig &c) { c.format = WeightFormat::BF16; });
  list.add("w8_f32", 2e-6, [](TinyConfig &c) { c.format = WeightFormat::U8; });
  list.add("w8_a16", 1e-3, [](TinyConfig &c) {
    c.format = WeightFormat::U8;
    c.activation = "a16";
    c.groupSize = 0;
  });
  list.add("w4_a16", 1e-3, [](TinyConfig &c) {
    c.format = WeightFormat::U4;
    c.activation = "a16";
  });
  list.add("w4_a16_asymmetric", 1e-3, [](TinyConfig &c) {
    c.format = WeightFormat::U4;
    c.activation = "a16";
    c.symmetric = false;
    c.groupSize = 64;
  });
  list.add("w3_a16_asymmetric", 1e-3, [](TinyConfig &c) {
    c.format = WeightFormat::U3;
    c.activation = "a16";
    c.symmetric = false;
    c.groupSize = 128;
  });
  list.add("w2_a16", 1e-3, [](TinyConfig &c) {
    c.format = WeightFormat::U2;
    c.activation = "a16";
  });
  list.add("w4_a8", 1e-1, [](TinyConfig &c) {
    c.format = WeightFormat::U4;
    c.activation = "a8";
  });
  list.add("w4_f32_outliers", 2e-6, [](TinyConfig &c) {
    c.format = WeightFormat::U4;
    c.outliers = 0.05;
  });
  list.add("w3_a16_outliers", 1e-3, [](TinyConfig &c) {
    c.format = WeightFormat::U3;
    c.activation = "a16";
    c.outliers = 0.1;
  });
  list.add("w2_a16_outliers_gpt", 1e-3, [](TinyConfig &c) {
    c.format = WeightFormat::U2;
    c.activation = "a16";
    c.outliers = 0.02;
    c.gptStyle = true;
  });
  list.add("w8_a8_static", 2e-1, [](TinyConfig &c) {
    c.format = WeightFormat::U8;
    c.activation = "a8";
    c.groupSize = 0;
    c.activationScales = {5.0 / 127};
  });
  return list;
}

class TokenMajor : public ::testing::TestWithParam<TinyCase> {};

} // namespace

TEST_P(TokenMajor, MatchesTheReference) {
  TinyModel tiny(GetParam().config);
  auto tokens = randomTokens(80, tiny.config.vocab, 7); // crosses a KV page
  auto expected = tiny.reference(tokens);
  auto engine = tiny.engine({.threads = 2});
  auto actual = runChunk(*engine, *engine->addSequence(), tokens);
  EXPECT_LT(relativeDistance(actual, expected), GetParam().tolerance);
}

/// One pass, chunks of 7, token by token, and in a batch beside other sequences.
TEST_P(TokenMajor, EveryWayOfCuttingGivesTheSameLogits) {
  TinyModel tiny(GetParam().config);
  auto tokens = randomTokens(70, tiny.config.vocab, 8);
  // The reference way: token by token, so that bf16 never rounds activations.
  auto engine = tiny.engine({.threads = 2});
  int seq = *engine->addSequence();
  std::vector<std::vector<float>> single;
  for (int32_t token : tokens)
    single.push_back(runChunk(*engine, seq, {&token, 1}, Engine::Logits::Last)[0]);
  EXPECT_LT(relativeDistance(single, tiny.reference(tokens)), GetParam().tolerance);

  // Two kernels choose another precision for many rows (linear.h): bf16 weights may round
  // activations to bf16, and AVX2 computes a16 in f32.
  const bool byRows =
      GetParam().config.format == WeightFormat::BF16 ||
      (GetParam().config.activation == "a16" && kernels::activeIsa() == kernels::Isa::Avx2);
  const double tolerance = byRows ? GetParam().tolerance : 2e-6;
  auto chunked = tiny.engine({.threads = 2, .prefillChunk = 7});
  EXPECT_LE(relativeDistance(runChunk(*chunked, *chunked->addSequence(), tokens), single),
            tolerance);
  EXPECT_EQ(chunked->stats().programRuns, 10);

  int other = *engine->addSequence(), again = *engine->addSequence();
  auto distraction = randomTokens(33, tiny.config.vocab, 9);
  std::vector<std::vector<float>> batched;
  size_t done = 0;
  for (size_t size : {size_t(3), size_t(1), size_t(40), size_t(26)}) {
    size_t before = done == 0 ? 0 : 8 + done % 5;
    Engine::Chunk chunks[2] = {
        {other, std::span(distraction).subspan(before % 20, 1 + size % 9), Engine::Logits::All},
        {again, std::span(tokens).subspan(done, size), Engine::Logits::All}};
    auto result = engine->step(chunks);
    ASSERT_TRUE(result) << result.status().message();
    ASSERT_EQ(result->rows, int64_t(1 + size % 9 + size));
    for (int64_t r = int64_t(1 + size % 9); r < result->rows; ++r)
      batched.emplace_back(result->logits + r * engine->vocabSize(),
                           result->logits + (r + 1) * engine->vocabSize());
    done += size;
  }
  EXPECT_LE(relativeDistance(batched, single), tolerance);
}

TEST_P(TokenMajor, ThreadsDoNotChangeABit) {
  TinyModel tiny(GetParam().config);
  auto tokens = randomTokens(40, tiny.config.vocab, 10);
  std::vector<std::vector<float>> first;
  for (int threads : {1, 2, 3, 5}) {
    auto engine = tiny.engine({.threads = threads});
    auto rows = runChunk(*engine, *engine->addSequence(), tokens);
    if (threads == 1)
      first = rows;
    EXPECT_EQ(rows, first) << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, TokenMajor, ::testing::ValuesIn(cases().list),
                         [](const auto &info) { return info.param.name; });

/// Scales that are far too small clamp nearly everything.
TEST(TokenMajorActivations, StaticScalesAreUsed) {
  TinyConfig config;
  config.format = WeightFormat::U8;
  config.activation = "a8";
  config.groupSize = 0;
  config.activationScales = {0.01 / 127};
  TinyModel tiny(config);
  auto tokens = randomTokens(20, tiny.config.vocab, 12);
  auto engine = tiny.engine({.threads = 2});
  EXPECT_GT(
      relativeDistance(runChunk(*engine, *engine->addSequence(), tokens), tiny.reference(tokens)),
      0.5);
}

/// The second set is whole: its rows get no outliers.
TEST(TokenMajorOutliers, AreNotAddedToAlternates) {
  TinyConfig config;
  config.format = WeightFormat::U4;
  config.outliers = 0.1;
  config.alternates = WeightFormat::F16;
  TinyModel tiny(config);
  auto tokens = randomTokens(30, tiny.config.vocab, 13);
  std::vector<bool> alternate(tokens.size(), false);
  std::fill(alternate.begin() + 10, alternate.begin() + 25, true);
  auto engine = tiny.engine({.threads = 2, .alternateWeights = true});
  const int seq = *engine->addSequence();
  std::vector<std::vector<float>> rows;
  for (auto [first, end] : {std::pair(0, 10), {10, 25}, {25, 30}}) {
    Engine::Chunk chunk{seq, std::span(tokens).subspan(first, end - first), Engine::Logits::All,
                        first == 10};
    auto result = engine->step({&chunk, 1});
    ASSERT_TRUE(result) << result.status().message();
    for (int64_t r = 0; r < result->rows; ++r)
      rows.emplace_back(result->logits + r * engine->vocabSize(),
                        result->logits + (r + 1) * engine->vocabSize());
  }
  EXPECT_LT(relativeDistance(rows, tiny.reference(tokens, alternate)), 2e-6);
}

TEST(TokenMajorKv, HalfPrecisionCachesStayClose) {
  TinyModel tiny({});
  auto tokens = randomTokens(70, tiny.config.vocab, 11);
  auto expected = tiny.reference(tokens);
  for (auto [type, tolerance] : {std::pair(DType::F16, 2e-3), std::pair(DType::BF16, 2e-2)}) {
    auto engine = tiny.engine({.threads = 2, .kv = {type, type, {}, {}}});
    auto rows = runChunk(*engine, *engine->addSequence(), tokens);
    double error = relativeDistance(rows, expected);
    EXPECT_LT(error, tolerance);
    EXPECT_GT(error, 1e-6) << "the cache type had no effect";
  }
}
