//===- SequencesTest.cpp - Lifetimes of sequences, limits, errors ----------------------------===//
#include "TinyModel.h"

#include <cmath>
#include <cstdlib>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;
using Logits = Engine::Logits;

namespace {

std::string errorOf(Engine &engine, std::vector<Engine::Chunk> chunks) {
  auto result = engine.step(chunks);
  return result ? "no error" : result.status().message();
}

std::string createError(const TinyModel &tiny, const EngineOptions &options) {
  auto engine = Engine::create(tiny.load(), options);
  return engine ? "no error" : engine.status().message();
}

} // namespace

TEST(Sequences, TruncateForgetsExactlyTheTail) {
  TinyModel tiny({});
  auto engine = tiny.engine({.threads = 1});
  auto tokens = randomTokens(150, tiny.config.vocab, 1), other = randomTokens(150, 50, 2);
  int fresh = *engine->addSequence(), seq = *engine->addSequence();
  auto expected = runChunk(*engine, fresh, tokens);
  for (int64_t keep : {0, 1, 63, 64, 65, 128, 149}) {
    ASSERT_TRUE(engine->truncate(seq, 0));
    runChunk(*engine, seq, tokens);
    ASSERT_TRUE(engine->truncate(seq, keep));
    runChunk(*engine, seq, std::span(other).subspan(size_t(keep))); // overwrites the tail
    ASSERT_TRUE(engine->truncate(seq, keep));
    EXPECT_EQ(engine->length(seq), keep);
    auto rows = runChunk(*engine, seq, std::span(tokens).subspan(size_t(keep)));
    ASSERT_EQ(rows.size(), tokens.size() - size_t(keep));
    for (size_t r = 0; r < rows.size(); ++r)
      for (size_t i = 0; i < rows[r].size(); ++i)
        ASSERT_NEAR(rows[r][i], expected[r + size_t(keep)][i], 2e-5);
  }
  EXPECT_EQ(engine->truncate(seq, 151).message(),
            "cannot truncate a sequence of 150 tokens to 151");
  EXPECT_EQ(engine->truncate(seq, -1).code(), StatusCode::InvalidArgument);
  EXPECT_EQ(engine->truncate(99, 0).message(), "no sequence 99");
}

TEST(Sequences, ReleasedBlocksAreUsedAgain) {
  TinyModel tiny({});
  auto engine = tiny.engine({.threads = 1});
  auto tokens = randomTokens(130, tiny.config.vocab, 3);
  int seq = *engine->addSequence();
  auto first = runChunk(*engine, seq, tokens);
  int64_t bytes = engine->stats().kvBytes;
  EXPECT_EQ(engine->stats().kvPagesInUse, 3);
  engine->release(seq);
  EXPECT_EQ(engine->stats().kvPagesInUse, 0);
  EXPECT_EQ(engine->length(seq), -1);
  EXPECT_EQ(*engine->addSequence(), seq);
  EXPECT_EQ(runChunk(*engine, seq, tokens), first);
  EXPECT_EQ(engine->stats().kvBytes, bytes);
  engine->release(12345); // not a sequence: nothing happens
}

TEST(Sequences, LogitsComeInChunkOrder) {
  TinyModel tiny({});
  // Chunks of 4 tokens cut through the middle of the requests.
  for (int64_t prefill : {4, 512}) {
    auto engine = tiny.engine({.threads = 1, .prefillChunk = prefill});
    auto tokens = randomTokens(6, tiny.config.vocab, 4);
    auto expected = tiny.reference(tokens);
    std::vector<Engine::Chunk> chunks;
    for (Logits wanted : {Logits::Last, Logits::None, Logits::All, Logits::Last})
      chunks.push_back({*engine->addSequence(), tokens, wanted});
    auto result = engine->step(chunks);
    ASSERT_TRUE(result);
    ASSERT_EQ(result->rows, 1 + 0 + 6 + 1);
    const size_t rows[] = {5, 0, 1, 2, 3, 4, 5, 5};
    for (size_t r = 0; r < 8; ++r)
      for (size_t i = 0; i < 50; ++i)
        ASSERT_NEAR(result->logits[r * 50 + i], expected[rows[r]][i], 2e-5) << r;
    std::vector<Engine::Chunk> none = {{chunks[0].seq, tokens, Logits::None}};
    auto silent = engine->step(none);
    ASSERT_TRUE(silent);
    EXPECT_EQ(silent->rows, 0);
    EXPECT_EQ(engine->length(chunks[0].seq), 12);
  }
}

TEST(Sequences, BadStepsAreRefusedAndChangeNothing) {
  TinyModel tiny({});
  auto engine = tiny.engine({.threads = 1, .maxContext = 20});
  auto tokens = randomTokens(21, tiny.config.vocab, 5);
  int seq = *engine->addSequence();
  std::vector<int32_t> bad = {3, 50}, negative = {-1};
  EXPECT_EQ(errorOf(*engine, {{seq, bad}}), "token id 50 is outside the vocabulary of 50");
  EXPECT_EQ(errorOf(*engine, {{seq, negative}}), "token id -1 is outside the vocabulary of 50");
  EXPECT_EQ(errorOf(*engine, {{7, tokens}}), "no sequence 7");
  EXPECT_EQ(errorOf(*engine, {{seq, {}}}), "a chunk without tokens");
  EXPECT_EQ(errorOf(*engine, {{seq, tokens}}),
            "sequence 0 would have 21 tokens, more than the context of 20");
  std::span<const int32_t> one(tokens.data(), 1);
  EXPECT_EQ(errorOf(*engine, {{seq, one}, {seq, one}}), "a sequence occurs twice in one step");
  EXPECT_EQ(engine->length(seq), 0);
  EXPECT_EQ(engine->maxContext(), 20);
  auto nothing = engine->step({});
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->rows, 0);
}

