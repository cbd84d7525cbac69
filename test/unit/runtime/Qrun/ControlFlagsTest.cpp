//===- ControlFlagsTest.cpp - One set of flags for complete, chat and eval -------------------===//
#include "ControlFlags.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace qrt;

namespace {

/// The request that a command line gives; ModelTexts' defaults as a model would bring them.
Result<GenerationRequest> resolve(std::vector<std::string> arguments, ModelTexts texts = {}) {
  ControlFlags flags;
  CLI::App app;
  flags.addTo(app);
  std::reverse(arguments.begin(), arguments.end());
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError &error) {
    return invalidArgument(error.what());
  }
  GenerationRequest request;
  QRT_RETURN_IF_ERROR(flags.applyTo(request, texts));
  return request;
}

GenerationRequest expectRequest(std::vector<std::string> arguments, const ModelTexts &texts = {}) {
  auto request = resolve(std::move(arguments), texts);
  EXPECT_TRUE(request.isOk()) << request.status().message();
  return request ? *request : GenerationRequest{};
}

void expectRefused(std::vector<std::string> arguments, const std::string &words) {
  auto request = resolve(std::move(arguments));
  ASSERT_FALSE(request.isOk()) << words;
  EXPECT_EQ(request.status().code(), StatusCode::InvalidArgument);
  EXPECT_NE(request.status().message().find(words), std::string::npos)
      << request.status().message();
}

} // namespace

TEST(ControlFlags, TakeEverySpellingThatOneCommandEverTook) {
  for (const char *flag : {"--max-tokens",
                           "-n",
                           "--temp",
                           "--temperature",
                           "--top-k",
                           "--top-p",
                           "--min-p",
                           "--seed",
                           "--repeat-penalty",
                           "--repetition-penalty",
                           "--presence-penalty",
                           "--frequency-penalty",
                           "--dry-multiplier",
                           "--logit-bias",
                           "--stop",
                           "--stop-id",
                           "--ignore-eos",
                           "--preset",
                           "--marker-penalty",
                           "--think-budget",
                           "--thinking-budget",
                           "--reasoning-budget",
                           "--thinking-token-budget",
                           "--min-think",
                           "--min-thinking",
                           "--allow-eos-in-think",
                           "--loop",
                           "--loop-action",
                           "--early-exit"}) {
    ControlFlags flags;
    CLI::App app;
    flags.addTo(app);
    EXPECT_NE(app.get_option_no_throw(flag), nullptr) << flag;
  }
  GenerationRequest r =
      expectRequest({"--repetition-penalty", "1.1", "--repetition-window", "64", "--loop-action",
                     "rollback", "--loop-temperature", "0.5", "--thinking-budget", "100",
                     "--budget-grace", "3", "--budget-message", "Enough.", "--min-thinking", "7"});
  EXPECT_EQ(r.sampling.repetitionWindow, 64);
  EXPECT_EQ(r.reasoning.loop.temperature, 0.5f);
  EXPECT_EQ(r.reasoning.budget.maxThink, 100);
  EXPECT_EQ(r.reasoning.budget.grace, 3);
  EXPECT_EQ(r.reasoning.budget.message, "Enough.");
  EXPECT_EQ(r.reasoning.budget.minThink, 7);
  EXPECT_EQ(r.reasoning.budget.minMessage, "Wait");
}

