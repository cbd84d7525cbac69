//===- ControllerTest.cpp - Penalty, budget, loops, suppression, step by step -----------------===//
#include "Reasoning/Controller.h"
#include "FakeTokenizer.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace qrt;
using namespace qrt::test;

namespace {

using Kind = ReasoningController::Verdict::Kind;

const std::vector<std::string> words = {
    "?",   "<think>", "</think>", "\n",       " wait", "wait",    "Wait", "<eos>",
    " so", ".",       " five",    "\\boxed{", "}",     " Enough", "5",    "answer is"};

class Controller : public testing::Test {
protected:
  std::shared_ptr<FakeTokenizer> tokenizer =
      std::make_shared<FakeTokenizer>(words, std::set<int32_t>{7});
  ReasoningModel model{tokenizer, findThinkTags(tokenizer.get(), ""), nullptr, {7}};
  ReasoningOptions options;

  ReasoningController make(const std::string &prompt = "<think>\n") {
    auto plan = ReasoningPlan::create(model, options);
    EXPECT_TRUE(plan) << plan.status().message();
    return ReasoningController(*plan, tokenizer->encode(prompt));
  }
  /// Logits with one favourite.
  std::vector<float> want(std::string_view text) const {
    std::vector<float> logits(words.size(), 0);
    logits[size_t(tokenizer->id(text))] = 9;
    return logits;
  }
  /// The controls, and what the sampler saw under them.
  static StepControls sampled(ReasoningController &c, const std::vector<float> &logits) {
    StepControls controls = c.controls(logits, 1);
    SamplingOptions greedy;
    greedy.temperature = 0;
    Sampler sampler(int32_t(logits.size()));
    auto token = sampler.sample(logits.data(), {}, greedy, controls);
    EXPECT_TRUE(token) << token.status().message();
    c.observe(*token);
    return controls;
  }
  int32_t id(std::string_view text) const { return tokenizer->id(text); }
  std::string message() const {
    auto plan = ReasoningPlan::create(model, options);
    return plan ? "" : plan.status().message();
  }
  static std::map<int32_t, float> penalties(const StepControls &controls) {
    std::map<int32_t, float> out;
    for (const TokenPenalty &p : controls.penalties)
      EXPECT_TRUE(out.emplace(p.token, p.amount).second) << "twice: " << p.token;
    return out;
  }
};

} // namespace

TEST_F(Controller, PenaltyInsideThinkAtLineStartsAndWithSpace) {
  options.marker.strength = 1.5f;
  auto c = make();
  auto at = [&] { return penalties(sampled(c, want("."))); };
  EXPECT_EQ(at(), (std::map<int32_t, float>{{4, 1.5f}, {5, 1.5f}, {6, 1.5f}}));
  c.accept(id("wait")); // a hit: at the start of a line
  EXPECT_EQ(at(), (std::map<int32_t, float>{{4, 1.5f}}));
  c.accept(id("wait")); // a piece of a word: no hit
  c.accept(id(" wait"));
  EXPECT_EQ(c.counters().markerHits, 2);
  c.accept(id("</think>"));
  EXPECT_TRUE(at().empty());
  c.accept(id(" wait"));
  EXPECT_EQ(c.counters().markerHits, 2);
  EXPECT_EQ(c.counters().markerPenalised, 2);
  c.accept(id("<think>"));
  EXPECT_FALSE(at().empty()); // armed again
}

TEST_F(Controller, ScopeAllAndRamp) {
  options.marker = {
      .strength = 1, .scope = MarkerPenaltyOptions::Scope::All, .rampStep = 0.5f, .rampMax = 2};
  auto c = make("?");
  auto amount = [&] { return penalties(c.controls(want("."), 1)).at(4); };
  EXPECT_EQ(amount(), 1);
  c.accept(4);
  EXPECT_EQ(amount(), 1.5f);
  for (int i = 0; i < 5; ++i)
    c.accept(4);
  EXPECT_EQ(amount(), 2);
}

TEST_F(Controller, EntropyGate) {
  options.marker.strength = 1;
  options.marker.entropyMin = 1;
  auto c = make();
  EXPECT_EQ(sampled(c, want(".")).entropyMin, 1); // entropy 0.02
  EXPECT_EQ(c.counters().markerPenalised, 0);
  sampled(c, std::vector<float>(words.size(), 0)); // ln 16 = 2.8
  EXPECT_EQ(c.counters().markerPenalised, 1);
}

