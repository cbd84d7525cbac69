//===- KvCacheTest.cpp - Engines whose caches hold codes --------------------------------------===//
// How close logits stay, that steps can be cut in any way, roll-back, what precise tokens bring,
// and the bytes. The numbers of codes themselves are tested in Kernels/AttentionTest.cpp.
#include "Engine/KvCache.h"
#include "TinyModel.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;
using Rows = std::vector<std::vector<float>>;

namespace {

/// Root mean square of the difference, relative to that of b.
template <class B>
double distance(const Rows &a, const std::vector<std::vector<B>> &b) {
  EXPECT_EQ(a.size(), b.size());
  double error = 0, size = 0;
  for (size_t r = 0; r < std::min(a.size(), b.size()); ++r)
    for (size_t i = 0; i < b[r].size(); ++i) {
      error += std::pow(double(a[r][i]) - double(b[r][i]), 2);
      size += std::pow(double(b[r][i]), 2);
    }
  return std::sqrt(error / size);
}

Rows runAll(const TinyModel &tiny, const EngineOptions &options,
            const std::vector<int32_t> &tokens) {
  auto engine = tiny.engine(options);
  return runChunk(*engine, *engine->addSequence(), tokens);
}

KvOptions kv(DType keys, DType values, std::optional<int64_t> sink = {},
             std::optional<int64_t> recent = {}) {
  return {keys, values, sink, recent};
}

} // namespace

TEST(CodedKv, LogitsStayCloseAndBitsCount) {
  TinyModel tiny({});
  const auto tokens = randomTokens(150, tiny.config.vocab, 21);
  const auto expected = tiny.reference(tokens);
  auto error = [&](const KvOptions &options) {
    return distance(runAll(tiny, {.threads = 2, .kv = options}, tokens), expected);
  };
  const double eight = error(kv(DType::I8, DType::I8)),
               four = error(kv(DType::I4, DType::I4, 0, 0));
  EXPECT_LT(eight, 0.01);
  EXPECT_GT(eight, 1e-5) << "the cache type had no effect";
  EXPECT_LT(four, 0.15);
  EXPECT_GT(four, 10 * eight);
  const double mixed = error(kv(DType::I8, DType::I4, 0, 0));
  EXPECT_LT(mixed, four);
  EXPECT_GT(mixed, eight);
  // Precise tokens bring it closer; if all are, only their f16 is left.
  const double windowed = error(kv(DType::I4, DType::I4, 4, 64));
  EXPECT_LT(windowed, four);
  EXPECT_LT(error(kv(DType::I4, DType::I4, 0, 150)), 1e-3);
  EXPECT_LT(error(kv(DType::I4, DType::I4, 150, 0)), 1e-3);
}

TEST(CodedKv, EveryWayOfCuttingGivesTheSameLogits) {
  TinyModel tiny({});
  const auto tokens = randomTokens(200, tiny.config.vocab, 22);
  for (const KvOptions &options :
       {kv(DType::I8, DType::I8), kv(DType::I4, DType::I4, 0, 0), kv(DType::I4, DType::I4, 3, 40),
        kv(DType::I8, DType::I4, 70, 0), kv(DType::I4, DType::F16, 0, 64)}) {
    const Rows whole = runAll(tiny, {.threads = 2, .kv = options}, tokens);
    const double quantization = distance(whole, tiny.reference(tokens));
    // f32 rounding of the linears differs with the number of rows and turns over a code now and
    // then.
    const double bound = std::max(quantization / 4, 1e-4);
    EXPECT_LT(
        distance(runAll(tiny, {.threads = 2, .prefillChunk = 7, .kv = options}, tokens), whole),
        bound);
    auto engine = tiny.engine({.threads = 1, .kv = options});
    const int seq = *engine->addSequence(), other = *engine->addSequence();
    Rows single;
    for (size_t i = 0; i < tokens.size(); ++i) {
      // Beside another sequence of another length.
      Engine::Chunk chunks[2] = {{other, std::span(tokens).subspan(i / 2, 1 + i % 3)},
                                 {seq, std::span(tokens).subspan(i, 1)}};
      auto result = engine->step(chunks);
      ASSERT_TRUE(result) << result.status().message();
      const float *row = result->logits + (result->rows - 1) * engine->vocabSize();
      single.emplace_back(row, row + engine->vocabSize());
    }
    EXPECT_LT(distance(single, whole), bound);
  }
}

TEST(CodedKv, ThreadsDoNotChangeABit) {
  TinyModel tiny({});
  const auto tokens = randomTokens(140, tiny.config.vocab, 23);
  for (const KvOptions &options : {kv(DType::I8, DType::I8), kv(DType::I4, DType::I4)}) {
    const Rows one = runAll(tiny, {.threads = 1, .kv = options}, tokens);
    for (int threads : {2, 3, 5})
      EXPECT_EQ(runAll(tiny, {.threads = threads, .kv = options}, tokens), one);
  }
}

