//===- CudaAheadTest.cpp - Steps that are launched before they are asked for -----------------===//
// An engine that is told what comes next, rightly or wrongly, gives the tokens of one that is not.
// The emulated device runs far behind the host (EmulatedDevice.cpp), so memory that a step ahead
// still reads shows when it is written.
#include "TinyModel.h"

#include "Engine/SampleAhead.h"
#include "Sampling/SampleLists.h"

#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <random>

using namespace qrt;
using namespace qrt::test;

namespace {

class Ahead : public ::testing::Test {
protected:
  Ahead() {
    const char *real = std::getenv("QRT_TEST_CUDA_LIBRARY");
    setenv("QRT_CUDA_LIBRARY", real ? real : QRT_EMULATED_LIBRARY, 1);
  }
  ~Ahead() override { unsetenv("QRT_CUDA_LIBRARY"); }
};

EngineOptions onDevice(int64_t maxContext = 0) {
  EngineOptions options;
  options.device.kind = DeviceKind::Cuda;
  options.maxContext = maxContext;
  return options;
}

/// Texts on two engines at once; only one of them is told ahead.
struct Pair {
  explicit Pair(const TinyModel &model, int64_t maxContext = 0)
      : lists(int32_t(model.config.vocab)), plain(model.engine(onDevice(maxContext))),
        ahead(model.engine(onDevice(maxContext))) {
    options.temperature = 1.1f;
    options.topK = 20;
    options.repetitionPenalty = 1.2f;
    options.repetitionWindow = 6;
    options.presencePenalty = 0.3f;
    options.frequencyPenalty = 0.1f;
  }
  void add(std::vector<int32_t> prompt) {
    tokens.push_back(std::move(prompt));
    fed.push_back(0);
    seqs.push_back(*plain->addSequence());
    ASSERT_EQ(*ahead->addSequence(), seqs.back());
  }
  /// One step of the texts `which`; `spoil` changes what is said of the next one.
  void step(const std::vector<size_t> &which, const std::function<void(SampleRow &)> &spoil = {}) {
    std::vector<Engine::Chunk> chunks;
    std::vector<SampleRow> rows, nextRows;
    std::vector<SampleEntry> entries, nextEntries;
    for (size_t i : which) {
      std::span<const int32_t> all = tokens[i];
      chunks.push_back({seqs[i], all.subspan(fed[i]), Engine::Logits::Last});
      options.seed = i;
      ASSERT_TRUE(lists.fill({all, 1}, options, {}, stream, rows.emplace_back(), entries));
      ASSERT_TRUE(
          lists.fillAhead({all, 1}, options, {}, stream, nextRows.emplace_back(), nextEntries));
      if (spoil)
        spoil(nextRows.back());
    }
    auto expected = plain->stepAndSample(chunks, rows, entries);
    ASSERT_TRUE(expected) << expected.status().message();
    const Engine::Ahead next = {nextRows, nextEntries};
    auto chosen = ahead->stepAndSample(chunks, rows, entries, next);
    ASSERT_TRUE(chosen) << chosen.status().message();
    for (size_t i = 0; i < which.size(); ++i) {
      ASSERT_EQ((*chosen)[i].token, (*expected)[i].token);
      ASSERT_EQ((*chosen)[i].rawBest, (*expected)[i].rawBest);
      fed[which[i]] = tokens[which[i]].size();
      tokens[which[i]].push_back((*expected)[i].token);
      ASSERT_EQ(ahead->length(seqs[which[i]]), plain->length(seqs[which[i]]));
    }
  }
  void truncate(size_t i, size_t length) {
    ASSERT_TRUE(plain->truncate(seqs[i], int64_t(length)));
    ASSERT_TRUE(ahead->truncate(seqs[i], int64_t(length)));
    tokens[i].resize(length + 1);
    fed[i] = length;
  }