TEST_F(Controller, Shapes) {
  options.marker.shape = MarkerPenaltyOptions::Shape::Ban;
  EXPECT_EQ(penalties(make().controls(want("."), 1)).at(4), INFINITY);
  options.marker = {.strength = 2, .shape = MarkerPenaltyOptions::Shape::Cycle, .period = 8};
  auto c = make(); // the prompt's "\n" is token 1 of the block
  std::vector<float> expected = {-1, -2, -1, 0, 1, 2, 1, 0}; // -delta(t) for t = 1 ... 8
  for (float e : expected) {
    auto p = penalties(c.controls(want("."), 1));
    EXPECT_EQ(p.empty() ? 0 : p.at(4), e);
    c.accept(id("."));
  }
  options.marker = {.strength = 2, .shape = MarkerPenaltyOptions::Shape::Window, .window = 3};
  auto w = make();
  std::vector<bool> acts; // tokens 1, 2 of the block, then a marker, then three more
  for (const char *text : {".", " wait", ".", ".", ".", "."}) {
    acts.push_back(!w.controls(want("."), 1).penalties.empty());
    w.accept(id(text));
  }
  EXPECT_EQ(acts, (std::vector<bool>{true, true, true, true, false, false}));
}

TEST_F(Controller, ControlsThatCannotActAreErrors) {
  EXPECT_EQ(message(), "");
  ReasoningModel all = model;
  model.thinkTags.reset();
  options.marker.strength = 1;
  EXPECT_NE(message().find("marker penalty"), std::string::npos);
  options.marker.scope = MarkerPenaltyOptions::Scope::All;
  EXPECT_EQ(message(), "");
  options = {};
  options.budget.maxThink = 5;
  EXPECT_NE(message().find("thinking budget"), std::string::npos);
  model = all;
  model.tokenizer = nullptr;
  EXPECT_NE(message().find("no tokenizer"), std::string::npos);
  model = all;
  options = {};
  options.marker.strength = 1;
  options.marker.set = "typo";
  EXPECT_NE(message().find("default50"), std::string::npos);
  options = {};
  options.marker.rampStep = 1; // without a strength
  EXPECT_NE(message(), "");
}

TEST_F(Controller, TableOfTheModel) {
  MarkerTable table{"own", {{9, ".", 0.5f, false}, {10, " five", 2, false}}, {}};
  model.markers = &table;
  options.marker.strength = 3;
  EXPECT_EQ(penalties(make().controls(want("."), 1)),
            (std::map<int32_t, float>{{9, 1.5f}, {10, 6.0f}}));
  options.marker.set = "default50"; // asked for by name
  EXPECT_TRUE(penalties(make().controls(want("."), 1)).contains(4));
}

TEST_F(Controller, EndOfTextInsideThinkIsSuppressed) {
  auto c = make();
  auto controls = sampled(c, want("<eos>"));
  EXPECT_EQ(std::vector<int32_t>(controls.banned.begin(), controls.banned.end()),
            std::vector<int32_t>{7});
  EXPECT_EQ(c.counters().eosSuppressed, 1);
  sampled(c, want("."));
  EXPECT_EQ(c.counters().eosSuppressed, 1);
  c.accept(id("</think>"));
  EXPECT_TRUE(c.controls(want("<eos>"), 1).banned.empty());
  options.budget.suppressEos = false;
  EXPECT_TRUE(make().controls(want("<eos>"), 1).banned.empty());
}

TEST_F(Controller, MinimumThinking) {
  options.budget.minThink = 3;
  auto c = make(); // the "\n" of the prompt counts
  for (int i = 0; i < 2; ++i) {
    auto controls = sampled(c, want("</think>"));
    EXPECT_EQ(controls.banned.size(), 2u); // and end of text
    c.accept(id("."));
  }
  EXPECT_EQ(c.counters().minThinkHeld, 2);
  EXPECT_EQ(c.controls(want("</think>"), 1).banned.size(), 1u);
}

