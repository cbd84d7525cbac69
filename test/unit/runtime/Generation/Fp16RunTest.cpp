//===- Fp16RunTest.cpp - Which tokens the second weight set computes --------------------------===//
#include "FakeTokenizer.h"
#include "Generation/Generator.h"
#include "ScriptEngine.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;

namespace {

const std::vector<std::string> words = {"?",  "<think>", "</think>", "\n", " a",
                                        " b", "<eos>",   "5",        " c"};
enum Word : int32_t { None, Open, Close, Line, A, B, Eos, Five, C };

/// Thinks "a b a b ..." for ever.
int32_t loops(const std::vector<int32_t> &t) {
  if (std::find(t.begin(), t.end(), Close) != t.end())
    return t.back() == Close ? Five : Eos;
  return t.back() == A ? B : A;
}
/// "c c", an empty line, "c", and the end.
int32_t ends(const std::vector<int32_t> &t) {
  if (std::find(t.begin(), t.end(), Close) != t.end())
    return t.back() == Close ? Five : Eos;
  if (t.size() >= 2 && t.back() == Line && t[t.size() - 2] == Line)
    return C;
  if (t.back() == Line || (t.back() == C && t[t.size() - 2] == C))
    return Line;
  const bool gap = std::count(t.begin(), t.end(), int32_t(Line)) >= 2;
  return t.back() == C && gap ? Close : C;
}

class Fp16Run : public testing::Test {
protected:
  Fp16Run() {
    texts.tokenizer = std::make_shared<FakeTokenizer>(words, std::set<int32_t>{Eos});
    texts.eosIds = {Eos};
    texts.thinkTags = findThinkTags(texts.tokenizer.get(), "");
    engine.secondSet = true;
    request.prompt = {None, None, Open};
    request.sampling.temperature = 0;
    request.maxTokens = 12;
    request.reasoning.loop = {
        .ngram = 4, .count = 3, .window = 64, .nearCycles = false, .temperature = 0};
  }
  /// One request alone; `sets`: '2' per token that the second weight set computed, else '1'.
  GenerationResult run() {
    Generator generator(engine, texts);
    auto results = generator.run({&request, 1});
    EXPECT_TRUE(results.isOk()) << results.status().message();
    sets.clear();
    for (bool second : engine.alternate[0])
      sets += second ? '2' : '1';
    return std::move((*results)[0]);
  }
  std::string refusal() {
    Generator generator(engine, texts);
    auto id = generator.submit(request);
    return id ? "" : id.status().message();
  }

  ModelTexts texts;
  ScriptEngine engine{int32_t(words.size()), loops};
  GenerationRequest request;
  std::string sets;
};

} // namespace

TEST_F(Fp16Run, PlansTheFirstTokensOfTheThinking) {
  request.reasoning.fp16.planTokens = 4;
  auto r = run();
  // The pass over the last prompt token gives the first token; so does that over the third the
  // last.
  EXPECT_EQ(sets, "112"
                  "222"
                  "11111111");
  EXPECT_EQ(r.counters.fp16Tokens, 4);
  request.reasoning.fp16.prompt = true;
  run();
  EXPECT_EQ(sets, "222"
                  "222"
                  "11111111");
}

TEST_F(Fp16Run, ThePromptAloneIsAnOption) {
  request.reasoning.fp16.prompt = true;
  auto r = run();
  EXPECT_EQ(sets, "22211111111111");
  EXPECT_EQ(r.counters.fp16Tokens, 0);
}

TEST_F(Fp16Run, AnOutlineEndsWithTheFirstEmptyLine) {
  request.reasoning.fp16.outline = true;
  engine.script = ends;
  auto r = run();
  EXPECT_EQ(r.reasoning, " c c\n\n c");
  EXPECT_EQ(sets, "112"
                  "222"    // c, c and a line end give the next
                  "1111"); // behind the empty line: its end, c, the end of thinking, 5
  EXPECT_EQ(r.counters.fp16Tokens, 4);
  request.reasoning.fp16.planTokens = 2; // is its limit
  EXPECT_EQ(run().counters.fp16Tokens, 2);
  // An empty line before any text ends nothing, and a text without one has a limit.
  engine.script = [](const std::vector<int32_t> &t) -> int32_t { return t.size() < 6 ? Line : C; };
  request.reasoning.fp16.planTokens = 0;
  request.maxTokens = 200;
  EXPECT_EQ(run().counters.fp16Tokens, Fp16Options::outlineTokens);
}

