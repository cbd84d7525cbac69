//===- ReasoningRunTest.cpp - Controls on a running batch, with roll-back ---------------------===//
#include "FakeTokenizer.h"
#include "Generation/Generator.h"
#include "ScriptEngine.h"
#ifdef QRT_WITH_EMULATOR
#include "SamplingEngine.h"
#endif

#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;

namespace {

const std::vector<std::string> words = {"?",  "<think>", "</think>", "\n", " wait",    "<eos>",
                                        " a", " b",      ".",        "5",  "\\boxed{", "}"};
enum Word : int32_t { None, Open, Close, Line, Wait, Eos, A, B, Dot, Five, Box, Brace };

/// Thinks "a b a b ..." for ever; once it does anything else it stops thinking; answers and ends.
int32_t looper(const std::vector<int32_t> &t) {
  auto closed = std::find(t.rbegin(), t.rend(), Close);
  if (closed != t.rend())
    return t.back() == Close ? Box : t.back() == Box ? Five : t.back() == Five ? Brace : Eos;
  if (t.back() == A)
    return B;
  return t.back() == B || t.back() == Open ? A : Close;
}

class ReasoningRun : public testing::Test {
protected:
  GenerationResult run(ScriptEngine &engine, int copies = 3) {
    ModelTexts texts;
    texts.tokenizer = std::make_shared<FakeTokenizer>(words, std::set<int32_t>{Eos});
    texts.eosIds = {Eos};
    texts.thinkTags = findThinkTags(texts.tokenizer.get(), "");
    Generator generator(engine, texts);
    std::vector<GenerationRequest> requests(size_t(copies), request);
    requests[0].onToken = [&](const TokenEvent &event) {
      told.resize(told.size() - event.retractBytes);
      toldIds.resize(toldIds.size() - size_t(event.retractTokens));
      told += event.text;
      if (event.token >= 0)
        toldIds.push_back(event.token);
      return true;
    };
    auto results = generator.run(requests);
    EXPECT_TRUE(results) << results.status().message();
    EXPECT_TRUE(engine.sequences.empty());
    for (const GenerationResult &other : *results) { // the same alone and in a batch
      EXPECT_EQ(other.ids, (*results)[0].ids);
      EXPECT_EQ(other.stopDetail, (*results)[0].stopDetail);
    }
    EXPECT_EQ(toldIds, (*results)[0].ids);
    EXPECT_EQ(told, (*results)[0].reasoning + (*results)[0].content);
#ifdef QRT_WITH_EMULATOR
    expectSameOnDevice(engine, texts, requests, (*results)[0]);
#endif
    return std::move((*results)[0]);
  }

#ifdef QRT_WITH_EMULATOR
  /// One specification: the sampler of a device leads to the same decisions of the controls.
  static void expectSameOnDevice(ScriptEngine &engine, const ModelTexts &texts,
                                 std::vector<GenerationRequest> requests,
                                 const GenerationResult &expected) {
    SamplingEngine device(engine);
    Generator generator(device, texts);
    requests[0].onToken = nullptr;
    auto results = generator.run(requests);
    ASSERT_TRUE(results) << results.status().message();
    EXPECT_GT(device.sampledSteps, 0);
    for (const GenerationResult &result : *results) {
      EXPECT_EQ(result.ids, expected.ids);
      EXPECT_EQ(result.text, expected.text);
      EXPECT_EQ(result.finishReason, expected.finishReason);
      EXPECT_EQ(result.stopDetail, expected.stopDetail);
      EXPECT_EQ(result.counters, expected.counters);
      EXPECT_EQ(result.reasoningTokens, expected.reasoningTokens);
    }
  }
#endif

  ReasoningRun() {
    request.prompt = {Open};
    request.sampling.temperature = 0;
    request.maxTokens = 60;
    request.reasoning.loop = {
        .ngram = 4, .count = 3, .window = 64, .nearCycles = false, .temperature = 0};
  }
  GenerationRequest request;
  std::string told;
  std::vector<int32_t> toldIds;
};

} // namespace

