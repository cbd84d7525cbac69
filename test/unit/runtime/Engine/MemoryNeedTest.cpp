//===- MemoryNeedTest.cpp - What is foretold is what is taken ---------------------------------===//
#include "Engine/MemoryNeed.h"
#include "TinyModel.h"

#include <filesystem>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;

TEST(MemoryNeed, IsWhatASequenceTakes) {
  for (DType type : {DType::F32, DType::F16}) {
    TinyModel tiny({});
    auto model = tiny.load();
    const auto bytes = static_cast<int64_t>(std::filesystem::file_size(tiny.path));
    EngineOptions options{.threads = 2, .prefillChunk = 32, .kv = {.keys = type, .values = type}};
    const int64_t context = 200;
    const MemoryNeed need = memoryNeed(model->program(), bytes, options, context);
    EXPECT_EQ(need.weights, bytes);

    // Exactly that much is enough for a prompt in chunks and steps behind it.
    options.maxMemory = need.activations + need.kv;
    auto engine = tiny.engine(options);
    ASSERT_TRUE(engine);
    int seq = *engine->addSequence();
    std::vector<int32_t> tokens = randomTokens(context, tiny.config.vocab, 3);
    auto step = [&](int64_t first, int64_t count) {
      return engine
          ->step(std::vector<Engine::Chunk>{
              {seq, std::span(tokens).subspan(first, count), Engine::Logits::Last}})
          .status();
    };
    Status prompt = step(0, 150);
    ASSERT_TRUE(prompt) << prompt.message();
    for (int64_t t = 150; t < context; ++t)
      ASSERT_TRUE(step(t, 1)) << t;
    EXPECT_EQ(engine->stats().kvBytes, need.kv);
    EXPECT_LE(engine->stats().arenaBytes, need.activations);
    EXPECT_GE(engine->stats().arenaBytes, need.activations * 6 / 10);

    // A block less is not.
    options.maxMemory -= need.kv / 2;
    auto small = tiny.engine(options);
    ASSERT_TRUE(small);
    seq = *small->addSequence();
    EXPECT_EQ(small
                  ->step(std::vector<Engine::Chunk>{
                      {seq, std::span<const int32_t>(tokens), Engine::Logits::Last}})
                  .status()
                  .code(),
              StatusCode::ResourceExhausted);
  }
}