TEST_F(Fp16Run, ThinkingThatTheModelOpensIsPlannedToo) {
  request.prompt = {None};
  engine.script = [](const std::vector<int32_t> &t) -> int32_t { return t.size() == 2 ? Open : A; };
  request.reasoning.fp16.planTokens = 2;
  request.maxTokens = 6;
  run();
  EXPECT_EQ(sets, "112211"); // the pass over <think> gives the first token of the thinking
}

TEST_F(Fp16Run, RescueByFp16LeavesALoopThatOnlyTheQuantizedWeightsHave) {
  request.reasoning.loop.action = LoopOptions::Action::Fp16;
  request.maxTokens = 40;
  engine.secondScript = [](const std::vector<int32_t> &t) -> int32_t {
    if (std::find(t.begin(), t.end(), Close) != t.end())
      return t.back() == Close ? Five : Eos;
    return t.back() == C ? Close : C;
  };
  auto r = run();
  EXPECT_EQ(r.text, " a b c</think>5");
  EXPECT_EQ(r.counters.loopEvents, 1);
  EXPECT_EQ(r.counters.rescued, 1);
  EXPECT_EQ(r.counters.fp16Tokens, 2); // c and the end; the answer is quantized again
  EXPECT_EQ(r.stopDetail, "eos:6,loop_fp16");
  EXPECT_EQ(sets, "111"
                  "1"
                  "2"
                  "2"
                  "1"
                  "1");
}

TEST_F(Fp16Run, RescueTokensAreCountedFromTheLastRescue) {
  request.reasoning.loop.action = LoopOptions::Action::Fp16;
  request.reasoning.loop.maxRescues = 2;
  request.reasoning.fp16.rescueTokens = 3;
  request.maxTokens = 60;
  auto r = run(); // loops with both sets: rescued twice, then ended
  EXPECT_EQ(r.counters.rescued, 3);
  EXPECT_TRUE(r.thinkClosed);
  EXPECT_EQ(r.stopDetail, "eos:6,loop_fp16,loop_break");
  EXPECT_GE(r.counters.fp16Tokens, 7);
  // Behind a plain roll-back as well.
  request.reasoning.loop.action = LoopOptions::Action::Rollback;
  request.reasoning.fp16.rescueTokens = 2;
  request.maxTokens = 11; // ends before the next loop is found
  engine.secondScript = ends;
  r = run();
  EXPECT_EQ(r.counters.rescued, 1);
  EXPECT_EQ(r.counters.fp16Tokens, 2);
}

TEST_F(Fp16Run, ARollBackIntoThePlanIsPlannedAgain) {
  request.reasoning.loop.action = LoopOptions::Action::Rollback;
  request.reasoning.fp16.planTokens = 4;
  request.maxTokens = 40;
  auto r = run();
  EXPECT_GT(r.counters.rescued, 0);
  // Two tokens stay, so two of the plan are written again: what is kept has the plan's length.
  EXPECT_EQ(sets.substr(0, 7), "1122221");
}

TEST_F(Fp16Run, TheAnswerIsWhatStandsOutsideTheThinking) {
  request.reasoning.fp16.answer = true;
  engine.script = ends;
  auto r = run();
  EXPECT_EQ(r.reasoning, " c c\n\n c");
  EXPECT_EQ(sets, "111"
                  "11111"
                  "22"); // the end of thinking gives 5, and that the end
  EXPECT_EQ(r.counters.fp16Tokens, 2);
}

