//===- CudaSampleTest.cpp - Tokens that a device chooses itself ------------------------------===//
#include "OnDevice.h"

#include "Sampling/SampleLists.h"
#include "Sampling/Sampler.h"

using namespace qrt;
using namespace qrt::test;

namespace {

class SamplesOnDevice : public OnDevice {};

/// Prompts and decode steps (eager, captured, replayed): the tokens are those that the sampler of
/// the CPU chooses from the same engine's logits.
TEST_F(SamplesOnDevice, TokensChosenOnTheDevice) {
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
