//===- CudaKvTest.cpp - Caches of two types, and precise tokens beside codes, on a device -----===//
// Against the CPU's engine, whose codes and precise tokens are the same; scores and sums are of f16
// numbers here and of 16-bit integers there.
#include "OnDevice.h"

using namespace qrt;
using namespace qrt::test;

namespace {

class KvOnDevice : public OnDevice {
protected:
  static constexpr double bound = 6e-3;
  static EngineOptions cpu(const KvOptions &kv) { return {.threads = 1, .kv = kv}; }
  static EngineOptions cuda(const KvOptions &kv) {
    return onDevice({.prefillChunk = 48, .kv = kv});
  }
};

/// Where nobody says a type: that of the file, f32 where products are of f32, else f16.
TEST_F(KvOnDevice, DefaultTypes) {
  const EngineOptions options = {.device = {.kind = DeviceKind::Cuda}};
  auto typeOf = [&](const TinyConfig &config, const KvOptions &kv = {}) {
    EngineOptions chosen = options;
    chosen.kv = kv;
    auto engine = TinyModel(config).engine(chosen);
    return engine ? kvText(engine->stats().kv) : "no engine";
  };
  TinyConfig coded;
  coded.format = kernels::WeightFormat::U4;
  coded.activation = "a16";
  EXPECT_EQ(typeOf(TinyConfig{}), "f32");
  EXPECT_EQ(typeOf(coded), "f16");
  EXPECT_EQ(typeOf(coded, {DType::F32, DType::F32, {}, {}}), "f32");
  EXPECT_EQ(typeOf(coded, {DType::I8, {}, {}, {}}), "k=int8,v=f32");
}

/// Against the float64 reference.
TEST_F(KvOnDevice, KeysAndValuesOfEveryType) {
  TinyModel model(TinyConfig{});
  auto tokens = randomTokens(12, model.config.vocab, 3);
  const std::pair<DType, double> types[] = {{DType::F32, 4e-6},
                                            {DType::F16, 2e-3},
                                            {DType::BF16, 2e-2},
                                            {DType::I8, 3e-2},
                                            {DType::I4, 3e-1}};
  for (auto [type, tolerance] : types) {
    SCOPED_TRACE(std::string(name(type)));
    const bool coded = type == DType::I8 || type == DType::I4;
    auto zero = coded ? std::optional<int64_t>(0) : std::nullopt;
    auto engine = model.engine(onDevice({.kv = {type, type, zero, zero}}));
    ASSERT_TRUE(engine);
    auto rows = generate(*engine, *engine->addSequence(), tokens, 8);
    const double distance = relativeDistance(rows, model.reference(tokens));
    EXPECT_LT(distance, tolerance);
    EXPECT_GT(distance, tolerance / 300) << "the type had no effect";
  }
}

/// Of two types: keys and values have the CPU's codes.
TEST_F(KvOnDevice, KeysAndValuesOfTwoTypes) {
  TinyModel model(TinyConfig{});
  auto tokens = randomTokens(12, model.config.vocab, 3);
  for (auto [keys, values] : {std::pair{DType::I8, DType::I4}, std::pair{DType::I4, DType::I8},
                              std::pair{DType::F16, DType::I8}, std::pair{DType::F32, DType::I4}}) {
    SCOPED_TRACE(std::string(name(keys)) + " " + std::string(name(values)));
    const KvOptions kv = {keys, values, 0, 0};
    auto reference = model.engine(cpu(kv)), engine = model.engine(cuda(kv));
    ASSERT_TRUE(reference && engine);
    auto expected = generate(*reference, *reference->addSequence(), tokens, 8);
    auto rows = generate(*engine, *engine->addSequence(), tokens, 8);
    EXPECT_LT(relativeDistance(rows, expected), bound);
    EXPECT_GT(relativeDistance(expected, model.reference(tokens)), 1e-3);
    EXPECT_EQ(engine->stats().kv, (KvSpec{keys, values}));
  }
}

/// A prompt of several chunks and blocks, tokens, a short and a long roll-back: what is precise
/// depends on the position alone, and a long roll-back leaves codes behind, as on the CPU.
TEST_F(KvOnDevice, PreciseTokensBesideCodes) {
  TinyConfig config;
  config.layers = 1;
  config.window = 90;
  TinyModel model(config);
  auto tokens = randomTokens(236, model.config.vocab, 4);
  const KvOptions some[] = {{DType::I4, DType::I4, 4, 16},
                            {DType::I4, DType::I4, 70, 0},
                            {DType::I4, DType::I8, 2, 40},
                            {DType::I8, DType::I4, 0, 5},
                            {DType::F32, DType::I4, 4, 16}};
  for (const KvOptions &kv : some) {
    SCOPED_TRACE(kvText({*kv.keys, *kv.values, *kv.sink, *kv.recent}));
    auto reference = model.engine(cpu(kv)), engine = model.engine(cuda(kv));
    ASSERT_TRUE(reference && engine);
    const int there = *reference->addSequence(), here = *engine->addSequence();
    auto expect = [&](std::span<const int32_t> part, size_t prompt) {
      auto expected = generate(*reference, there, part, prompt);
      EXPECT_LT(relativeDistance(generate(*engine, here, part, prompt), expected), bound);
      return expected;
    };
    auto precise = expect(tokens, 233);
    for (int64_t length : {210, 90, 3}) {
      ASSERT_TRUE(reference->truncate(there, length) && engine->truncate(here, length));
      expect(std::span(tokens).subspan(20, 6), 4);
    }
    engine->release(here);
    EXPECT_EQ(engine->stats().kvPagesInUse, 0);
    // It matters.
    auto coded = model.engine(cpu({kv.keys, kv.values, 0, 0}));
    EXPECT_GT(relativeDistance(generate(*coded, *coded->addSequence(), tokens, 233), precise),
              4 * bound);
  }
}

/// Sequences of unequal length in one step: prompts, then tokens of a graph.
TEST_F(KvOnDevice, BatchesWithPreciseTokens) {
  TinyModel model(TinyConfig{.layers = 1});
  const KvOptions kv = {DType::I4, DType::I4, 4, 12};
  auto reference = model.engine(cpu(kv)), engine = model.engine(cuda(kv));
  ASSERT_TRUE(reference && engine);
  const size_t lengths[] = {30, 3, 80};
  std::vector<std::vector<int32_t>> tokens;
  std::vector<Engine::Chunk> chunks;
  for (size_t i = 0; i < 3; ++i) {
    tokens.push_back(randomTokens(lengths[i] + 4, model.config.vocab, uint32_t(50 + i)));
    chunks.push_back(
        {*engine->addSequence(), std::span(tokens[i]).first(lengths[i]), Engine::Logits::Last});
    ASSERT_EQ(*reference->addSequence(), chunks[i].seq);
  }
  const size_t count = 3 * size_t(model.config.vocab);
  for (size_t ahead = 0; ahead <= 4; ++ahead) {
    auto expected = reference->step(chunks), result = engine->step(chunks);
    ASSERT_TRUE(expected && result) << result.status().message();
    const std::vector<std::vector<float>> a = {{result->logits, result->logits + count}},
                                          b = {{expected->logits, expected->logits + count}};
    EXPECT_LT(relativeDistance(a, b), bound) << ahead << " tokens on";
    for (size_t i = 0; i < 3; ++i)
      chunks[i].tokens = std::span(tokens[i]).subspan(lengths[i] + std::min<size_t>(ahead, 3), 1);
  }
}

/// Blocks of precise tokens run out before those of codes do.
TEST_F(KvOnDevice, FullPreciseCacheLeavesSequencesAsTheyWere) {
  TinyModel model(TinyConfig{.layers = 1});
  EngineOptions options = cuda({DType::I4, DType::I4, 4, 64});
  options.maxContext = 1024;
  std::unique_ptr<Engine> engine;
  for (options.maxMemory = 1 << 16; !engine; options.maxMemory += 1 << 16) {
    auto made = Engine::create(model.load(), options);
    if (made)
      engine = made.takeValue();
    ASSERT_LT(options.maxMemory, 1 << 25);
  }
  const int32_t token[] = {1};
  std::vector<int> seqs;
  for (Status status = Status::ok(); status;) {
    ASSERT_LT(seqs.size(), 1000u);
    seqs.push_back(*engine->addSequence());
    const Engine::Chunk chunk{seqs.back(), token, Engine::Logits::Last};
    status = engine->step({&chunk, 1}).status();
    if (!status) {
      EXPECT_EQ(status.code(), StatusCode::ResourceExhausted);
      EXPECT_NE(status.message().find("precise"), std::string::npos) << status.message();
    }
  }
  ASSERT_GT(seqs.size(), 2u);
  EXPECT_EQ(engine->length(seqs.back()), 0);
  engine->release(seqs[0]);
  const Engine::Chunk chunk{seqs.back(), token, Engine::Logits::Last};
  EXPECT_TRUE(engine->step({&chunk, 1}));
}

} // namespace
