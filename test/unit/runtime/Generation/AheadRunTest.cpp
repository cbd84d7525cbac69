//===- AheadRunTest.cpp - The controls on an engine that works ahead -------------------------===//
// A small model on the emulated device, whose next step is launched before the host has looked at
// the tokens of the last: texts, reasons and counters are those of the CPU.
#include "FakeTokenizer.h"
#include "Generation/Generator.h"
#include "TinyModel.h"

#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;

namespace {

constexpr int32_t Open = 1, Close = 2, Line = 3, Wait = 4, Eos = 5;

std::vector<std::string> words() {
  std::vector<std::string> list = {"?", "<think>", "</think>", "\n", " wait", "<eos>"};
  while (list.size() < 50) {
    const size_t i = list.size();
    list.push_back({' ', char('a' + i % 26), char('a' + i / 26)});
  }
  return list;
}

struct Scenario {
  const char *name;
  std::function<void(GenerationRequest &)> change;
  int64_t mostInVain; ///< steps that may have been launched for nothing
};

using Action = LoopOptions::Action;

/// The model writes one token over and over.
void loops(GenerationRequest &r, Action action) {
  r.sampling.temperature = 0;
  r.sampling.logitBias = {{20, 40.0f}};
  r.reasoning.loop = {.action = action, .ngram = 2, .count = 3, .window = 16, .maxRescues = 2};
}

std::vector<Scenario> scenarios() {
  return {
      {"greedy", [](GenerationRequest &r) { r.sampling.temperature = 0; }, 3},
      {"sampled", [](GenerationRequest &r) { r.sampling.topP = 0.9f; }, 3},
      {"penalties",
       [](GenerationRequest &r) {
         r.sampling.repetitionPenalty = 1.2f;
         r.sampling.repetitionWindow = 9;
         r.sampling.presencePenalty = 0.4f;
         r.sampling.frequencyPenalty = 0.2f;
       },
       3},
      {"markers",
       [](GenerationRequest &r) {
         r.reasoning.marker.strength = 1;
         r.reasoning.marker.rampStep = 0.5f;
         r.sampling.logitBias = {{Wait, 3.0f}};
       },
       40},
      {"window_of_markers",
       [](GenerationRequest &r) {
         r.reasoning.marker.strength = 2;
         r.reasoning.marker.shape = MarkerPenaltyOptions::Shape::Window;
         r.reasoning.marker.window = 3;
         r.reasoning.marker.entropyMin = 0.5f;
       },
       40},
      {"rollback", [](GenerationRequest &r) { loops(r, Action::Rollback); }, 12},
      {"break", [](GenerationRequest &r) { loops(r, Action::Break); }, 12},
      {"stop", [](GenerationRequest &r) { loops(r, Action::Stop); }, 6},
      {"count", [](GenerationRequest &r) { loops(r, Action::Count); }, 6},
      {"budget",
       [](GenerationRequest &r) {
         r.reasoning.budget.maxThink = 7;
         r.reasoning.budget.grace = 0;
         r.reasoning.budget.message = " aa bb";
         r.sampling.logitBias = {{Close, -INFINITY}, {Open, -INFINITY}};
       },
       12},
      {"budget_at_a_sentence",
       [](GenerationRequest &r) {
         r.reasoning.budget.maxThink = 5;
         r.reasoning.budget.grace = 6;
         r.sampling.logitBias = {{Line, 2.0f}};
       },
       20},
      {"least_thinking",
       [](GenerationRequest &r) {
         r.reasoning.budget.minThink = 10;
         r.sampling.logitBias = {{Close, 8.0f}};
       },
       12},
      {"early_exit",
       [](GenerationRequest &r) {
         r.maxTokens = 26; // two trials that agree
         r.reasoning.earlyExit = {.enabled = true, .confidence = 0.01f, .every = 4};
         r.sampling.logitBias = {{Wait, 2.0f}};
       },
       20},
      {"end_of_text",
       [](GenerationRequest &r) {
         r.sampling.logitBias = {{Eos, 2.0f}, {Close, 3.0f}};
         r.stopIds = {30};
       },
       20},
      {"dry", [](GenerationRequest &r) { r.sampling.dry.multiplier = 0.8f; }, 0},
  };
}

std::vector<GenerationResult> run(Engine &engine, const Scenario &scenario, int batch) {
  ModelTexts texts;
  texts.tokenizer = std::make_shared<FakeTokenizer>(words(), std::set<int32_t>{Eos});
  texts.eosIds = {Eos};
  texts.thinkTags = findThinkTags(texts.tokenizer.get(), "");
  Generator generator(engine, texts, {.maxBatch = batch, .prefillChunk = 5});
  std::vector<GenerationRequest> requests(size_t(batch == 1 ? 2 : 3)); // an emulated step is slow
  for (uint32_t i = 0; i < requests.size(); ++i) {
    requests[i].prompt = {Open};
    for (int32_t id : randomTokens(2 + 2 * i, 40, 7 + i))
      requests[i].prompt.push_back(id + 6);
    requests[i].sampling.seed = i;
    requests[i].maxTokens = 15 + int64_t(i);
    scenario.change(requests[i]);
  }
  auto results = generator.run(requests);
  EXPECT_TRUE(results) << results.status().message();
  return results ? results.takeValue() : std::vector<GenerationResult>(requests.size());
}

} // namespace

