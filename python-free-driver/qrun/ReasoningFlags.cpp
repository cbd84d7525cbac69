//===- ReasoningFlags.cpp - Flags that steer the thinking ------------------------------------===//
#include "ReasoningFlags.h"

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
    {"commit", LoopOptions::Action::Commit},     {"stop", LoopOptions::Action::Stop}};

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

/// Whether a flag was given, and its name.
struct Given {
  bool given;
  const char *flag;
};

Status needs(std::initializer_list<Given> flags, bool active, const std::string &control) {
  for (const Given &flag : flags)
    if (flag.given && !active)
      return invalidArgument(std::string(flag.flag) + " has no effect without " + control);
  return Status::ok();
}

template <class Field, class Flag>
void assign(Field &field, const Flag &flag) {
  if (flag)
    field = *flag;
}

} // namespace

void ReasoningFlags::addTo(CLI::App &command) {
  command.add_option("--marker-penalty", strength,
                     "Subtracted from the logits of overthinking markers; 0: off");
  command.add_option("--marker-set", set,
                     "Word set: default50, nowait, tip or reflection (the model's own table)");
  command.add_option("--marker-word,--marker-words", words, "A word instead of a set; repeatable")
      ->allow_extra_args(false);
  command.add_option("--marker-scope", scope, "think or all (think)")
      ->check(CLI::IsMember(namesOf(scopes)));
  command.add_option("--marker-shape", shape, "constant, ban, window or cycle (constant)")
      ->check(CLI::IsMember(namesOf(shapes)));
  command.add_option("--marker-ramp", rampStep, "Further strength per marker in this thinking");
  command.add_option("--marker-ramp-max", rampMax, "Most strength with --marker-ramp; 0: no limit");
  command.add_option("--marker-entropy-min", entropyMin,
                     "Acts only where the next token's entropy is at least this (nats)");
  command.add_option("--marker-window", window, "Tokens of --marker-shape window (300)");
  command.add_option("--marker-period", period, "Tokens of --marker-shape cycle (600)");

  command.add_option("--think-budget,--thinking-budget,--reasoning-budget,--thinking-token-budget",
                     budget, "Most tokens of a thinking; 0: none, -1: no limit");
  command.add_option("--think-grace,--budget-grace", grace,
                     "Further tokens of --think-budget to reach the end of a sentence (64)");
  command.add_option("--think-message,--budget-message,--reasoning-budget-message", message,
                     "Written before a thinking is ended");
  command.add_option("--min-think,--min-thinking", minThink, "Fewest tokens of a thinking");

  command
      .add_option("--loop,--loop-action", loop,
                  "On a loop: off, count, rollback, break, commit or stop")
      ->check(CLI::IsMember(namesOf(actions)))
      ->capture_default_str();
  command.add_option("--loop-ngram", loopNgram, "Tokens that have to repeat (20)");
  command.add_option("--loop-count", loopCount, "How often (4)");
  command.add_option("--loop-window", loopWindow, "Within so many tokens (1024)");
  command.add_option("--loop-rescues", loopRescues, "Most roll-backs of --loop rollback (3)");
  command.add_option("--loop-temp,--loop-temperature", loopTemperature,
                     "Temperature added after a roll-back (0.3)");

  command.add_flag("--early-exit", earlyExit,
                   "Try an answer at transitions and take it if the model is sure of it");
  command.add_option("--early-exit-confidence", confidence, "How sure (0.95)");
  command.add_option("--early-exit-tokens", trialTokens, "Most tokens of a trial (16)");
  command.add_option("--early-exit-every", every, "Fewest tokens between two trials (64)");
  command.add_option("--early-exit-prompt", trialPrompt, "Text that asks for the answer");
}

Result<ReasoningOptions> ReasoningFlags::resolve(bool ignoreEos) const {
  ReasoningOptions out;
  MarkerPenaltyOptions &marker = out.marker;
  assign(marker.strength, strength);
  if (shape)
    marker.shape = valueOf(shapes, *shape);
  QRT_RETURN_IF_ERROR(needs({{set.has_value(), "--marker-set"},
                             {!words.empty(), "--marker-word"},
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
  assign(marker.set, set);
  marker.words = words;
  if (scope)
    marker.scope = valueOf(scopes, *scope);
  assign(marker.rampStep, rampStep);
  assign(marker.rampMax, rampMax);
  assign(marker.entropyMin, entropyMin);
  assign(marker.window, window);
  assign(marker.period, period);

  out.loop.action = valueOf(actions, loop);
  QRT_RETURN_IF_ERROR(needs({{loopNgram.has_value(), "--loop-ngram"},
                             {loopCount.has_value(), "--loop-count"},
                             {loopWindow.has_value(), "--loop-window"}},
                            out.loop.action != LoopOptions::Action::Off, "--loop"));
  QRT_RETURN_IF_ERROR(needs(
      {{loopRescues.has_value(), "--loop-rescues"}, {loopTemperature.has_value(), "--loop-temp"}},
      out.loop.action == LoopOptions::Action::Rollback, "--loop rollback"));
  assign(out.loop.ngram, loopNgram);
  assign(out.loop.count, loopCount);
  assign(out.loop.window, loopWindow);
  assign(out.loop.maxRescues, loopRescues);
  assign(out.loop.temperature, loopTemperature);

  assign(out.budget.maxThink, budget);
  assign(out.budget.grace, grace);
  assign(out.budget.minThink, minThink);
  assign(out.budget.message, message);
  out.budget.suppressEos = !ignoreEos;
  QRT_RETURN_IF_ERROR(
      needs({{grace.has_value(), "--think-grace"}}, out.budget.maxThink >= 0, "--think-budget"));
  const bool closes = out.budget.maxThink >= 0 || earlyExit ||
                      out.loop.action == LoopOptions::Action::Rollback ||
                      out.loop.action == LoopOptions::Action::Break ||
                      out.loop.action == LoopOptions::Action::Commit;
  QRT_RETURN_IF_ERROR(needs({{message.has_value(), "--think-message"}}, closes,
                            "--think-budget, --early-exit or a rescuing --loop"));

  out.earlyExit.enabled = earlyExit;
  QRT_RETURN_IF_ERROR(needs({{confidence.has_value(), "--early-exit-confidence"},
                             {trialTokens.has_value(), "--early-exit-tokens"},
                             {every.has_value(), "--early-exit-every"},
                             {trialPrompt.has_value(), "--early-exit-prompt"}},
                            earlyExit, "--early-exit"));
  assign(out.earlyExit.confidence, confidence);
  assign(out.earlyExit.trialTokens, trialTokens);
  assign(out.earlyExit.every, every);
  assign(out.earlyExit.prompt, trialPrompt);
  QRT_RETURN_IF_ERROR(out.verify());
  return out;
}

} // namespace qrt
