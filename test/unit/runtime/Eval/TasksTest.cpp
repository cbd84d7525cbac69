//===- TasksTest.cpp - Checkers, traces and inflation by hand ---------------------------------===//
#include "Eval/TaskEval.h"
#include "FakeTokenizer.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <tuple>
#include <unistd.h>

using namespace qrt;
using namespace qrt::test;

namespace {

Task taskOf(const char *answer, Checker checker) {
  Task task;
  task.answer = answer;
  task.checker = checker;
  return task;
}

Trace traceOf(int64_t task, int64_t tokens, bool correct) {
  Trace trace;
  trace.task = task;
  trace.thinkTokens = tokens;
  trace.correct = correct;
  trace.finish = "stop";
  return trace;
}

} // namespace

TEST(Checkers, SameAnswer) {
  EXPECT_TRUE(sameAnswer("392", "392"));
  EXPECT_TRUE(sameAnswer(" $1{,}5$", "1{,}5"));
  EXPECT_TRUE(sameAnswer("1,234", "1234"));
  EXPECT_TRUE(sameAnswer("7.0", "7"));
  EXPECT_TRUE(sameAnswer("\\frac{1}{2}", "0.5"));
  EXPECT_TRUE(sameAnswer("-3/4", "-0.75"));
  EXPECT_TRUE(sameAnswer("\\text{yes}.", "yes"));
  EXPECT_FALSE(sameAnswer("39", "392"));
  EXPECT_FALSE(sameAnswer("1,23", "123"));
  EXPECT_FALSE(sameAnswer("1/0", "1"));
  EXPECT_FALSE(sameAnswer("", ""));
}

TEST(Checkers, Kinds) {
  EXPECT_TRUE(isCorrect(taskOf("5", Checker::Boxed), "no \\boxed{4}, so \\boxed{5}"));
  EXPECT_FALSE(isCorrect(taskOf("5", Checker::Boxed), "it is 5"));
  EXPECT_TRUE(isCorrect(taskOf("C", Checker::Choice), "The answer is (C), not A."));
  EXPECT_TRUE(isCorrect(taskOf("C", Checker::Choice), "A or B? \\boxed{C}. D"));
  EXPECT_FALSE(isCorrect(taskOf("C", Checker::Choice), "A"));
  EXPECT_TRUE(isCorrect(taskOf("yes", Checker::Exact), "\nyes "));
  EXPECT_FALSE(isCorrect(taskOf("yes", Checker::Exact), "yes!"));
  EXPECT_TRUE(isCorrect(taskOf("[0-9]+ apples", Checker::Regex), "Tom has 12 apples."));
  EXPECT_FALSE(isCorrect(taskOf("[0-9]+ apples", Checker::Regex), "Tom has apples."));
}