TEST_F(Controller, MinimumThinkingGoesOnWithAWord) {
  options.budget.minThink = 6;
  options.budget.minMessage = "Wait";
  auto c = make();
  for (bool lineStart : {true, false}) {
    sampled(c, want("</think>"));
    auto verdict = c.accept(id("?")); // what was second best
    EXPECT_EQ(verdict.kind, Kind::Rollback);
    EXPECT_EQ(verdict.keep, lineStart ? 0 : 2);
    std::string text;
    while (auto forced = c.controls(want("</think>"), 1).forced) {
      text += tokenizer->tokenBytes(*forced);
      EXPECT_EQ(c.accept(*forced).kind, Kind::Continue);
    }
    EXPECT_EQ(text, lineStart ? "Wait" : "\nWait");
    if (lineStart) {
      sampled(c, want(" so"));
      EXPECT_EQ(c.accept(id(" so")).kind, Kind::Continue);
    }
  }
  EXPECT_EQ(c.counters().minThinkHeld, 2);
  EXPECT_EQ(c.reasoningTokens(), 4); // Wait, so, a line end, Wait
  EXPECT_EQ(c.details(), std::vector<std::string>{"min_think"});
  options.budget.minThink = 0;
  EXPECT_NE(message().find("min_thinking"), std::string::npos) << message();
}

TEST_F(Controller, BudgetLandsBehindASentence) {
  options.budget.maxThink = 2;
  options.budget.message = " Enough";
  auto c = make();
  c.accept(id(" so"));
  // Spent, but in the middle of a sentence.
  EXPECT_FALSE(c.controls(want(" five"), 1).forced);
  c.accept(id(" five"));
  EXPECT_FALSE(c.controls(want("."), 1).forced);
  c.accept(id("."));
  std::string text;
  while (c.thinking()) {
    auto controls = c.controls(want(" so"), 1);
    ASSERT_TRUE(controls.forced);
    text += tokenizer->tokenBytes(*controls.forced);
    c.accept(*controls.forced);
    EXPECT_TRUE(c.lastForced());
  }
  EXPECT_EQ(text, "\n Enough\n</think>");
  EXPECT_FALSE(c.controls(want(" so"), 1).forced);
  EXPECT_EQ(c.counters().budgetForced, 1);
  EXPECT_EQ(c.details(), std::vector<std::string>{"budget_forced"});
}

TEST_F(Controller, BudgetOfZeroEndsAtOnce) {
  options.budget.maxThink = 0;
  auto c = make("<think>");
  EXPECT_EQ(c.controls(want(" so"), 1).forced, id("</think>"));
  c.accept(id("</think>"));
  EXPECT_FALSE(c.controls(want(" so"), 1).forced);
}

TEST_F(Controller, LoopRollsBackBansAndPerturbs) {
  options.loop = {.action = LoopOptions::Action::Rollback,
                  .ngram = 2,
                  .count = 3,
                  .window = 64,
                  .nearCycles = false,
                  .maxRescues = 1,
                  .temperature = 0.5f,
                  .perturbTokens = 2};
  auto c = make();
  ReasoningController::Verdict verdict;
  c.accept(id("5")); // 5, then " so five" three times
  int accepted = 0;
  while (verdict.kind == Kind::Continue && accepted < 20)
    verdict = c.accept(accepted++ % 2 ? id(" five") : id(" so"));
  ASSERT_EQ(verdict.kind, Kind::Rollback);
  EXPECT_EQ(accepted, 6);
  EXPECT_EQ(verdict.keep, 3); // 5, one round
  auto controls = c.controls(want(" so"), 0);
  EXPECT_NE(std::find(controls.banned.begin(), controls.banned.end(), id(" so")),
            controls.banned.end());
  EXPECT_EQ(controls.temperature, 0.5f);
  EXPECT_EQ(c.stream(), 1u);
  EXPECT_EQ(c.counters().loopEvents, 1);
  EXPECT_EQ(c.counters().rescued, 1);
  EXPECT_EQ(c.counters().rolledBack, 4);
  EXPECT_EQ(c.reasoningTokens(), 3);
  c.accept(id("."));
  EXPECT_TRUE(c.controls(want(" so"), 0).temperature);
  c.accept(id("."));
  EXPECT_FALSE(c.controls(want(" so"), 0).temperature);
  // The rescues are used up: the next loop ends the thinking.
  verdict = {};
  for (int i = 0; verdict.kind == Kind::Continue && i < 20; ++i)
    verdict = c.accept(i % 2 ? id(" five") : id(" so"));
  ASSERT_EQ(verdict.kind, Kind::Rollback);
  EXPECT_TRUE(c.controls(want(" so"), 0).forced);
  EXPECT_EQ(c.details(), (std::vector<std::string>{"loop_rollback", "loop_break"}));
}

