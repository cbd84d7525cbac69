//===- CudaEngineTest.cpp - The engine of a device, on the emulated device -------------------===//
// The whole path: loader, table, memory, upload and repacking, launches, graphs; the kernels are
// the sources of the device's, emulated (docs/cuda.md). Logits are compared with the float64
// reference and with the CPU's engine.
#include "OnDevice.h"

#include "Sampling/SampleLists.h"
#include "Sampling/Sampler.h"

#include <cmath>
#include <tuple>

using namespace qrt;
using namespace qrt::test;
using kernels::WeightFormat;

namespace {

class Emulated : public OnDevice {};

struct Case {
  const char *name;
  TinyConfig config;
  double tolerance; ///< relative to the largest logit
};

std::vector<Case> cases() {
  std::vector<Case> list;
  auto add = [&](const char *name, double tolerance, auto change) {
    TinyConfig config;
    config.layers = 2;
    change(config);
    list.push_back({name, config, tolerance});
  };
  // f32 throughout: only the order of sums and the functions differ.
  const double exact = 4e-6;
  add("f32", exact, [](TinyConfig &) {});
  add("f32_window", exact, [](TinyConfig &c) { c.window = 5; });
  add("f32_one_kv_head", exact, [](TinyConfig &c) { c.kvHeads = 1; });
  add("f32_interleaved", exact, [](TinyConfig &c) {
    c.interleavedRope = true;
    c.ropeScaling = 1.25;
  });
  add("f32_softcap", exact, [](TinyConfig &c) { c.softcap = 3; });
  add("f32_gpt", exact, [](TinyConfig &c) {
    c.gptStyle = true;
    c.window = 7;
  });
  add("f32_no_select", exact, [](TinyConfig &c) { c.selectRows = false; });
  add("f32_hadamard", 6e-6, [](TinyConfig &c) {
    c.hadamardBlock = 80;
    c.hadamardBase = 5;
  });
  add("w8_f32", exact, [](TinyConfig &c) { c.format = WeightFormat::U8; });
  // Tensor cores: inputs of products are f16 (2^-11) or bf16 (2^-8).
  auto halves = [&](const char *name, WeightFormat format, int group, bool symmetric,
                    double tolerance) {
    add(name, tolerance, [=](TinyConfig &c) {
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
  add("w4_gpt", 3e-3, [](TinyConfig &c) {
    c.format = WeightFormat::U4;
    c.activation = "a16";
    c.gptStyle = true;
  });
  add("w4_hadamard", 3e-3, [](TinyConfig &c) {
    c.format = WeightFormat::U4;
    c.activation = "a16";
    c.hadamardBlock = 16;
  });
  add("w4_no_select", 3e-3, [](TinyConfig &c) {
    c.format = WeightFormat::U4;
    c.activation = "a16";
    c.selectRows = false;
  });
  // Outliers: f32 products of f16 values.
  add("w4_f32_outliers", exact, [](TinyConfig &c) {
    c.format = WeightFormat::U4;
    c.outliers = 0.05;
  });
  auto outliers = [&](const char *name, WeightFormat format, bool gpt) {
    add(name, 3e-3, [=](TinyConfig &c) {
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
  for (const Case &c : cases()) {
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

/// q, k, v and gate, up are one launch each, with the norm before them; with more rows the norms
/// and with many the products are launches of their own.
TEST_F(Emulated, ProductsOfOneInputAreOneLaunch) {
  if (realLibrary())
    GTEST_SKIP() << "only the emulated device names its launches";
  TinyConfig config;
  config.format = WeightFormat::U4;
  config.activation = "a16";
  TinyModel model(config);
  for (auto [tokens, streams, residents, norms, gates] :
       {std::tuple{1, 4, 0, 0, 0}, std::tuple{9, 0, 4, 2, 0}, std::tuple{17, 0, 0, 2, 1}}) {
    SCOPED_TRACE(tokens);
    auto engine = model.engine(onDevice());
    ASSERT_TRUE(engine);
    const Launches launches([&] {
      runChunk(*engine, *engine->addSequence(), randomTokens(size_t(tokens), config.vocab, 7),
               Engine::Logits::Last);
    });
    const auto layers = int(config.layers);
    EXPECT_EQ(launches.of("StreamLinear"), layers * streams + 1); // and the head
    EXPECT_EQ(launches.of("ResidentLinear"), layers * residents);
    EXPECT_EQ(launches.of("Norm"), layers * (norms + 2) + 1); // those of q and k, the last
    EXPECT_EQ(launches.of("GatedKernel"), layers * gates);
    EXPECT_EQ(launches.of("RopeKernel"), 0); // the append rotates
  }
}

/// q, k and v stay one launch, and so do gate and up; but their product, which needs the outliers,
/// is a launch of its own.
TEST_F(Emulated, OutliersAreAddedBehindProducts) {
  if (realLibrary())
    GTEST_SKIP() << "only the emulated device names its launches";
  TinyConfig config;
  config.layers = 1;
  config.format = WeightFormat::U4;
  config.activation = "a16";
  config.outliers = 0.05;
  TinyModel model(config);
  for (auto [tokens, products] : {std::pair{1, 4}, std::pair{17, 0}}) {
    auto engine = model.engine(onDevice());
    ASSERT_TRUE(engine);
    const Launches launches([&] {
      runChunk(*engine, *engine->addSequence(), randomTokens(size_t(tokens), config.vocab, 7),
               Engine::Logits::Last);
    });
    EXPECT_EQ(launches.of("StreamLinear"), products + 1); // and the head
    EXPECT_EQ(launches.of("SparseAdd"), 7 + 1);
    EXPECT_EQ(launches.of("GatedKernel"), 1);
  }
}

TEST_F(Emulated, KeysAndValuesOfEveryType) {
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

TEST_F(Emulated, MemoryThatIsNotThere) {
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

TEST_F(Emulated, FullCacheLeavesSequencesAsTheyWere) {
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

TEST_F(Emulated, WrongInputIsRefused) {
  TinyModel plain(TinyConfig{});
  auto engine = plain.engine(onDevice());
  ASSERT_TRUE(engine);
  const int32_t far[] = {int32_t(plain.config.vocab)};
  const int seq = *engine->addSequence();
  Engine::Chunk chunk{seq, far, Engine::Logits::Last};
  EXPECT_EQ(engine->step({&chunk, 1}).status().code(), StatusCode::InvalidArgument);
}

/// Steps of one set and of both, eager and as graphs: each token is multiplied with its own set,
/// the first's with its outliers.
TEST_F(Emulated, SecondWeightSet) {
  for (auto [second, outliers] :
       {std::pair{WeightFormat::F16, 0.0}, std::pair{WeightFormat::F16, 0.1},
        std::pair{WeightFormat::BF16, 0.0}, std::pair{WeightFormat::F32, 0.0}}) {
    SCOPED_TRACE(testing::Message() << int(second) << ", outliers " << outliers);
    TinyConfig config;
    config.layers = 1;
    config.format = WeightFormat::U4;
    config.activation = "a16";
    config.alternates = second;
    config.outliers = outliers;
    TinyModel model(config);
    auto engine = model.engine(onDevice({.alternateWeights = true}));
    ASSERT_TRUE(engine && engine->alternateWeights());
    std::vector<std::vector<int32_t>> tokens;
    std::vector<std::vector<bool>> sets;
    std::vector<std::vector<std::vector<double>>> expected;
    std::vector<int> seqs;
    for (uint32_t s = 0; s < 3; ++s) {
      tokens.push_back(randomTokens(9, config.vocab, 30 + s));
      sets.emplace_back();
      for (size_t t = 0; t < 9; ++t) // 0: never, 1: always, 2: by turns behind the prompt
        sets[s].push_back(s == 1 || (s == 2 && t >= 4 && t % 2));
      expected.push_back(model.reference(tokens[s], sets[s]));
      seqs.push_back(*engine->addSequence());
    }
    for (size_t t = 3; t < 9; ++t) {
      std::vector<Engine::Chunk> chunks;
      for (size_t s = 0; s < 3; ++s) {
        const std::span<const int32_t> all = tokens[s];
        chunks.push_back(
            {seqs[s], t == 3 ? all.first(4) : all.subspan(t, 1), Engine::Logits::Last, sets[s][t]});
      }
      auto result = engine->step(chunks);
      ASSERT_TRUE(result) << result.status().message();
      ASSERT_EQ(result->rows, 3);
      for (size_t s = 0; s < 3; ++s) {
        const std::vector<std::vector<float>> row = {
            {result->logits + s * size_t(config.vocab),
             result->logits + (s + 1) * size_t(config.vocab)}};
        EXPECT_LT(relativeDistance(row, std::vector<std::vector<double>>(1, expected[s][t])), 3e-2)
            << "sequence " << s << ", token " << t;
      }
    }
  }
  // Off unless asked for.
  TinyConfig config;
  config.layers = 1;
  config.alternates = WeightFormat::F16;
  TinyModel model(config);
  auto engine = model.engine(onDevice());
  const int32_t id[] = {1};
  Engine::Chunk chunk{*engine->addSequence(), id, Engine::Logits::Last, true};
  EXPECT_EQ(engine->step({&chunk, 1}).status().code(), StatusCode::InvalidArgument);
}

/// Prompts and decode steps (eager, captured, replayed): the tokens are those that the sampler of
/// the CPU chooses from the same engine's logits.
TEST_F(Emulated, TokensChosenOnTheDevice) {
  TinyModel model(TinyConfig{.layers = 1});
  const auto vocab = int32_t(model.config.vocab);
  auto plain = model.engine(onDevice()), choosing = model.engine(onDevice());
  ASSERT_TRUE(plain && choosing);
  ASSERT_GT(choosing->maxSampleEntries(), 0);
  Sampler sampler(vocab);
  SampleLists lists(vocab);
  SamplingOptions options;
  options.temperature = 1.2f;
  options.topK = 30;
  options.repetitionPenalty = 1.2f;
  options.logitBias = {{4, 1.5f}};
  std::vector<std::vector<int32_t>> tokens;
  std::vector<int> seqs;
  for (uint32_t i = 0; i < 3; ++i) {
    tokens.push_back(randomTokens(2 + 3 * i, vocab, 40 + i));
    seqs.push_back(*plain->addSequence());
    ASSERT_EQ(*choosing->addSequence(), seqs.back());
  }
  size_t fed = 0;
  for (int step = 0; step < 6; ++step, fed = 1) {
    std::vector<Engine::Chunk> chunks;
    std::vector<SampleRow> rows;
    std::vector<SampleEntry> entries;
    for (size_t i = 0; i < 3; ++i) {
      std::span<const int32_t> all = tokens[i];
      chunks.push_back({seqs[i], fed ? all.last(1) : all, Engine::Logits::Last});
      options.seed = i;
      ASSERT_TRUE(lists.fill({all, 0}, options, {}, 0, rows.emplace_back(), entries));
    }
    auto logits = plain->step(chunks);
    ASSERT_TRUE(logits) << logits.status().message();
    auto chosen = choosing->stepAndSample(chunks, rows, entries);
    ASSERT_TRUE(chosen) << chosen.status().message();
    ASSERT_EQ(chosen->size(), 3u);
    for (size_t i = 0; i < 3; ++i) {
      options.seed = i;
      auto expected = sampler.sample(logits->logits + int64_t(i) * vocab, {tokens[i], 0}, options);
      ASSERT_TRUE(expected);
      ASSERT_EQ((*chosen)[i].token, expected->token) << "step " << step << ", sequence " << i;
    }
    for (size_t i = 0; i < 3; ++i)
      tokens[i].push_back((*chosen)[i].token);
  }
  // A request that does not fit the chunks.
  Engine::Chunk chunk{seqs[0], std::span<const int32_t>(tokens[0]).last(1), Engine::Logits::Last};
  EXPECT_EQ(choosing->stepAndSample({&chunk, 1}, {}, {}).status().code(),
            StatusCode::InvalidArgument);
  const SampleEntry far[] = {{vocab, 0}};
  const SampleRow row;
  EXPECT_EQ(choosing->stepAndSample({&chunk, 1}, {&row, 1}, far).status().code(),
            StatusCode::InvalidArgument);
  EXPECT_EQ(choosing->length(seqs[0]), plain->length(seqs[0]));
}

} // namespace
