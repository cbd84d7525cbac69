//===- AlternateTest.cpp - Two weight sets in one batch ---------------------------------------===//
#include "Format/AlternateSet.h"
#include "TinyModel.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;
using kernels::WeightFormat;

namespace {

TinyConfig withAlternates(WeightFormat alternates, bool gpt = false) {
  TinyConfig config;
  config.format = WeightFormat::U4;
  config.activation = "a16";
  config.gptStyle = gpt;
  config.alternates = alternates;
  return config;
}

double distance(const float *row, const std::vector<double> &expected) {
  double worst = 0, scale = 1e-30;
  for (size_t i = 0; i < expected.size(); ++i) {
    worst = std::max(worst, std::abs(double(row[i]) - expected[i]));
    scale = std::max(scale, std::abs(expected[i]));
  }
  return worst / scale;
}

class Alternates : public testing::TestWithParam<TinyConfig> {};

} // namespace

/// A sequence that changes sets at every third token, through one KV cache, against the reference
/// that multiplies each token with the weights of its set.
TEST_P(Alternates, ASequenceMayChangeSetsAtAnyToken) {
  TinyModel tiny(GetParam());
  auto engine = tiny.engine({.threads = 2, .alternateWeights = true});
  auto tokens = randomTokens(40, tiny.config.vocab, 3);
  std::vector<bool> alternate;
  for (size_t t = 0; t < tokens.size(); ++t)
    alternate.push_back(t / 3 % 2 == 1);
  auto expected = tiny.reference(tokens, alternate);
  const int seq = *engine->addSequence();
  for (size_t t = 0; t < tokens.size(); t += 3) {
    auto part = std::span(tokens).subspan(t, std::min<size_t>(3, tokens.size() - t));
    Engine::Chunk chunk{seq, part, Engine::Logits::All, alternate[t]};
    auto result = engine->step({&chunk, 1});
    ASSERT_TRUE(result) << result.status().message();
    for (size_t i = 0; i < part.size(); ++i)
      EXPECT_LT(distance(result->logits + i * size_t(tiny.config.vocab), expected[t + i]), 1e-3)
          << t + i;
  }
}

/// Ten sequences of both sets, interleaved and of unequal length: bit for bit what each gives
/// alone.
TEST_P(Alternates, RowsOfBothSetsInOneStepAreAsTheyAreAlone) {
  TinyModel tiny(GetParam());
  for (int64_t prefill : {4, 512}) {
    auto engine = tiny.engine({.threads = 2, .prefillChunk = prefill, .alternateWeights = true});
    std::vector<std::vector<int32_t>> prompts;
    std::vector<Engine::Chunk> chunks;
    for (uint32_t s = 0; s < 10; ++s)
      prompts.push_back(randomTokens(1 + s % 4, tiny.config.vocab, s + 1));
    for (size_t s = 0; s < prompts.size(); ++s)
      chunks.push_back({*engine->addSequence(), prompts[s],
                        s == 4 ? Engine::Logits::None : Engine::Logits::Last, s % 3 == 1});
    auto together = engine->step(chunks);
    ASSERT_TRUE(together) << together.status().message();
    ASSERT_EQ(together->rows, 9);
    const std::vector<float> rows(together->logits, together->logits + 9 * tiny.config.vocab);
    size_t row = 0;
    for (Engine::Chunk chunk : chunks) {
      chunk.seq = *engine->addSequence();
      auto alone = engine->step({&chunk, 1});
      ASSERT_TRUE(alone);
      if (chunk.logits == Engine::Logits::None)
        continue;
      EXPECT_TRUE(std::equal(alone->logits, alone->logits + tiny.config.vocab,
                             rows.begin() + long(row) * tiny.config.vocab))
          << "row " << row;
      ++row;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Alternates,
                         testing::Values(withAlternates(WeightFormat::F16),
                                         withAlternates(WeightFormat::BF16),
                                         withAlternates(WeightFormat::F16, true)));

TEST(AlternateWeights, AreOffUnlessAskedFor) {
  TinyModel tiny(withAlternates(WeightFormat::F16));
  auto engine = tiny.engine();
  EXPECT_FALSE(engine->alternateWeights());
  auto tokens = randomTokens(2, tiny.config.vocab, 1);
  Engine::Chunk chunk{*engine->addSequence(), tokens, Engine::Logits::Last, true};
  auto refused = engine->step({&chunk, 1});
  EXPECT_EQ(refused.status().code(), StatusCode::InvalidArgument);
  EXPECT_EQ(engine->length(chunk.seq), 0);
  chunk.alternate = false;
  ASSERT_TRUE(engine->step({&chunk, 1}));

  TinyModel plain(TinyConfig{});
  auto none = Engine::create(plain.load(), {.alternateWeights = true});
  EXPECT_EQ(none.status().code(), StatusCode::InvalidArgument);
  EXPECT_NE(none.status().message().find("qopt --with-fp16"), std::string::npos);
}

TEST(AlternateWeights, AreCountedApart) {
  TinyModel tiny(withAlternates(WeightFormat::F16));
  auto model = tiny.load();
  const AlternateSet set = alternateSet(model->program());
  EXPECT_EQ(set.linears, 2 * 7 + 1);
  EXPECT_EQ(set.quantized, 2 * 7 + 1);
  int64_t bytes = 0;
  for (size_t i = 0; i < model->program().tensors.size(); ++i) {
    const TensorEntry &tensor = model->program().tensors[i];
    EXPECT_EQ(set.onlyHere[i], tensor.name.ends_with("#fp16")) << tensor.name;
    bytes += set.onlyHere[i] ? int64_t(tensor.dataBytes) : 0;
  }
  EXPECT_EQ(set.bytes, bytes);
  EXPECT_TRUE(alternateSet(TinyModel(TinyConfig{}).load()->program()).empty());
}

TEST(AlternateWeights, CountAsNeededMemoryOnlyWhereTheyAreUsed) {
  TinyConfig config = withAlternates(WeightFormat::F32);
  config.hidden = 256;
  config.ffn = 1024;
  config.headDim = 64;
  TinyModel tiny(config);
  auto model = tiny.load();
  const int64_t second = alternateSet(model->program()).bytes;
  ASSERT_GT(second, 3 << 20);
  // Just below what file and activations take together.
  const std::string limit = std::to_string(model->fileBytes());
  setenv("QRT_FREE_MEMORY", limit.c_str(), 1);
  const EngineOptions small{.threads = 1, .prefillChunk = 16};
  EngineOptions both = small;
  both.alternateWeights = true;
  EXPECT_TRUE(Engine::create(model, small).isOk());
  EXPECT_EQ(Engine::create(model, both).status().code(), StatusCode::ResourceExhausted);
  unsetenv("QRT_FREE_MEMORY");
  EXPECT_TRUE(Engine::create(model, both).isOk());
}