TEST_F(Fp16Run, AnUnsureStepIsLeftToTheSecondSet) {
  engine.secondScript = [](const std::vector<int32_t> &) -> int32_t { return C; };
  engine.unsureAt = {3, 6}; // behind the prompt, and behind three tokens
  request.reasoning.fp16.entropyMin = 0.5f;
  request.maxTokens = 6;
  auto r = run();
  EXPECT_EQ(r.text, " c a b c a b");
  EXPECT_EQ(sets, "112"
                  "112"
                  "11");
  EXPECT_EQ(r.counters.fp16Fallbacks, 2);
  EXPECT_EQ(r.counters.fp16Tokens, 2);
  EXPECT_EQ(r.counters.rolledBack, 0);
  EXPECT_EQ(r.stopDetail, "fp16_fallback");
  EXPECT_EQ(r.timings.decodeTokens, 5);
  // The second set is unsure of nothing, and goes on for a while.
  request.reasoning.fp16.entropyTokens = 2;
  r = run();
  EXPECT_EQ(r.text, " c c a c c a");
  EXPECT_EQ(sets, "112"
                  "212"
                  "21");
  EXPECT_EQ(r.counters.fp16Tokens, 4);
  // Neither what is sure nor what the second set writes anyway.
  request.reasoning.fp16.entropyMin = 5;
  EXPECT_EQ(run().counters.fp16Fallbacks, 0);
  request.reasoning.fp16 = {.planTokens = 3, .entropyMin = 0.5f};
  r = run();
  EXPECT_EQ(r.counters.fp16Fallbacks, 1);
  EXPECT_EQ(r.counters.fp16Tokens, 4);
}

/// Requests of every kind in one batch get what they get alone.
TEST_F(Fp16Run, DoesNotDependOnTheBatch) {
  engine.secondScript = ends;
  engine.unsureAt = {5, 6, 9, 17};
  request.maxTokens = 40;
  std::vector<GenerationRequest> requests;
  for (int64_t plan : {0, 1, 3, 0, 5})
    for (auto action : {LoopOptions::Action::Off, LoopOptions::Action::Fp16}) {
      requests.push_back(request);
      requests.back().reasoning.fp16.planTokens = plan;
      requests.back().reasoning.fp16.prompt = plan == 3;
      requests.back().reasoning.fp16.entropyMin = plan == 1 ? 0.5f : 0;
      requests.back().reasoning.loop.action = action;
    }
  Generator generator(engine, texts, {.maxBatch = 4, .prefillChunk = 5});
  auto together = generator.run(requests);
  ASSERT_TRUE(together.isOk()) << together.status().message();
  EXPECT_TRUE(engine.sequences.empty());
  for (size_t i = 0; i < requests.size(); ++i) {
    request = requests[i];
    auto alone = run();
    EXPECT_EQ((*together)[i].ids, alone.ids) << i;
    EXPECT_EQ((*together)[i].stopDetail, alone.stopDetail) << i;
    EXPECT_EQ((*together)[i].counters.fp16Tokens, alone.counters.fp16Tokens) << i;
  }
}

TEST_F(Fp16Run, WhatCannotActIsRefused) {
  engine.secondSet = false;
  request.reasoning.fp16.planTokens = 4;
  EXPECT_NE(refusal().find("qopt --with-fp16"), std::string::npos) << refusal();
  request.reasoning.fp16 = {};
  request.reasoning.loop.action = LoopOptions::Action::Fp16;
  EXPECT_NE(refusal().find("qopt --with-fp16"), std::string::npos) << refusal();
  request.reasoning.loop.action = LoopOptions::Action::Off;
  request.reasoning.fp16.entropyMin = 1;
  EXPECT_NE(refusal().find("qopt --with-fp16"), std::string::npos) << refusal();
  request.reasoning.fp16 = {};
  request.reasoning.loop.action = LoopOptions::Action::Fp16;
  engine.secondSet = true;
  EXPECT_EQ(refusal(), "");
  request.reasoning.loop.action = LoopOptions::Action::Count;
  request.reasoning.fp16.rescueTokens = 4;
  EXPECT_NE(refusal().find("fp16.rescue_tokens"), std::string::npos) << refusal();
  request.reasoning.fp16 = {.planTokens = -1};
  EXPECT_NE(refusal().find("fp16.plan_tokens"), std::string::npos) << refusal();
  request.reasoning.fp16 = {.entropyMin = -1};
  EXPECT_NE(refusal().find("fp16.entropy_min"), std::string::npos) << refusal();
  request.reasoning.fp16 = {.planTokens = 4, .entropyTokens = 3};
  EXPECT_NE(refusal().find("fp16.entropy_tokens"), std::string::npos) << refusal();
  texts.thinkTags.reset();
  request.reasoning.fp16 = {.answer = true};
  EXPECT_NE(refusal().find("FP16 answer cannot act on this model"), std::string::npos) << refusal();
  request.reasoning.fp16 = {.outline = true};
  EXPECT_NE(refusal().find("FP16 planning cannot act on this model: it has no think tags"),
            std::string::npos)
      << refusal();
}