TEST(Sequences, OptionsAreChecked) {
  TinyModel tiny({});
  EXPECT_EQ(createError(tiny, {.threads = -1}), "threads: -1, not in 0 to 1024");
  EXPECT_EQ(createError(tiny, {.prefillChunk = 0}), "prefill chunk: 0 tokens, not in 1 to 65536");
  EXPECT_EQ(createError(tiny, {.kv = {DType::I16, {}, {}, {}}}),
            "KV cache type 'i16': expects f32, f16, bf16, int8 or int4, or k=TYPE,v=TYPE");
  EXPECT_EQ(createError(tiny, {.kv = {DType::F16, DType::F16, 4, {}}}),
            "KV sink: no effect on a cache of type f16");
  EXPECT_EQ(createError(tiny, {.kv = {DType::I4, {}, {}, -1}}),
            "KV window: -1 tokens, not in 0 to 2147483647");
  EXPECT_NE(createError(tiny, {.maxMemory = -1}), "no error");
  EXPECT_NE(createError(tiny, {.maxContext = -1}), "no error");
  setenv("QRT_ISA", "z80", 1);
  EXPECT_NE(createError(tiny, {}).find("z80"), std::string::npos);
  unsetenv("QRT_ISA");
}

TEST(Sequences, LearnedPositionsLimitTheContext) {
  TinyConfig config;
  config.gptStyle = true;
  config.positions = 30;
  TinyModel tiny(config);
  EXPECT_EQ(tiny.engine()->maxContext(), 30);
  EXPECT_EQ(createError(tiny, {.maxContext = 31}),
            "a context of 31 tokens; the model's position table ends at 30");
  auto engine = tiny.engine({.threads = 1});
  auto tokens = randomTokens(31, tiny.config.vocab, 5);
  int seq = *engine->addSequence();
  EXPECT_EQ(errorOf(*engine, {{seq, tokens}}),
            "sequence 0 would have 31 tokens, more than the context of 30");
  EXPECT_EQ(runChunk(*engine, seq, std::span(tokens).subspan(1)).size(), 30u);
}

TEST(Sequences, MemoryLimitsAreMessages) {
  TinyModel tiny({});
  // Room for the activations of small chunks and for a few KV blocks of 24 KiB.
  auto engine = tiny.engine({.threads = 1, .prefillChunk = 8, .maxMemory = 300 << 10});
  auto tokens = randomTokens(2000, tiny.config.vocab, 6);
  int seq = *engine->addSequence(), small = *engine->addSequence();
  auto head = std::span(tokens).subspan(0, 10);
  auto before = runChunk(*engine, seq, head, Logits::Last);
  auto result = engine->step(std::vector<Engine::Chunk>{{seq, tokens, Logits::Last}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.status().code(), StatusCode::ResourceExhausted);
  EXPECT_NE(result.status().message().find("KV cache, block "), std::string::npos)
      << result.status().message();
  EXPECT_NE(result.status().message().find("the limit is 300.0 KiB"), std::string::npos);
  EXPECT_EQ(engine->length(seq), 10);
  EXPECT_EQ(engine->stats().kvPagesInUse, 1);
  EXPECT_EQ(runChunk(*engine, small, head, Logits::Last), before);
}

TEST(Sequences, AModelThatDoesNotFitIsRefused) {
  TinyModel tiny({});
  setenv("QRT_FREE_MEMORY", "100000", 1);
  auto engine = Engine::create(tiny.load(), {.threads = 1, .prefillChunk = 1});
  unsetenv("QRT_FREE_MEMORY");
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.status().code(), StatusCode::ResourceExhausted);
  EXPECT_NE(engine.status().message().find("the machine has 97.7 KiB free"), std::string::npos)
      << engine.status().message();
}

TEST(Sequences, GarbageOfOtherSequencesStaysInvisible) {
  // Fill blocks with a sequence, free them, and check that the next owner sees zeros or its own.
  TinyModel tiny({});
  auto engine = tiny.engine({.threads = 1});
  auto tokens = randomTokens(3, tiny.config.vocab, 12);
  auto expected = tiny.reference(tokens);
  for (int round = 0; round < 3; ++round) {
    int big = *engine->addSequence();
    runChunk(*engine, big, randomTokens(200, tiny.config.vocab, 13 + uint32_t(round)));
    engine->release(big);
    int seq = *engine->addSequence();
    auto rows = runChunk(*engine, seq, tokens);
    for (size_t r = 0; r < 3; ++r)
      for (size_t i = 0; i < 50; ++i)
        ASSERT_NEAR(rows[r][i], expected[r][i], 2e-5);
    engine->release(seq);
  }
}
