//===- CudaMemoryTest.cpp - A device without the memory that a model needs -------------------===//
#include "OnDevice.h"

using namespace qrt;
using namespace qrt::test;

namespace {

class MemoryOnDevice : public OnDevice {};

TEST_F(MemoryOnDevice, MemoryThatIsNotThere) {
  if (realLibrary())
    GTEST_SKIP() << "settings of the emulated device";
  TinyModel model(TinyConfig{});
  device("memory=1000000");
  auto refused = Engine::create(model.load(), onDevice());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.status().exitCode(), 13);
  EXPECT_NE(refused.status().message().find("not enough memory on the device: "), std::string::npos)
      << refused.status().message();
  EXPECT_NE(refused.status().message().find("(weights "), std::string::npos);
  // auto: the CPU, with one line.
  std::vector<std::string> notices;
  EngineOptions options;
  options.device.kind = DeviceKind::Auto;
  options.notice = [&](const std::string &text) { notices.push_back(text); };
  EXPECT_TRUE(Engine::create(model.load(), options));
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_NE(notices[0].find("using the CPU: CUDA: not enough memory"), std::string::npos);

  device("");
  refused = Engine::create(model.load(), onDevice({.maxMemory = 100000}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.status().code(), StatusCode::ResourceExhausted);
}

TEST_F(MemoryOnDevice, FullCacheLeavesSequencesAsTheyWere) {
  TinyConfig config;
  config.layers = 1;
  TinyModel model(config);
  // Room for the activations and a few blocks only.
  auto probe = model.engine(onDevice({.prefillChunk = 64}));
  ASSERT_TRUE(probe);
  const int64_t fixed = probe->stats().arenaBytes;
  std::unique_ptr<Engine> engine;
  for (int64_t limit = fixed; !engine; limit += 1 << 16) {
    auto made = Engine::create(
        model.load(), onDevice({.maxContext = 4096, .prefillChunk = 64, .maxMemory = limit}));
    if (made)
      engine = made.takeValue();
    ASSERT_LT(limit, fixed + (1 << 24));
  }
  const int seq = *engine->addSequence();
  auto tokens = randomTokens(4000, config.vocab, 1);
  Engine::Chunk chunk{seq, tokens, Engine::Logits::Last};
  auto result = engine->step({&chunk, 1});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.status().code(), StatusCode::ResourceExhausted) << result.status().message();
  EXPECT_NE(result.status().message().find("KV cache"), std::string::npos);
  EXPECT_EQ(engine->length(seq), 0);
  EXPECT_EQ(engine->stats().kvPagesInUse, 0);
  chunk.tokens = std::span(tokens).first(5);
  EXPECT_TRUE(engine->step({&chunk, 1}));
}

} // namespace