TEST_F(ReasoningRun, WithoutControlsItRunsToTheLimit) {
  ScriptEngine engine(int32_t(words.size()), looper);
  auto r = run(engine);
  EXPECT_EQ(r.finishReason, FinishReason::Length);
  EXPECT_FALSE(r.thinkClosed);
  EXPECT_EQ(r.reasoningTokens, 60);
  EXPECT_EQ(r.content, "");
}

TEST_F(ReasoningRun, RollbackLeavesTheLoop) {
  request.reasoning.loop.action = LoopOptions::Action::Rollback;
  ScriptEngine engine(int32_t(words.size()), looper);
  auto r = run(engine);
  // "a b", then not "a" again: the lowest token among equals, which is "?"; after it the script
  // closes.
  EXPECT_EQ(r.text, " a b?</think>\\boxed{5}");
  EXPECT_EQ(r.finishReason, FinishReason::Stop);
  EXPECT_TRUE(r.thinkClosed);
  EXPECT_EQ(r.counters.rescued, 1);
  EXPECT_EQ(r.stopDetail, "eos:5,loop_rollback");
  EXPECT_EQ(r.content, "\\boxed{5}");
  EXPECT_EQ(r.reasoningTokens, 3);
}

TEST_F(ReasoningRun, BreakEndsTheThinking) {
  request.reasoning.loop.action = LoopOptions::Action::Break;
  request.reasoning.budget.message = ".";
  ScriptEngine engine(int32_t(words.size()), looper);
  auto r = run(engine);
  EXPECT_EQ(r.text, " a b\n.\n</think>\\boxed{5}");
  EXPECT_EQ(r.stopDetail, "eos:5,loop_break");
}

TEST_F(ReasoningRun, StopEndsTheRequest) {
  request.reasoning.loop.action = LoopOptions::Action::Stop;
  ScriptEngine engine(int32_t(words.size()), looper);
  auto r = run(engine);
  EXPECT_EQ(r.finishReason, FinishReason::Loop);
  EXPECT_EQ(r.counters.loopEvents, 1);
  EXPECT_EQ(r.ids.size(), 8u); // the 4-gram "a b a b" for the third time
}

TEST_F(ReasoningRun, BudgetEndsTheThinking) {
  request.reasoning.budget.maxThink = 6;
  request.reasoning.budget.grace = 0;
  ScriptEngine engine(int32_t(words.size()), looper);
  auto r = run(engine);
  EXPECT_EQ(r.text, " a b a b a b\n</think>\\boxed{5}");
  EXPECT_EQ(r.counters.budgetForced, 1);
  EXPECT_EQ(r.stopDetail, "eos:5,budget_forced");
}

TEST_F(ReasoningRun, EarlyExitTakesASureAnswer) {
  // Thinks "a wait a wait ..."; asked for its answer it says "5}".
  auto script = [](const std::vector<int32_t> &t) -> int32_t {
    if (std::find(t.begin(), t.end(), Close) != t.end())
      return t.back() == Close ? Box : t.back() == Box ? Five : t.back() == Five ? Brace : Eos;
    return t.back() == A ? Wait : A;
  };
  request.reasoning.earlyExit = {.enabled = true, .confidence = 0.9f, .every = 5};
  ScriptEngine sure(int32_t(words.size()), script);
  auto r = run(sure);
  EXPECT_EQ(r.text, " a wait a wait a wait a wait a wait a\n</think>\\boxed{5}");
  EXPECT_EQ(r.counters.earlyExits, 1);
  EXPECT_EQ(r.counters.trialTokens, 12); // twice "\n </think> \n \boxed{" and "5 }"
  told.clear();
  toldIds.clear();
  ScriptEngine unsure(int32_t(words.size()), script);
  unsure.sharpness = 1;
  r = run(unsure);
  EXPECT_EQ(r.counters.earlyExits, 0);
  EXPECT_EQ(r.finishReason, FinishReason::Length);
  EXPECT_GT(r.counters.trialTokens, 6);
  for (size_t i = 0; i < r.ids.size(); ++i) // the trials left no trace
    ASSERT_EQ(r.ids[i], i % 2 ? Wait : A);
}