TEST(AheadRun, DecisionsAreThoseOfTheCpu) {
  const char *real = std::getenv("QRT_TEST_CUDA_LIBRARY");
  setenv("QRT_CUDA_LIBRARY", real ? real : QRT_EMULATED_LIBRARY, 1);
  TinyModel model(TinyConfig{.layers = 1});
  int64_t events = 0, forced = 0, rescued = 0, penalised = 0, exits = 0, usefulInBatches = 0;
  for (const Scenario &scenario : scenarios())
    for (int batch : {1, 3}) {
      SCOPED_TRACE(std::string(scenario.name) + ", batch " + std::to_string(batch));
      auto cpu = model.engine();
      EngineOptions options;
      options.device.kind = DeviceKind::Cuda;
      auto device = model.engine(options);
      ASSERT_TRUE(cpu && device && device->worksAhead());
      auto expected = run(*cpu, scenario, batch), results = run(*device, scenario, batch);
      int64_t steps = 0;
      for (size_t i = 0; i < results.size(); ++i) {
        EXPECT_EQ(results[i].ids, expected[i].ids);
        EXPECT_EQ(results[i].text, expected[i].text);
        EXPECT_EQ(results[i].finishReason, expected[i].finishReason);
        EXPECT_EQ(results[i].stopDetail, expected[i].stopDetail);
        EXPECT_EQ(results[i].counters, expected[i].counters);
        EXPECT_EQ(results[i].reasoningTokens, expected[i].reasoningTokens);
        steps += int64_t(results[i].ids.size());
        events += results[i].counters.loopEvents;
        forced += results[i].counters.budgetForced;
        rescued += results[i].counters.rescued;
        penalised += results[i].counters.markerPenalised;
        exits += results[i].counters.earlyExits;
      }
      const EngineStats stats = device->stats();
      EXPECT_LE(stats.stepsInVain, scenario.mostInVain) << "of " << stats.stepsAhead;
      const int64_t useful = stats.stepsAhead - stats.stepsInVain;
      if (scenario.mostInVain == 0)
        EXPECT_EQ(stats.stepsAhead, 0);
      else if (batch == 1)
        EXPECT_GT(useful, steps / 6);
      else // a batch of requests that end soon may have no two steps of the same rows
        usefulInBatches += useful;
    }
  // The scenarios are what they say.
  EXPECT_GT(usefulInBatches, 20);
  EXPECT_GT(events, 0);
  EXPECT_GT(forced, 0);
  EXPECT_GT(rescued, 0);
  EXPECT_GT(penalised, 0);
  EXPECT_GT(exits, 0);
  unsetenv("QRT_CUDA_LIBRARY");
}
