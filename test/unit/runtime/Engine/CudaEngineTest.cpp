//===- CudaEngineTest.cpp - The engine of a device, on the emulated device -------------------===//
// The whole path: loader, table, memory, upload and repacking, launches, graphs; the kernels are
// the sources of the device's, emulated (docs/cuda.md). Logits are compared with the float64
// reference and with the CPU's engine.
#include "OnDevice.h"
#include "TinyCases.h"

using namespace qrt;
using namespace qrt::test;
using kernels::WeightFormat;

namespace {

class Emulated : public OnDevice {};

TinyCases cases() {
  TinyCases list;
  const double exact = 4e-6; // f32 throughout: only the order of sums and the functions differ
  list.addStructures(exact);
  list.add("w8_f32", exact, [](TinyConfig &c) { c.format = WeightFormat::U8; });
  // Tensor cores: inputs of products are f16 (2^-11) or bf16 (2^-8).
  auto halves = [&](const char *name, WeightFormat format, int group, bool symmetric,
                    double tolerance) {
    list.add(name, tolerance, [=](TinyConfig &c) {
      c.format = format;
      c.activation = "a16";
      c.groupSize = group;
      c.symmetric = symmetric;
    });
  };
  halves("w8_channel", WeightFormat::U8, 0, true, 3e-3);
  halves("w8_g32_asymmetric", WeightFormat::U8, 32, false, 3e-3);
  halves("w4_g32", WeightFormat::U4, 32, true, 3e-3);
  halves("w4_g64_asymmetric", WeightFormat::U4, 64, false, 3e-3);
  halves("w4_channel", WeightFormat::U4, 0, true, 3e-3);
  halves("w3_g128_asymmetric", WeightFormat::U3, 128, false, 3e-3);
  halves("w2_g32", WeightFormat::U2, 32, true, 3e-3);
  halves("f16", WeightFormat::F16, 0, true, 3e-3);
  halves("bf16", WeightFormat::BF16, 0, true, 3e-2);
  list.add("w4_gpt", 3e-3, [](TinyConfig &c) {
    c.format = WeightFormat::U4;
    c.activation = "a16";
    c.gptStyle = true;
  });
  list.add("w4_hadamard", 3e-3, [](TinyConfig &c) {
    c.format = WeightFormat::U4;
    c.activation = "a16";
    c.hadamardBlock = 16;
  });
  list.add("w4_no_select", 3e-3, [](TinyConfig &c) {
    c.format = WeightFormat::U4;
    c.activation = "a16";
    c.selectRows = false;
  });
  // Outliers: f32 products of f16 values.
  list.add("w4_f32_outliers", exact, [](TinyConfig &c) {
    c.format = WeightFormat::U4;
    c.outliers = 0.05;
  });
  auto outliers = [&](const char *name, WeightFormat format, bool gpt) {
    list.add(name, 3e-3, [=](TinyConfig &c) {
      c.format = format;
      c.activation = "a16";
      c.gptStyle = gpt;
      c.outliers = 0.1;
    });
  };
  outliers("w4_outliers", WeightFormat::U4, false);
  outliers("w3_outliers_gpt", WeightFormat::U3, true);
  return list;
}

/// Prompt in one chunk, then tokens one by one: eagerly first, then captured, then replayed.
TEST_F(Emulated, LogitsAgainstTheReference) {
  for (const TinyCase &c : cases().list) {
    SCOPED_TRACE(c.name);
    TinyModel model(c.config);
    auto engine = model.engine(onDevice());
    ASSERT_TRUE(engine);
    EXPECT_EQ(engine->vocabSize(), c.config.vocab);
    auto tokens = randomTokens(14, c.config.vocab, 7);
    auto rows = generate(*engine, *engine->addSequence(), tokens, 9);
    EXPECT_LT(relativeDistance(rows, model.reference(tokens)), c.tolerance);
  }
}

/// More tokens than a chunk, several blocks of the cache, logits of every row.
TEST_F(Emulated, ChunksAndBlocks) {
  TinyConfig config;
  config.layers = 1;
  TinyModel model(config);
  auto tokens = randomTokens(150, config.vocab, 11);
  auto engine = model.engine(onDevice({.prefillChunk = 70}));
  ASSERT_TRUE(engine);
  const int seq = *engine->addSequence();
  auto rows = generate(*engine, seq, tokens, 146);
  EXPECT_LT(relativeDistance(rows, model.reference(tokens)), 4e-6);
  EXPECT_EQ(engine->length(seq), 150);
  EXPECT_EQ(engine->stats().kvPagesInUse, 3);
  EXPECT_EQ(engine->stats().tokens, 150);
  // Forget and write again: the same logits, from blocks that were used before.
  ASSERT_TRUE(engine->truncate(seq, 60));
  EXPECT_EQ(engine->stats().kvPagesInUse, 1);
  auto again = runChunk(*engine, seq, std::span(tokens).subspan(60, 30));
  for (size_t i = 0; i < again.size(); ++i)
    for (size_t v = 0; v < again[i].size(); ++v)
      ASSERT_NEAR(again[i][v], rows[60 + i][v], 1e-4) << i;
  engine->release(seq);
  EXPECT_EQ(engine->stats().kvPagesInUse, 0);
  EXPECT_EQ(engine->length(seq), -1);
}

/// Three sequences of unequal length, prompts and single tokens mixed, then steps of a graph.
TEST_F(Emulated, BatchesGiveWhatSequencesGiveAlone) {
  TinyConfig config;
  config.format = WeightFormat::U4;
  config.activation = "a16";
  TinyModel model(config);
  const size_t lengths[] = {9, 3, 21};
  std::vector<std::vector<int32_t>> tokens;
  std::vector<std::vector<std::vector<float>>> alone;
  for (size_t i = 0; i < 3; ++i) {
    tokens.push_back(randomTokens(lengths[i] + 5, config.vocab, uint32_t(20 + i)));
    auto engine = model.engine(onDevice());
    ASSERT_TRUE(engine);
    alone.push_back(generate(*engine, *engine->addSequence(), tokens[i], lengths[i]));
  }
  auto engine = model.engine(onDevice());
  ASSERT_TRUE(engine);
  std::vector<int> seqs;
  std::vector<Engine::Chunk> chunks;
  for (size_t i = 0; i < 3; ++i) {
    seqs.push_back(*engine->addSequence());
    chunks.push_back({seqs[i], std::span(tokens[i]).first(lengths[i]), Engine::Logits::Last});
  }
  // wgmma, which many rows take on a device of sm_90, rounds scaled weights to f16.
  const double bound = realLibrary() ? 5e-3 : 2e-3;
  auto check = [&](size_t ahead) {
    auto result = engine->step(chunks);
    ASSERT_TRUE(result) << result.status().message();
    ASSERT_EQ(result->rows, 3);
    for (size_t i = 0; i < 3; ++i)
      for (int32_t v = 0; v < config.vocab; ++v)
        ASSERT_NEAR(result->logits[int32_t(i) * int32_t(config.vocab) + v],
                    alone[i][lengths[i] - 1 + ahead][size_t(v)], bound)
            << "sequence " << i << ", " << ahead << " tokens on";
  };
  check(0);
  for (size_t ahead = 1; ahead <= 5; ++ahead) {
    for (size_t i = 0; i < 3; ++i)
      chunks[i].tokens = std::span(tokens[i]).subspan(lengths[i] + ahead - 1, 1);
    check(ahead);
  }
}

TEST_F(Emulated, OrderOfThreadsDoesNotMatter) {
  if (realLibrary())
    GTEST_SKIP() << "settings of the emulated device";
  TinyConfig config;
  config.layers = 1;
  config.format = WeightFormat::U4;
  config.activation = "a16";
  TinyModel model(config);
  expectAnyOrderOfThreads(model, onDevice());
}

TEST_F(Emulated, WrongInputIsRefused) {
  TinyModel plain(TinyConfig{});
  auto engine = plain.engine(onDevice());
  ASSERT_TRUE(engine);
  const int32_t far[] = {int32_t(plain.config.vocab)};
  const int seq = *engine->addSequence();
  Engine::Chunk chunk{seq, far, Engine::Logits::Last};
  EXPECT_EQ(engine->step({&chunk, 1}).status().code(), StatusCode::InvalidArgument);
}

} // namespace