TEST_F(ReasoningRun, MarkerPenaltyChangesTheChoice) {
  auto script = [](const std::vector<int32_t> &t) -> int32_t {
    return t.back() == A ? Wait : t.back() == Open || t.back() == Wait ? A : Eos;
  };
  request.reasoning.marker.strength = 25; // more than the engine's 20
  ScriptEngine engine(int32_t(words.size()), script);
  auto r = run(engine);
  EXPECT_EQ(r.counters.markerHits, 0);
  EXPECT_GT(r.counters.markerPenalised, 0);
}

TEST_F(ReasoningRun, EntropyGateAndDrawsAreTheSameOnBothSamplers) {
  request.sampling.temperature = 0.9f;
  request.sampling.topP = 0.95f;
  request.sampling.repetitionPenalty = 1.1f;
  request.reasoning.marker.strength = 2;
  request.reasoning.marker.entropyMin = 0.5f;
  request.reasoning.budget.minThink = 4;
  request.sampling.logitBias = {{Open, -INFINITY}}; // one block, so that texts are in order
  request.maxTokens = 40;
  ScriptEngine engine(int32_t(words.size()), looper);
  for (uint64_t seed = 0; seed < 2; ++seed) {
    for (float sharpness : {1.0f, 4.0f}) {
      request.sampling.seed = seed;
      engine.sharpness = sharpness;
      told.clear();
      toldIds.clear();
      run(engine, 1);
    }
  }
}

/// Loops of different lengths that begin at different times, with every action, in a batch smaller
/// than their number: each text, reason and count is that of the request alone.
TEST_F(ReasoningRun, LoopsInABatchAreFoundAsAlone) {
  // The prompt says how long the loop is: "a", "a b", "a b .", "a b . 5".
  auto script = [](const std::vector<int32_t> &t) -> int32_t {
    if (std::find(t.begin(), t.end(), Close) != t.end())
      return t.back() == Close ? Box : t.back() == Box ? Five : t.back() == Five ? Brace : Eos;
    const std::vector<int32_t> cycle = {A, B, Dot, Wait, Five}; // a closing adds a line
    const int64_t period = std::count(t.begin(), t.end(), int32_t(Line));
    auto at = std::find(cycle.begin(), cycle.begin() + period, t.back());
    return at == cycle.begin() + period ? A
                                        : cycle[size_t(at - cycle.begin() + 1) % size_t(period)];
  };
  request.reasoning.loop.maxRescues = 2;
  request.maxTokens = 90;
  std::vector<GenerationRequest> requests;
  using Action = LoopOptions::Action;
  for (size_t period = 1; period <= 4; ++period)
    for (Action action :
         {Action::Count, Action::Rollback, Action::Break, Action::Commit, Action::Stop}) {
      requests.push_back(request);
      requests.back().prompt.insert(requests.back().prompt.begin(), period, Line);
      requests.back().reasoning.loop.action = action;
    }
  ModelTexts texts;
  texts.tokenizer = std::make_shared<FakeTokenizer>(words, std::set<int32_t>{Eos});
  texts.eosIds = {Eos};
  texts.thinkTags = findThinkTags(texts.tokenizer.get(), "");
  ScriptEngine engine(int32_t(words.size()), script);
  Generator generator(engine, texts, {.maxBatch = 3, .prefillChunk = 2});
  auto together = generator.run(requests);
  ASSERT_TRUE(together.isOk()) << together.status().message();
  for (size_t i = 0; i < requests.size(); ++i) {
    ScriptEngine own(int32_t(words.size()), script);
    Generator alone(own, texts);
    auto single = alone.run({&requests[i], 1});
    ASSERT_TRUE(single.isOk());
    const GenerationResult &a = (*together)[i], &b = (*single)[0];
    EXPECT_GT(a.counters.loopEvents, 0) << i;
    EXPECT_EQ(a.ids, b.ids) << i;
    EXPECT_EQ(a.stopDetail, b.stopDetail) << i;
    EXPECT_EQ(a.counters.loopEvents, b.counters.loopEvents) << i;
    EXPECT_EQ(a.counters.rolledBack, b.counters.rolledBack) << i;
  }
}