TEST(CodedKv, RollBackIsExactWhereThePreciseTokensAreStillThere) {
  TinyModel tiny({});
  const auto tokens = randomTokens(260, tiny.config.vocab, 24), other = randomTokens(80, 50, 25);
  for (const KvOptions &options : {kv(DType::I8, DType::I8), kv(DType::I4, DType::I4, 0, 0),
                                   kv(DType::I4, DType::I4, 4, 64)}) {
    auto engine = tiny.engine({.threads = 1, .kv = options});
    const int seq = *engine->addSequence(), fresh = *engine->addSequence();
    runChunk(*engine, fresh, std::span(tokens).subspan(0, 250));
    const auto tail = std::span(tokens).subspan(250);
    const Rows expected = runChunk(*engine, fresh, tail);
    runChunk(*engine, seq, std::span(tokens).subspan(0, 250));
    for (int round = 0; round < 3; ++round) {
      runChunk(*engine, seq, std::span(other).subspan(0, size_t(1 + round * 39)));
      ASSERT_TRUE(engine->truncate(seq, 250));
      EXPECT_EQ(runChunk(*engine, seq, tail), expected);
      ASSERT_TRUE(engine->truncate(seq, 250));
    }
    // Far back: what had left the window stays codes, so only close.
    const auto reference = tiny.reference(tokens);
    const double quantization =
        distance(expected, std::vector(reference.begin() + 250, reference.end()));
    runChunk(*engine, seq, other);
    ASSERT_TRUE(engine->truncate(seq, 100));
    runChunk(*engine, seq, std::span(tokens).subspan(100, 150));
    EXPECT_LT(distance(runChunk(*engine, seq, tail), expected), quantization + 1e-4);
  }
}

TEST(CodedKv, BytesAreThoseOfTheTypes) {
  TinyModel tiny({});
  const auto tokens = randomTokens(640, tiny.config.vocab, 26);
  const auto model = tiny.load();
  const auto &caches = model->program().caches;
  // 2 layers, 2 kv heads of 12: a page of codes has 3 (2) units of 4 bytes per key, 16 lanes of 4
  // bytes per run of values, scales of 2 bytes and zero points of one.
  const int64_t eight = 2 * 2 * 64 * (3 * 4 + 2 + 16 + 2);
  const int64_t four = 2 * 2 * 64 * (2 * 4 + 3 + 8 + 3);
  EXPECT_EQ(kvBlockBytes(caches, {DType::I8, DType::I8}).stored, eight);
  EXPECT_EQ(kvBlockBytes(caches, {DType::I4, DType::I4}).stored, four);
  EXPECT_EQ(kvBlockBytes(caches, {DType::I4, DType::I4}).precise, 0);
  const int64_t half = 2 * 2 * 64 * 12 * 2 * 2;
  EXPECT_EQ(kvBlockBytes(caches, {DType::F16, DType::F16}).stored, half);
  EXPECT_EQ(kvBlockBytes(caches, {DType::I4, DType::I4, 4, 64}).precise, half);
  EXPECT_DOUBLE_EQ(kvReadBytes(caches, {DType::I4, DType::I4, 4, 60}, 1000),
                   (936.0 * double(four) + 64.0 * double(half)) / 64);

  auto engine = tiny.engine({.threads = 1, .prefillChunk = 32, .kv = kv(DType::I8, DType::I8)});
  const int seq = *engine->addSequence();
  runChunk(*engine, seq, tokens);
  EXPECT_EQ(engine->stats().kvBytes, 10 * eight);
  EXPECT_EQ(engine->stats().kv, (KvSpec{DType::I8, DType::I8}));

  // Precise blocks: the sink's, and those that roll-back, window and a chunk of 32 touch.
  auto precise = tiny.engine({.threads = 1, .prefillChunk = 32, .kv = kv(DType::I4, DType::I4)});
  const int windowed = *precise->addSequence();
  runChunk(*precise, windowed, tokens);
  EXPECT_EQ(precise->stats().kv, (KvSpec{DType::I4, DType::I4, 4, 64}));
  const int64_t blocks = (precise->stats().kvBytes - 10 * four) / half;
  EXPECT_GE(blocks, 4);
  EXPECT_LE(blocks, 5);
  // They are used again.
  const int64_t bytes = precise->stats().kvBytes;
  precise->release(windowed);
  runChunk(*precise, *precise->addSequence(), tokens);
  EXPECT_EQ(precise->stats().kvBytes, bytes);
}

TEST(CodedKv, OptionsComeFromTheModelUnlessGiven) {
  const KvSpec stored{DType::I8, DType::I4, 7, 99};
  EXPECT_EQ(*resolveKv(stored, {}), stored);
  EXPECT_EQ(*resolveKv(stored, {{}, {}, 0, {}}), (KvSpec{DType::I8, DType::I4, 0, 99}));
  EXPECT_EQ(*resolveKv(stored, {DType::F16, DType::F16, {}, {}}), (KvSpec{DType::F16, DType::F16}));
  EXPECT_EQ(*resolveKv(stored, {{}, DType::I8, {}, {}}), (KvSpec{DType::I8, DType::I8}));
  EXPECT_EQ(*resolveKv({}, {{}, DType::I4, {}, 32}), (KvSpec{DType::F32, DType::I4, 4, 32}));
  EXPECT_FALSE(resolveKv({}, {DType::I32, {}, {}, {}}));
  EXPECT_FALSE(resolveKv({}, {{}, {}, {}, 5}));
  KvOptions options;
  ASSERT_TRUE(parseKvTypes("v=int4,k=int8", options));
  EXPECT_EQ(options.keys, DType::I8);
  EXPECT_EQ(options.values, DType::I4);
  for (const char *bad : {"", "int9", "k=", "k=int8,w=int4", "=int8", "k=int8 ,v=int4", "u8"})
    EXPECT_FALSE(parseKvTypes(bad, options)) << bad;
  EXPECT_EQ(kvText({DType::I8, DType::I4, 4, 0}), "k=int8,v=int4, sink 4");
}
