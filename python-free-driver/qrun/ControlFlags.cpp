//===- ControlFlags.cpp - Flags of sampling and of the reasoning controls
//------------------------===//
#include "ControlFlags.h"

#include "Reasoning/Presets.h"

#include <charconv>
#include <cmath>

namespace qrt {

void ControlFlags::addTo(CLI::App &c) {
  c.add_option("--temp,--temperature", temperature, "0: greedy")->group("Sampling");
  c.add_option("--top-k", topK, "0: off")->group("Sampling");
  c.add_option("--top-p", topP, "1: off")->group("Sampling");
  c.add_option("--min-p", minP, "0: off; relative to the likeliest token")->group("Sampling");
  c.add_option("--seed", seed, "Of the random numbers")->group("Sampling");
  c.add_option("--repetition-penalty", repetition, "1: off")->group("Sampling");
  c.add_option("--repetition-window", repetitionWindow, "Tokens it sees, 0: all")
      ->group("Sampling");
  c.add_option("--presence-penalty", presence, "0: off")->group("Sampling");
  c.add_option("--frequency-penalty", frequency, "0: off")->group("Sampling");
  c.add_option("--dry-multiplier", dryMultiplier, "0: off; 0.8 is usual")->group("Sampling");
  c.add_option("--dry-base", dryBase, "1.75")->group("Sampling");
  c.add_option("--dry-allowed-length", dryAllowed, "2")->group("Sampling");
  c.add_option("--logit-bias", bias, "ID=BIAS, -inf bans; may be repeated")->group("Sampling");

  const char *group = "Reasoning controls";
  c.add_option("--preset", presets, "penalty, nowait, tip, cyclicreflex, dry, rescue")
      ->group(group);
  c.add_option("--marker-penalty", strength, "Subtracted from the logits of overthinking markers")
      ->group(group);
  c.add_option("--marker-set", set,
               "default50, nowait, tip, reflection; else the model's own table")
      ->group(group);
  c.add_option("--marker-words,--marker-word", words,
               "Instead of a set; =WORD for one spelling only")
      ->delimiter(',')
      ->group(group);
  c.add_option("--marker-scope", scope, "think (default) or all")
      ->check(CLI::IsMember({"think", "all"}))
      ->group(group);
  c.add_option("--marker-shape", shape, "constant (default), ban, window, cycle")
      ->check(CLI::IsMember({"constant", "ban", "window", "cycle"}))
      ->group(group);
  c.add_option("--marker-ramp", ramp, "Added per marker in the think block")->group(group);
  c.add_option("--marker-ramp-max", rampMax, "Largest penalty of the ramp, 0: no limit")
      ->group(group);
  c.add_option("--marker-entropy-min", entropyMin, "Only where the entropy (nats) is at least this")
      ->group(group);
  c.add_option("--marker-window", window, "Tokens of shape window")->group(group);
  c.add_option("--marker-period", period, "Tokens of shape cycle")->group(group);
  c.add_option("--loop-action,--loop", loopAction,
               "off (default), count, rollback, break, commit, stop")
      ->check(CLI::IsMember({"off", "count", "rollback", "break", "commit", "stop"}))
      ->group(group);
  c.add_option("--loop-rescues", maxRescues, "Roll-backs before the thinking is ended")
      ->group(group);
  c.add_option("--loop-temperature,--loop-temp", loopTemperature, "Added behind a roll-back")
      ->group(group);
  c.add_option("--thinking-budget,--think-budget,--reasoning-budget", budget,
               "Tokens in a think block; 0: no thinking")
      ->group(group);
  c.add_option("--budget-grace,--think-grace", grace,
               "Further tokens to reach the end of a sentence")
      ->group(group);
  c.add_option("--budget-message,--think-message", message,
               "Written before a forced end of thinking")
      ->group(group);
  c.add_option("--min-thinking,--min-think", minThink, "Tokens before which thinking cannot end")
      ->group(group);
  c.add_flag("--allow-eos-in-think", allowEos, "Let the text end inside the think block")
      ->group(group);
  c.add_flag("--early-exit", earlyExit, "Try an answer at transitions, take it if it is sure")
      ->group(group);
  c.add_option("--early-exit-confidence", confidence, "0.95")->group(group);
}

static Status parseBias(const std::string &text, SamplingOptions &sampling) {
  auto bad = [&] { return invalidArgument("--logit-bias " + text + ": not ID=BIAS"); };
  size_t equal = text.find('=');
  if (equal == std::string::npos)
    return bad();
  int32_t id;
  float value = 0;
  const char *begin = text.data(), *end = begin + text.size();
  if (auto r = std::from_chars(begin, begin + equal, id);
      r.ec != std::errc() || r.ptr != begin + equal)
    return bad();
  if (auto r = std::from_chars(begin + equal + 1, end, value); r.ec != std::errc() || r.ptr != end)
    return bad();
  sampling.logitBias.emplace_back(id, value);
  return Status::ok();
}

Status ControlFlags::resolve(SamplingOptions &sampling, ReasoningOptions &reasoning) const {
  for (const std::string &name : presets)
    QRT_RETURN_IF_ERROR(applyPreset(name, reasoning, sampling));
  auto put = [](const auto &flag, auto &field) {
    if (flag)
      field = *flag;
  };
  put(temperature, sampling.temperature);
  put(topK, sampling.topK);
  put(topP, sampling.topP);
  put(minP, sampling.minP);
  put(seed, sampling.seed);
  put(repetition, sampling.repetitionPenalty);
  put(repetitionWindow, sampling.repetitionWindow);
  put(presence, sampling.presencePenalty);
  put(frequency, sampling.frequencyPenalty);
  put(dryMultiplier, sampling.dry.multiplier);
  put(dryBase, sampling.dry.base);
  put(dryAllowed, sampling.dry.allowedLength);
  for (const std::string &text : bias)
    QRT_RETURN_IF_ERROR(parseBias(text, sampling));
  MarkerPenaltyOptions &marker = reasoning.marker;
  put(strength, marker.strength);
  put(set, marker.set);
  if (!words.empty()) {
    marker.words = words;
    if (!set)
      marker.set.clear(); // a preset's
  }
  if (scope)
    marker.scope =
        *scope == "all" ? MarkerPenaltyOptions::Scope::All : MarkerPenaltyOptions::Scope::Think;
  using Shape = MarkerPenaltyOptions::Shape;
  if (shape)
    marker.shape = *shape == "ban"      ? Shape::Ban
                   : *shape == "window" ? Shape::Window
                   : *shape == "cycle"  ? Shape::Cycle
                                        : Shape::Constant;
  put(ramp, marker.rampStep);
  put(rampMax, marker.rampMax);
  put(entropyMin, marker.entropyMin);
  put(window, marker.window);
  put(period, marker.period);
  if ((scope || shape || window || period || rampMax) && !marker.active())
    return invalidArgument("the --marker-... flags have no effect without --marker-penalty");
  using Action = LoopOptions::Action;
  if (loopAction)
    reasoning.loop.action = *loopAction == "count"      ? Action::Count
                            : *loopAction == "rollback" ? Action::Rollback
                            : *loopAction == "break"    ? Action::Break
                            : *loopAction == "commit"   ? Action::Commit
                            : *loopAction == "stop"     ? Action::Stop
                                                        : Action::Off;
  put(maxRescues, reasoning.loop.maxRescues);
  put(loopTemperature, reasoning.loop.temperature);
  if ((maxRescues || loopTemperature) && reasoning.loop.action != Action::Rollback)
    return invalidArgument("--loop-rescues and --loop-temperature need --loop-action rollback");
  put(budget, reasoning.budget.maxThink);
  put(grace, reasoning.budget.grace);
  put(message, reasoning.budget.message);
  put(minThink, reasoning.budget.minThink);
  if (grace && reasoning.budget.maxThink < 0)
    return invalidArgument("--budget-grace needs --thinking-budget");
  reasoning.budget.suppressEos = !allowEos;
  reasoning.earlyExit.enabled = earlyExit;
  put(confidence, reasoning.earlyExit.confidence);
  if (confidence && !earlyExit)
    return invalidArgument("--early-exit-confidence needs --early-exit");
  return reasoning.verify();
}

} // namespace qrt
