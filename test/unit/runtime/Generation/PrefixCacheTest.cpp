//===- PrefixCacheTest.cpp - The next turn reads only what is new ----------------------------===//
#include "Generation/Generator.h"
#include "ScriptEngine.h"
#include "TinyModel.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;

namespace {

GenerationRequest greedy(std::vector<int32_t> prompt, int64_t maxTokens = 6) {
  GenerationRequest request;
  request.prompt = std::move(prompt);
  request.sampling.temperature = 0;
  request.maxTokens = maxTokens;
  return request;
}

GenerationResult runOne(Generator &generator, const GenerationRequest &request) {
  auto results = generator.run({&request, 1});
  EXPECT_TRUE(results.isOk()) << results.status().message();
  return results ? std::move((*results)[0]) : GenerationResult{};
}

/// The last token and one more.
int32_t counts(const std::vector<int32_t> &t) { return (t.back() + 1) % 50; }

} // namespace

/// Turns of a conversation on a real engine: the same ids as from scratch, and only what is new is
/// read, also where a turn goes back behind the former one.
TEST(PrefixCache, TurnsAreAsFromScratch) {
  TinyModel tiny({});
  auto engine = tiny.engine({.threads = 2});
  Generator keeping(*engine, {}, {.keptSequences = 1});
  std::vector<int32_t> prompt = randomTokens(70, tiny.config.vocab, 1);
  int64_t cached = 0;
  for (uint32_t turn = 0; turn < 4; ++turn) {
    auto fresh = tiny.engine({.threads = 2});
    Generator scratch(*fresh, {});
    auto expected = runOne(scratch, greedy(prompt));
    auto actual = runOne(keeping, greedy(prompt));
    EXPECT_EQ(actual.ids, expected.ids) << turn;
    EXPECT_EQ(actual.timings.cachedTokens, cached) << turn;
    EXPECT_EQ(actual.timings.prefillTokens, int64_t(prompt.size()) - cached) << turn;
    // The template drops half of the answer and adds the next question.
    prompt.insert(prompt.end(), actual.ids.begin(), actual.ids.begin() + 3);
    cached = int64_t(prompt.size());
    prompt.push_back((actual.ids[3] + 1) % int32_t(tiny.config.vocab));
    for (int32_t token : randomTokens(9, tiny.config.vocab, turn + 5))
      prompt.push_back(token);
  }
  EXPECT_GT(keeping.stats().cachedTokens, 200);
}

TEST(PrefixCache, TheLastTokenIsReadAgain) {
  ScriptEngine engine(50, counts);
  {
    Generator generator(engine, {}, {.keptSequences = 1});
    runOne(generator, greedy({1, 2, 3}));
    auto again = runOne(generator, greedy({1, 2, 3}));
    EXPECT_EQ(again.timings.cachedTokens, 2);
    EXPECT_EQ(again.ids, (std::vector<int32_t>{4, 5, 6, 7, 8, 9}));
    auto other = runOne(generator, greedy({2, 3}));
    EXPECT_EQ(other.timings.cachedTokens, 0);
    EXPECT_EQ(engine.sequences.size(), 1u);
  }
  EXPECT_TRUE(engine.sequences.empty());
}

TEST(PrefixCache, KeepsTheMostRecentOnes) {
  ScriptEngine engine(50, counts);
  Generator generator(engine, {}, {.keptSequences = 2});
  for (int32_t first : {10, 20, 30})
    runOne(generator, greedy({first, 2, 3}));
  EXPECT_EQ(engine.sequences.size(), 2u);
  EXPECT_EQ(runOne(generator, greedy({20, 2, 3, 4})).timings.cachedTokens, 3);
  EXPECT_EQ(runOne(generator, greedy({30, 2, 9})).timings.cachedTokens, 2);
  EXPECT_EQ(runOne(generator, greedy({10, 2, 3})).timings.cachedTokens, 0);
}

TEST(PrefixCache, TokensOfTheOtherWeightSetAreOthers) {
  ScriptEngine engine(50, counts);
  engine.secondSet = true;
  Generator generator(engine, {}, {.keptSequences = 1});
  GenerationRequest request = greedy({1, 2, 3});
  request.reasoning.fp16.prompt = true;
  auto first = runOne(generator, request);
  request.prompt.insert(request.prompt.end(), first.ids.begin(), first.ids.end());
  // The prompt was read with the second set, the answer was not.
  EXPECT_EQ(runOne(generator, request).timings.cachedTokens, 3);
  request.reasoning.fp16.prompt = false;
  EXPECT_EQ(runOne(generator, request).timings.cachedTokens, 0);
}

TEST(PrefixCache, MakesRoomForWhatRuns) {
  ScriptEngine engine(50, counts);
  Generator generator(engine, {}, {.keptSequences = 3});
  runOne(generator, greedy({1, 2, 3}));
  runOne(generator, greedy({9, 8, 7}));
  engine.failAt = engine.steps + 1; // no memory, once
  EXPECT_EQ(runOne(generator, greedy({5, 6})).ids.size(), 6u);
  EXPECT_EQ(engine.sequences.size(), 1u);
}