TEST(ControlFlags, FillInTheWholeRequest) {
  GenerationRequest r = expectRequest(
      {"--max-tokens",     "9",    "--dry-multiplier", "0.8",      "--dry-base",     "2",
       "--dry-breaker",    "10",   "--dry-breaker",    "11",       "--stop-id",      "5",
       "--stop",           "\n\n", "--logit-bias",     "3=-inf",   "--logit-bias",   "4=+1.5",
       "--marker-penalty", "2",    "--marker-word",    "wait, no", "--marker-words", "but,=hmm"});
  EXPECT_EQ(r.maxTokens, 9);
  EXPECT_EQ(r.sampling.dry.multiplier, 0.8f);
  EXPECT_EQ(r.sampling.dry.base, 2);
  EXPECT_EQ(r.sampling.dry.breakers, (std::vector<int32_t>{10, 11}));
  EXPECT_EQ(r.stopIds, std::vector<int32_t>{5});
  EXPECT_EQ(r.stopStrings, std::vector<std::string>{"\n\n"});
  ASSERT_EQ(r.sampling.logitBias.size(), 2u);
  EXPECT_EQ(r.sampling.logitBias[0].second, -INFINITY);
  EXPECT_EQ(r.sampling.logitBias[1], (std::pair<int32_t, float>(4, 1.5f)));
  EXPECT_EQ(r.reasoning.marker.words, (std::vector<std::string>{"wait, no", "but", "=hmm"}));
  EXPECT_TRUE(r.reasoning.budget.suppressEos);
  EXPECT_FALSE(expectRequest({"--allow-eos-in-think"}).reasoning.budget.suppressEos);
  EXPECT_FALSE(expectRequest({"--ignore-eos"}).reasoning.budget.suppressEos);
}

TEST(ControlFlags, SingleFlagsWinOverPresetsAndThoseOverTheModel) {
  ModelTexts texts;
  texts.samplingDefaults.temperature = 0.6f;
  texts.samplingDefaults.topK = 20;
  GenerationRequest r =
      expectRequest({"--preset", "tip", "--marker-window", "50", "--preset", "dry", "--dry-base",
                     "1.5", "--preset", "rescue", "--loop", "off", "--top-k", "5"},
                    texts);
  EXPECT_EQ(r.reasoning.marker.set, "tip");
  EXPECT_EQ(r.reasoning.marker.strength, 3);
  EXPECT_EQ(r.reasoning.marker.window, 50);
  EXPECT_EQ(r.sampling.dry.multiplier, 0.8f);
  EXPECT_EQ(r.sampling.dry.base, 1.5f);
  EXPECT_EQ(r.reasoning.loop.action, LoopOptions::Action::Off);
  EXPECT_EQ(r.sampling.topK, 5);
  EXPECT_EQ(r.sampling.temperature, 0.6f);
  // Words instead of the set that the preset chose.
  EXPECT_EQ(expectRequest({"--preset", "nowait", "--marker-word", "hmm"}).reasoning.marker.set, "");
}

TEST(ControlFlags, RefuseWhatWouldHaveNoEffect) {
  expectRefused({"--marker-scope", "all"}, "--marker-scope has no effect without --marker-penalty");
  expectRefused({"--marker-words", "a,b"}, "--marker-words has no effect");
  expectRefused({"--marker-penalty", "1", "--marker-window", "3"}, "--marker-shape window");
  expectRefused({"--preset", "tip", "--marker-period", "3"}, "--marker-shape cycle");
  expectRefused({"--dry-base", "2"}, "--dry-base has no effect without --dry-multiplier");
  expectRefused({"--repetition-window", "2"}, "--repeat-last-n has no effect");
  expectRefused({"--loop-ngram", "5"}, "--loop-ngram has no effect without --loop");
  expectRefused({"--loop", "break", "--loop-temp", "1"}, "--loop-temp has no effect");
  expectRefused({"--think-grace", "5"}, "--think-grace has no effect without --think-budget");
  expectRefused({"--early-exit-every", "5"}, "--early-exit-every has no effect");
  expectRefused({"--ignore-eos", "--allow-eos-in-think"}, "--allow-eos-in-think has no effect");
  expectRefused({"--temp", "0", "--seed", "1"}, "--seed has no effect without a temperature");
  expectRefused({"--preset", "none"}, "there is no preset 'none'");
  expectRefused({"--logit-bias", "x=1"}, "--logit-bias: expects ID=VALUE, got 'x=1'");
  // A roll-back draws, so the seed matters even behind greedy decoding.
  expectRequest({"--temp", "0", "--seed", "1", "--loop", "rollback"});
}
