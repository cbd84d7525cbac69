//===- CudaInt8Test.cpp - 8-bit activations on a device, against the CPU's -------------------===//
// Both round the same f32 rows to the same codes and multiply them exactly; what lies between the
// products differs by the order of f32 sums. A code falls to the other side of a rounding edge so
// rarely that the seeds here have none; on a device, whose functions round otherwise, one may.
#include "OnDevice.h"

using namespace qrt;
using namespace qrt::test;
using kernels::WeightFormat;

namespace {

class Int8OnDevice : public OnDevice {
protected:
  static double bound() { return realLibrary() ? 2e-2 : 1e-5; }
  /// Caches in f32: what is compared is the products.
  static EngineOptions cpu() { return {.threads = 1, .kv = {DType::F32, DType::F32, {}, {}}}; }
  static EngineOptions cuda(int64_t prefillChunk = 0) {
    EngineOptions options = onDevice({.kv = {DType::F32, DType::F32, {}, {}}});
    if (prefillChunk > 0)
      options.prefillChunk = prefillChunk;
    return options;
  }
};

struct Case {
  const char *name;
  TinyConfig config;
};

TinyConfig int8Config(WeightFormat format, int32_t group, bool symmetric = true) {
  TinyConfig config;
  config.format = format;
  config.activation = "a8";
  config.groupSize = group;
  config.symmetric = symmetric;
  return config;
}

TinyConfig staticConfig() {
  TinyConfig config = int8Config(WeightFormat::U8, 0);
  config.activationScales = {5.0 / 127};
  return config;
}

std::vector<Case> cases() {
  std::vector<Case> list = {{"w8_channel", int8Config(WeightFormat::U8, 0)},
                            {"w8_g32_asymmetric", int8Config(WeightFormat::U8, 32, false)},
                            {"w8_static", staticConfig()},
                            {"w4_g32", int8Config(WeightFormat::U4, 32)},
                            {"w4_g128_asymmetric", int8Config(WeightFormat::U4, 128, false)},
                            {"w3_g64_asymmetric", int8Config(WeightFormat::U3, 64, false)},
                            {"w2_g32", int8Config(WeightFormat::U2, 32)},
                            {"w8_gpt", int8Config(WeightFormat::U8, 0)},
                            {"w4_hadamard", int8Config(WeightFormat::U4, 32)},
                            {"w4_no_select", int8Config(WeightFormat::U4, 64)},
                            {"w4_outliers", int8Config(WeightFormat::U4, 32)}};
  list[7].config.gptStyle = true;
  list[8].config.hadamardBlock = 16;
  list[9].config.selectRows = false;
  list[10].config.outliers = 0.05;
  return list;
}

/// A prompt, in one chunk and in several, then tokens one by one: eager, captured, replayed.
TEST_F(Int8OnDevice, LogitsAreTheCpus) {
  for (const Case &c : cases()) {
    SCOPED_TRACE(c.name);
    TinyModel model(c.config);
    auto tokens = randomTokens(30, c.config.vocab, 7);
    auto reference = model.engine(cpu());
    auto expected = generate(*reference, *reference->addSequence(), tokens, 26);
    for (int64_t chunk : {0, 11}) {
      auto engine = model.engine(cuda(chunk));
      ASSERT_TRUE(engine);
      auto rows = generate(*engine, *engine->addSequence(), tokens, 26);
      EXPECT_LT(relativeDistance(rows, expected), bound()) << "chunks of " << chunk;
    }
  }
}

/// Sequences of unequal length beside one another give what each gives alone.
TEST_F(Int8OnDevice, Batches) {
  TinyModel model(int8Config(WeightFormat::U4, 32));
  const size_t lengths[] = {9, 3, 21};
  const auto vocab = size_t(model.config.vocab);
  auto reference = model.engine(cpu()), engine = model.engine(cuda());
  ASSERT_TRUE(reference && engine);
  std::vector<std::vector<int32_t>> tokens;
  std::vector<std::vector<std::vector<float>>> alone;
  std::vector<Engine::Chunk> chunks;
  for (size_t i = 0; i < 3; ++i) {
    tokens.push_back(randomTokens(lengths[i] + 4, model.config.vocab, uint32_t(20 + i)));
    alone.push_back(generate(*reference, *reference->addSequence(), tokens[i], lengths[i]));
  }
  for (size_t i = 0; i < 3; ++i)
    chunks.push_back(
        {*engine->addSequence(), std::span(tokens[i]).first(lengths[i]), Engine::Logits::Last});
  for (size_t ahead = 0; ahead <= 4; ++ahead) {
    auto result = engine->step(chunks);
    ASSERT_TRUE(result) << result.status().message();
    ASSERT_EQ(result->rows, 3);
    for (size_t i = 0; i < 3; ++i) {
      const std::vector<std::vector<float>> row = {
          {result->logits + i * vocab, result->logits + (i + 1) * vocab}};
      EXPECT_LT(relativeDistance(row, std::vector(1, alone[i][lengths[i] - 1 + ahead])), bound())
          << "sequence " << i << ", " << ahead << " tokens on";
      chunks[i].tokens = std::span(tokens[i]).subspan(lengths[i] + std::min<size_t>(ahead, 3), 1);
    }
  }
}

/// Tokens of either set and of both in one step, also where only some linears have two weights:
/// those of the first set round the input that they would have found rounded.
TEST_F(Int8OnDevice, SecondWeightSet) {
  for (const char *which : {"", "q", "k", "gate"}) {
    SCOPED_TRACE(which);
    TinyConfig config = int8Config(WeightFormat::U8, 32);
    config.layers = 1;
    config.alternates =
        WeightFormat::F32; // computed in f32, so that the codes behind are the CPU's
    config.alternatesOf = which;
    TinyModel model(config);
    EngineOptions both = cuda(), bothOnCpu = cpu();
    both.alternateWeights = bothOnCpu.alternateWeights = true;
    auto reference = model.engine(bothOnCpu), engine = model.engine(both);
    ASSERT_TRUE(reference && engine);
    const int seqs[] = {*reference->addSequence(), *reference->addSequence()};
    ASSERT_EQ(*engine->addSequence(), seqs[0]);
    ASSERT_EQ(*engine->addSequence(), seqs[1]);
    const std::vector<int32_t> tokens[] = {randomTokens(9, config.vocab, 30),
                                           randomTokens(9, config.vocab, 31)};
    for (size_t t = 3; t < 9; ++t) {
      std::vector<Engine::Chunk> chunks;
      for (size_t s = 0; s < 2; ++s) {
        const std::span<const int32_t> all = tokens[s];
        chunks.push_back({seqs[s], t == 3 ? all.first(4) : all.subspan(t, 1), Engine::Logits::Last,
                          t % 3 == 0 || (s == 1 && t % 2 == 0)});
      }
      auto expected = reference->step(chunks), result = engine->step(chunks);
      ASSERT_TRUE(expected && result) << result.status().message();
      const size_t count = 2 * size_t(config.vocab);
      const std::vector<std::vector<float>> a = {{result->logits, result->logits + count}},
                                            b = {{expected->logits, expected->logits + count}};
      EXPECT_LT(relativeDistance(a, b), bound()) << "token " << t;
    }
  }
}

/// One rounding for q, k and v and one for gate and up; of few rows also one product each.
TEST_F(Int8OnDevice, RoundsEachInputOnce) {
  if (realLibrary())
    GTEST_SKIP() << "only the emulated device names its launches";
  for (TinyConfig config : {int8Config(WeightFormat::U4, 32), staticConfig()}) {
    config.layers = 2;
    TinyModel model(config);
    auto engine = model.engine(cuda());
    ASSERT_TRUE(engine);
    for (size_t rows : {1, 20}) {
      const Launches launches([&] {
        runChunk(*engine, *engine->addSequence(), randomTokens(rows, config.vocab, 7),
                 Engine::Logits::Last);
      });
      EXPECT_EQ(launches.of("QuantizeKernel"), 2 * 4 + 1);               // o, down, and the head
      EXPECT_EQ(launches.of("StreamInt8"), (rows == 1 ? 2 * 4 : 0) + 1); // the head: one row
      EXPECT_EQ(launches.of("Norm"), 2 * 4 + 1); // those of q and k too; no part of the products
      EXPECT_EQ(launches.of("Int8Linear"), rows == 1 ? 0 : 2 * 7);
      EXPECT_EQ(launches.of("Gated"), rows == 1 ? 0 : 2);
    }
  }
}

TEST_F(Int8OnDevice, OrderOfThreadsDoesNotMatter) {
  if (realLibrary())
    GTEST_SKIP() << "settings of the emulated device";
  TinyConfig config = int8Config(WeightFormat::U3, 64, false);
  config.layers = 1;
  TinyModel model(config);
  expectAnyOrderOfThreads(model, cuda());
}

} // namespace