TEST(Tasks, ReadNamesTheLine) {
  std::string path = testing::TempDir() + "qrt_tasks_" + std::to_string(getpid());
  auto read = [&](const std::string &text) {
    std::ofstream(path) << text;
    auto tasks = readTasks(path, -1);
    return tasks ? std::to_string(tasks->size()) : tasks.status().message();
  };
  const std::string good = R"({"prompt":"1+1=","answer":2})";
  EXPECT_EQ(read(good + "\n\n" + good + "\n"), "2");
  for (const char *bad :
       {"{", "[]", R"({"prompt":"x"})", R"({"answer":"x"})",
        R"({"prompt":"x","ids":[1],"answer":"x"})", R"({"ids":["a"],"answer":"x"})",
        R"({"prompt":"x","answer":"x","checker":"guess"})",
        R"({"prompt":"x","answer":"(","checker":"regex"})"})
    EXPECT_NE(read(good + "\n" + bad).find("line 2"), std::string::npos) << bad;
  EXPECT_NE(read("").find("no tasks"), std::string::npos);
  std::remove(path.c_str());
}

TEST(Trace, SeenAndLost) {
  ModelTexts texts;
  auto tokenizer = std::make_shared<FakeTokenizer>(
      std::vector<std::string>{"?", "1 + 1 = 2", "\n\n", "Wait", " is it 3", "\\boxed{3}"});
  texts.tokenizer = tokenizer;
  texts.thinkTags = ThinkTags{"<think>", "</think>", {}, {}};
  GenerationResult result;
  result.ids = {1, 2, 3, 4, 5};
  result.reasoning = "1 + 1 = 2\n\nWait is it 3";
  result.content = "\\boxed{3}";
  result.text = result.reasoning + result.content;
  result.reasoningTokens = 4;
  result.thinkClosed = true;
  result.finishReason = FinishReason::Stop;
  std::vector<std::string> words = {"wait"};
  auto markers = expandMarkers(*tokenizer, words, "w");
  ASSERT_TRUE(markers);
  Trace trace = measureTrace(taskOf("2", Checker::Boxed), result, texts, *markers);
  EXPECT_FALSE(trace.correct);
  EXPECT_TRUE(trace.answerSeen);
  EXPECT_TRUE(trace.lost);
  EXPECT_EQ(trace.timeToFirstAnswer, 1);
  EXPECT_EQ(trace.steps, 2);
  EXPECT_EQ(trace.markers, 1);
  EXPECT_EQ(trace.thinkTokens, 4);
  trace = measureTrace(taskOf("3", Checker::Boxed), result, texts, *markers);
  EXPECT_TRUE(trace.correct);
  EXPECT_FALSE(trace.lost);
  EXPECT_EQ(trace.timeToFirstAnswer, 4);
}

TEST(Inflation, ThreeRatiosByHand) {
  std::vector<Task> tasks(3);
  tasks[2].benchmark = "other";
  ArmResult reference, model;
  reference.seeds = model.seeds = 2;
  // Benchmark "default": means 10 and 30; "other": 10. The model: 20 and 30; 40.
  int64_t f[] = {8, 12, 30, 30, 10, 10}, q[] = {20, 20, 30, 30, 30, 50};
  bool right[] = {true, true, true, false, true, true},
       wrong[] = {true, true, false, false, true, true};
  for (int i = 0; i < 6; ++i) {
    reference.traces.push_back(traceOf(i / 2, f[i], right[i]));
    model.traces.push_back(traceOf(i / 2, q[i], wrong[i]));
  }
  model.tokensPerSecond = 100;
  Inflation r = compareArms(tasks, reference, model);
  EXPECT_NEAR(r.a.value, (50.0 / 40 + 4) / 2, 1e-12);
  EXPECT_NEAR(r.b.value, (std::sqrt(2.0) + 4) / 2, 1e-12);
  EXPECT_NEAR(r.c.value, (2.0 + 4) / 2, 1e-12); // problem 1 is not solved by the model
  EXPECT_EQ(r.c.n, 2);
  EXPECT_NEAR(r.flips, 1.0 / 6, 1e-12);
  EXPECT_NEAR(r.effectiveSpeed, 100 / r.a.value, 1e-12);
  ASSERT_EQ(r.perBenchmark.size(), 2u);
  EXPECT_LE(r.a.low, r.a.value);
  EXPECT_GE(r.a.high, r.a.value);
  ArmSummary summary = summarizeArm(model);
  EXPECT_NEAR(summary.accuracy.value, 4.0 / 6, 1e-12);
  EXPECT_NEAR(summary.tokensMean, 30, 1e-12);
  EXPECT_EQ(summary.finishReasons.at("stop"), 6);
}

TEST(Contrast, WhatAControlChangedByHand) {
  ArmResult base, arm;
  for (auto [result, tokens, right, markers] :
       {std::tuple{&base, std::array<int64_t, 4>{100, 100, 200, 200}, 3, 2},
        std::tuple{&arm, std::array<int64_t, 4>{50, 50, 200, 200}, 2, 1}}) {
    for (int t = 0; t < 4; ++t) {
      Trace trace = traceOf(t, tokens[size_t(t)], t < right);
      trace.markers = markers;
      result->traces.push_back(trace);
    }
  }
  Contrast contrast = contrastArms(base, arm);
  EXPECT_NEAR(contrast.tokens.value, 500.0 / 600 - 1, 1e-12);
  EXPECT_NEAR(contrast.accuracy.value, -0.25, 1e-12);
  EXPECT_EQ(contrast.markers.value, -1);
  EXPECT_EQ(contrast.markers.low, -1); // the same for every problem
  EXPECT_EQ(contrast.markers.high, -1);
  EXPECT_LT(contrast.tokens.low, contrast.tokens.value);
  EXPECT_EQ(contrast.tokens.n, 4);
  Contrast none = contrastArms(base, base);
  EXPECT_EQ(none.tokens.value, 0);
  EXPECT_EQ(none.tokens.high, 0);
}
