//===- ReasoningFlags.cpp - Flags that steer the thinking ------------------------------------===//
#include "ReasoningFlags.h"

#include "FlagChecks.h"

namespace qrt {

namespace {

template <class Value>
struct Name {
  const char *text;
  Value value;
};

constexpr Name<MarkerPenaltyOptions::Scope> scopes[] = {
    {"think", MarkerPenaltyOptions::Scope::Think}, {"all", MarkerPenaltyOptions::Scope::All}};
constexpr Name<MarkerPenaltyOptions::Shape> shapes[] = {
    {"constant", MarkerPenaltyOptions::Shape::Constant},
    {"ban", MarkerPenaltyOptions::Shape::Ban},
    {"window", MarkerPenaltyOptions::Shape::Window},
    {"cycle", MarkerPenaltyOptions::Shape::Cycle}};
constexpr Name<LoopOptions::Action> actions[] = {
    {"off", LoopOptions::Action::Off},           {"count", LoopOptions::Action::Count},
    {"rollback", LoopOptions::Action::Rollback}, {"break", LoopOptions::Action::Break},
    {"commit", LoopOptions::Action::Commit},     {"stop", LoopOptions::Action::Stop},
    {"fp16", LoopOptions::Action::Fp16}};

template <class Value, size_t N>
std::vector<std::string> namesOf(const Name<Value> (&table)[N]) {
  std::vector<std::string> names;
  for (const auto &entry : table)
    names.push_back(entry.text);
  return names;
}

/// The names were checked when the flags were read.
template <class Value, size_t N>
Value valueOf(const Name<Value> (&table)[N], const std::string &text) {
  for (const auto &entry : table)
    if (text == entry.text)
      return entry.value;
  return table[0].value;
}

} // namespace

void ReasoningFlags::addTo(CLI::App &command) {
  auto option = [&](const char *names, auto &value, const char *text) {
    return command.add_option(names, value, text)->group(reasoningFlagGroup);
  };
  option("--marker-penalty", strength,
         "Subtracted from the logits of overthinking markers; 0: off; fitted: what the model's "
         "table stores")
      ->check(CLI::Number | CLI::IsMember({"fitted"}));
  option("--marker-set", set,
         "Word set: model (its own table), default50, nowait, tip or reflection (model, without a "
         "table default50)");
  option("--marker-word", words,
         "A word instead of a set; =WORD for this spelling only; repeatable")
      ->allow_extra_args(false);
  option("--marker-words", wordList, "The same, separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false);
  option("--marker-scope", scope, "think or all (think)")->check(CLI::IsMember(namesOf(scopes)));
  option("--marker-shape", shape, "constant, ban, window or cycle (constant)")
      ->check(CLI::IsMember(namesOf(shapes)));
  option("--marker-ramp", rampStep, "Further strength per marker in this thinking");
  option("--marker-ramp-max", rampMax, "Most strength with --marker-ramp; 0: no limit");
  option("--marker-entropy-min", entropyMin,
         "Acts only where the next token's entropy is at least this (nats)");
  option("--marker-window", window, "Tokens of --marker-shape window (300)");
  option("--marker-period", period, "Tokens of --marker-shape cycle (600)");

  option("--think-budget,--thinking-budget,--reasoning-budget,--thinking-token-budget", budget,
         "Most tokens of a thinking; 0: none, -1: no limit");
  option("--think-grace,--budget-grace", grace,
         "Further tokens of --think-budget to reach the end of a sentence (64)");
  option("--think-message,--budget-message,--reasoning-budget-message", message,
         "Written before a thinking is ended");
  option("--min-think,--min-thinking", minThink, "Fewest tokens of a thinking");
  option("--min-think-message", minMessage,
         "Written where a thinking would end before --min-think (Wait)");
  command.add_flag("--allow-eos-in-think", allowEos, "Let the text end inside the thinking")
      ->group(reasoningFlagGroup);

  option("--loop,--loop-action", loop,
         "On a loop: off, count, rollback, break, commit, stop or fp16 (off)")
      ->check(CLI::IsMember(namesOf(actions)));
  option("--loop-ngram", loopNgram, "Tokens that have to repeat (20)");
  option("--loop-count", loopCount, "How often (4)");
  option("--loop-window", loopWindow, "Within so many tokens (1024)");
  option("--loop-rescues", loopRescues, "Most roll-backs of --loop rollback (3)");
  option("--loop-temp,--loop-temperature", loopTemperature,
         "Temperature added after a roll-back (0.3)");

  option("--fp16-plan", fp16Plan,
         "So many first tokens of the thinking by the second weight set (qopt --with-fp16)");
  command
      .add_flag(
          "--fp16-outline", fp16Outline,
          "The thinking up to its first empty line likewise, at most --fp16-plan tokens (128)")
      ->group(reasoningFlagGroup);
  option("--fp16-rescue", fp16Rescue, "So many tokens behind each loop rescue likewise");
  command.add_flag("--fp16-prompt", fp16Prompt, "The prompt likewise")->group(reasoningFlagGroup);
  command.add_flag("--fp16-answer", fp16Answer, "What stands outside the thinking likewise")
      ->group(reasoningFlagGroup);
  option("--fp16-entropy-min", fp16Entropy,
         "Every token whose entropy (nats) by the quantized weights is at least this likewise");
  option("--fp16-entropy-tokens", fp16EntropyTokens, "So many tokens from there on (1)");

  command
      .add_flag("--early-exit", earlyExit,
                "Try an answer at transitions and take it if the model is sure of it")
      ->group(reasoningFlagGroup);
  option("--early-exit-confidence", confidence, "How sure (0.95)");
  option("--early-exit-tokens", trialTokens, "Most tokens of a trial (16)");
  option("--early-exit-every", every, "Fewest tokens between two trials (64)");
  option("--early-exit-stable", stable, "Trials in a row that must give the same answer (2)");
  option("--early-exit-prompt", trialPrompt, "Text that asks for the answer");
}

Status ReasoningFlags::applyTo(ReasoningOptions &out, bool ignoreEos) const {
  MarkerPenaltyOptions &marker = out.marker;
  if (strength) {
    marker.fitted = *strength == "fitted";
    marker.strength = 0;
    if (!marker.fitted) // a number, as was checked when the flag was read
      CLI::detail::lexical_cast(*strength, marker.strength);
  }
  if (shape)
    marker.shape = valueOf(shapes, *shape);
  QRT_RETURN_IF_ERROR(needs({{set.has_value(), "--marker-set"},
                             {!words.empty(), "--marker-word"},
                             {!wordList.empty(), "--marker-words"},
                             {scope.has_value(), "--marker-scope"},
                             {shape.has_value(), "--marker-shape"},
                             {rampStep.has_value(), "--marker-ramp"},
                             {rampMax.has_value(), "--marker-ramp-max"},
                             {entropyMin.has_value(), "--marker-entropy-min"},
                             {window.has_value(), "--marker-window"},
                             {period.has_value(), "--marker-period"}},
                            marker.active(), "--marker-penalty"));
  QRT_RETURN_IF_ERROR(
      needs({{rampMax.has_value(), "--marker-ramp-max"}}, rampStep.has_value(), "--marker-ramp"));
  QRT_RETURN_IF_ERROR(needs({{window.has_value(), "--marker-window"}},
                            marker.shape == MarkerPenaltyOptions::Shape::Window,
                            "--marker-shape window"));
  QRT_RETURN_IF_ERROR(needs({{period.has_value(), "--marker-period"}},
                            marker.shape == MarkerPenaltyOptions::Shape::Cycle,
                            "--marker-shape cycle"));
  if (!words.empty() || !wordList.empty()) {
    marker.words = words;
    marker.words.insert(marker.words.end(), wordList.begin(), wordList.end());
    marker.set.clear(); // a preset's
  }
  assign(marker.set, set);
  if (scope)
    marker.scope = valueOf(scopes, *scope);
  assign(marker.rampStep, rampStep);
  assign(marker.rampMax, rampMax);
  assign(marker.entropyMin, entropyMin);
  assign(marker.window, window);
  assign(marker.period, period);

  if (loop)
    out.loop.action = valueOf(actions, *loop);
  QRT_RETURN_IF_ERROR(needs({{loopNgram.has_value(), "--loop-ngram"},
                             {loopCount.has_value(), "--loop-count"},
                             {loopWindow.has_value(), "--loop-window"}},
                            out.loop.action != LoopOptions::Action::Off, "--loop"));
  QRT_RETURN_IF_ERROR(needs(
      {{loopRescues.has_value(), "--loop-rescues"}, {loopTemperature.has_value(), "--loop-temp"}},
      out.loop.action == LoopOptions::Action::Rollback ||
          out.loop.action == LoopOptions::Action::Fp16,
      "--loop rollback or fp16"));
  assign(out.loop.ngram, loopNgram);
  assign(out.loop.count, loopCount);
  assign(out.loop.window, loopWindow);
  assign(out.loop.maxRescues, loopRescues);
  assign(out.loop.temperature, loopTemperature);

  assign(out.budget.maxThink, budget);
  assign(out.budget.grace, grace);
  assign(out.budget.minThink, minThink);
  assign(out.budget.message, message);
  QRT_RETURN_IF_ERROR(needs({{minMessage.has_value(), "--min-think-message"}},
                            out.budget.minThink > 0, "--min-think"));
  if (out.budget.minThink > 0)
    out.budget.minMessage = minMessage.value_or("Wait");
  QRT_RETURN_IF_ERROR(needs({{allowEos, "--allow-eos-in-think"}}, !ignoreEos,
                            "the end of the text, which --ignore-eos switches off"));
  out.budget.suppressEos = !ignoreEos && !allowEos;
  QRT_RETURN_IF_ERROR(
      needs({{grace.has_value(), "--think-grace"}}, out.budget.maxThink >= 0, "--think-budget"));
  const bool closes = out.budget.maxThink >= 0 || earlyExit || out.loop.rescues();
  QRT_RETURN_IF_ERROR(needs({{message.has_value(), "--think-message"}}, closes,
                            "--think-budget, --early-exit or a rescuing --loop"));

  assign(out.fp16.planTokens, fp16Plan);
  out.fp16.outline = fp16Outline;
  out.fp16.prompt = fp16Prompt;
  out.fp16.answer = fp16Answer;
  QRT_RETURN_IF_ERROR(needs({{fp16Rescue.has_value(), "--fp16-rescue"}}, out.loop.rescues(),
                            "--loop rollback, break, commit or fp16"));
  assign(out.fp16.rescueTokens, fp16Rescue);
  assign(out.fp16.entropyMin, fp16Entropy);
  QRT_RETURN_IF_ERROR(needs({{fp16EntropyTokens.has_value(), "--fp16-entropy-tokens"}},
                            out.fp16.entropyMin > 0, "--fp16-entropy-min"));
  assign(out.fp16.entropyTokens, fp16EntropyTokens);

  out.earlyExit.enabled = earlyExit;
  QRT_RETURN_IF_ERROR(needs({{confidence.has_value(), "--early-exit-confidence"},
                             {trialTokens.has_value(), "--early-exit-tokens"},
                             {every.has_value(), "--early-exit-every"},
                             {stable.has_value(), "--early-exit-stable"},
                             {trialPrompt.has_value(), "--early-exit-prompt"}},
                            earlyExit, "--early-exit"));
  assign(out.earlyExit.confidence, confidence);
  assign(out.earlyExit.trialTokens, trialTokens);
  assign(out.earlyExit.every, every);
  assign(out.earlyExit.stable, stable);
  assign(out.earlyExit.prompt, trialPrompt);
  return out.verify();
}

} // namespace qrt