  SampleLists lists;
  SamplingOptions options;
  uint64_t stream = 0;
  std::unique_ptr<Engine> plain, ahead;
  std::vector<std::vector<int32_t>> tokens;
  std::vector<size_t> fed;
  std::vector<int> seqs;
};

TEST_F(Ahead, StepsThatWereForeseenAreTaken) {
  TinyModel model(TinyConfig{.layers = 1});
  Pair pair(model);
  pair.add(randomTokens(5, model.config.vocab, 1));
  pair.add(randomTokens(70, model.config.vocab, 2));
  for (int i = 0; i < 12; ++i)
    pair.step({0, 1});
  const EngineStats stats = pair.ahead->stats();
  EXPECT_EQ(stats.stepsAhead, 11); // behind all but the prompts
  EXPECT_EQ(stats.stepsInVain, 0);
  EXPECT_EQ(stats.tokens, pair.plain->stats().tokens);
  EXPECT_EQ(pair.plain->stats().stepsAhead, 0);
}

TEST_F(Ahead, StepsThatWereNotAskedForLeaveNoTrace) {
  TinyModel model(TinyConfig{.layers = 1});
  Pair pair(model, 96);
  for (uint32_t i = 0; i < 3; ++i)
    pair.add(randomTokens(3 + i, model.config.vocab, 10 + i));
  std::mt19937 random(5);
  for (int i = 0; i < 60; ++i) {
    SCOPED_TRACE(i);
    std::vector<size_t> which =
        random() % 3 ? std::vector<size_t>{0, 1, 2} : std::vector<size_t>{2, 0};
    std::function<void(SampleRow &)> spoil;
    if (random() % 3 == 0)
      spoil = [&](SampleRow &row) { row.temperature += 0.5f; };
    pair.step(which, spoil);
    if (::testing::Test::HasFatalFailure())
      return;
    const size_t seq = random() % 3;
    switch (random() % 6) {
    case 0: // a roll-back, and other draws behind it
      ++pair.stream;
      pair.truncate(seq, pair.fed[seq] / 2);
      break;
    case 1: { // logits of another sequence on the way
      const int other = *pair.ahead->addSequence();
      const int32_t id[] = {7};
      Engine::Chunk chunk{other, id, Engine::Logits::Last};
      ASSERT_TRUE(pair.ahead->step({&chunk, 1}));
      pair.ahead->release(other);
      break;
    }
    case 2: // a text ends and another one begins
      pair.plain->release(pair.seqs[seq]);
      pair.ahead->release(pair.seqs[seq]);
      ASSERT_EQ(pair.plain->addSequence().takeValue(), pair.seqs[seq]);
      ASSERT_EQ(pair.ahead->addSequence().takeValue(), pair.seqs[seq]);
      pair.tokens[seq].resize(2);
      pair.fed[seq] = 0;
      break;
    default:
      break;
    }
  }
  const EngineStats stats = pair.ahead->stats();
  EXPECT_GT(stats.stepsInVain, 5);
  EXPECT_GT(stats.stepsAhead, stats.stepsInVain);
}

TEST_F(Ahead, NothingIsLaunchedBeyondTheContext) {
  TinyModel model(TinyConfig{.layers = 1});
  Pair pair(model, 10);
  pair.add(randomTokens(6, model.config.vocab, 1));
  for (int i = 0; i < 5; ++i)
    pair.step({0});
  EXPECT_EQ(pair.ahead->length(0), 10);
  EXPECT_EQ(pair.ahead->stats().stepsAhead, 3);
}

/// Rows that end before a token against rows that have it, over the histories of a text.
TEST(SampleAhead, RowsAreTheSameOnlyIfTheyChooseTheSame) {
  constexpr int32_t vocab = 9;
  SampleLists lists(vocab);
  const auto text = randomTokens(60, vocab, 3);
  for (int32_t window : {0, 2, 7}) {
    SamplingOptions options;
    options.repetitionPenalty = 1.3f;
    options.repetitionWindow = window;
    options.frequencyPenalty = 0.2f;
    options.logitBias = {{3, 1.0f}};
    for (size_t length = 2; length < text.size(); ++length) {
      const std::span<const int32_t> before = std::span(text).first(length - 1),
                                     all = std::span(text).first(length);
      SampleRow early, asked;
      std::vector<SampleEntry> earlyEntries, entries;
      ASSERT_TRUE(lists.fillAhead({before, 1}, options, {}, 0, early, earlyEntries));
      ASSERT_TRUE(lists.fill({all, 1}, options, {}, 0, asked, entries));
      EXPECT_TRUE(isSameChoice(early, earlyEntries, text[length - 1], asked, entries));
      EXPECT_FALSE(
          isSameChoice(early, earlyEntries, (text[length - 1] + 1) % vocab, asked, entries));
      SampleRow other = asked;
      other.seed = 1;
      EXPECT_FALSE(isSameChoice(early, earlyEntries, text[length - 1], other, entries));
      entries[size_t(asked.bias.first)].value = 2;
      EXPECT_FALSE(isSameChoice(early, earlyEntries, text[length - 1], asked, entries));
    }
  }
  SamplingOptions options;
  EXPECT_TRUE(SampleLists::canLookAhead(options));
  options.dry.multiplier = 1;
  EXPECT_FALSE(SampleLists::canLookAhead(options));
}

} // namespace