TEST_F(Controller, LoopCommitsToTheAnswerReached) {
  options.loop = {.action = LoopOptions::Action::Commit,
                  .ngram = 2,
                  .count = 3,
                  .window = 64,
                  .nearCycles = false};
  auto c = make();
  c.accept(id("answer is"));
  c.accept(id("5"));
  c.accept(id("."));
  ReasoningController::Verdict verdict;
  for (int i = 0; verdict.kind == Kind::Continue && i < 20; ++i)
    verdict = c.accept(i % 2 ? id(" five") : id(" so"));
  ASSERT_EQ(verdict.kind, Kind::Rollback);
  std::string text;
  for (auto controls = c.controls(want(" so"), 1); controls.forced;
       controls = c.controls(want(" so"), 1)) {
    text += tokenizer->tokenBytes(*controls.forced);
    c.accept(*controls.forced);
  }
  EXPECT_EQ(text, "\n</think>\n\\boxed{5}<eos>");
  EXPECT_EQ(c.details(), std::vector<std::string>{"loop_commit"});
}

TEST_F(Controller, LoopOutsideThinkStops) {
  options.loop = {.action = LoopOptions::Action::Break,
                  .ngram = 2,
                  .count = 3,
                  .window = 64,
                  .nearCycles = false};
  auto c = make("?");
  ReasoningController::Verdict verdict;
  for (int i = 0; verdict.kind == Kind::Continue && i < 20; ++i)
    verdict = c.accept(id(" so"));
  EXPECT_EQ(verdict.kind, Kind::Stop);
  options.loop.action = LoopOptions::Action::Count;
  auto counting = make("?");
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(counting.accept(id(" so")).kind, Kind::Continue);
  EXPECT_EQ(counting.counters().loopEvents, 5); // 4 tokens each
}

TEST_F(Controller, EarlyExitTriesAtTransitions) {
  options.earlyExit = {.enabled = true, .confidence = 0.9f, .every = 3};
  auto c = make();
  EXPECT_EQ(c.accept(id(" wait")).kind, Kind::Continue); // too early
  c.accept(id("."));
  EXPECT_EQ(c.accept(id(" wait")).kind, Kind::Trial);
  // Neither an unsure answer, nor a sure one that is not the last one, or that was unsure then.
  const std::vector<int32_t> five = {id("5")}, other = {id(" five")};
  for (const auto &[answer, confidence] :
       {std::pair(five, 0.5), std::pair(other, 0.95), std::pair(five, 0.95)}) {
    EXPECT_EQ(c.endTrial(answer, confidence, 4).kind, Kind::Continue);
    c.accept(id("."));
    c.accept(id("."));
    EXPECT_EQ(c.accept(id(" wait")).kind, Kind::Trial);
  }
  auto verdict = c.endTrial(five, 0.95, 4);
  EXPECT_EQ(verdict.kind, Kind::Rollback);
  EXPECT_EQ(verdict.keep, 11);
  EXPECT_TRUE(c.controls(want(" so"), 1).forced);
  EXPECT_EQ(c.counters().earlyExits, 1);
  EXPECT_EQ(c.counters().trialTokens, 16);
}

/// Behind a roll-back the controller finds the next loop where one does that has only ever seen
/// what was kept.
TEST_F(Controller, LoopsBehindARollbackAreThoseOfTheKeptText) {
  options.loop = {.action = LoopOptions::Action::Rollback,
                  .ngram = 3,
                  .count = 3,
                  .window = 64,
                  .nearCycles = false,
                  .maxRescues = 1000};
  std::mt19937 random(5);
  auto c = make();
  std::vector<int32_t> kept;
  std::optional<ReasoningController> fresh;
  int rollbacks = 0;
  for (int step = 0; step < 3000; ++step) {
    const int32_t token = id(random() % 3 ? " so" : "5");
    auto verdict = c.accept(token);
    kept.push_back(token);
    if (fresh) {
      auto other = fresh->accept(token);
      ASSERT_EQ(other.kind, verdict.kind) << step;
      ASSERT_EQ(other.keep, verdict.keep) << step;
    }
    if (verdict.kind != Kind::Rollback)
      continue;
    ++rollbacks;
    kept.resize(size_t(verdict.keep));
    fresh.emplace(make());
    for (int32_t before : kept)
      ASSERT_EQ(fresh->accept(before).kind, Kind::Continue);
  }
  EXPECT_GT(rollbacks, 100);
}
