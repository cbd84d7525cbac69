//===- Options.cpp - Checks of the reasoning options -----------------------------------------===//
#include "Reasoning/Options.h"

#include "Support/OptionRange.h"

#include <cmath>

namespace qrt {
namespace {

Status bad(const char *field, const std::string &why) {
  return invalidArgument("reasoning option " + std::string(field) + ": " + why);
}

Status inRange(const char *field, double value, double low, double high) {
  return checkRange("reasoning option " + std::string(field), value, low, high);
}

} // namespace

ReasoningCounters &ReasoningCounters::operator+=(const ReasoningCounters &other) {
  markerHits += other.markerHits;
  markerPenalised += other.markerPenalised;
  loopEvents += other.loopEvents;
  rescued += other.rescued;
  budgetForced += other.budgetForced;
  eosSuppressed += other.eosSuppressed;
  minThinkHeld += other.minThinkHeld;
  earlyExits += other.earlyExits;
  trialTokens += other.trialTokens;
  rolledBack += other.rolledBack;
  fp16Tokens += other.fp16Tokens;
  fp16Fallbacks += other.fp16Fallbacks;
  return *this;
}

Status ReasoningOptions::verify() const {
  QRT_RETURN_IF_ERROR(inRange("marker_penalty.strength", marker.strength, -100, 100));
  QRT_RETURN_IF_ERROR(inRange("marker_penalty.ramp_step", marker.rampStep, 0, 100));
  QRT_RETURN_IF_ERROR(inRange("marker_penalty.ramp_max", marker.rampMax, 0, 100));
  QRT_RETURN_IF_ERROR(inRange("marker_penalty.entropy_min", marker.entropyMin, 0, 100));
  QRT_RETURN_IF_ERROR(inRange("marker_penalty.window", marker.window, 1, INT32_MAX));
  QRT_RETURN_IF_ERROR(inRange("marker_penalty.period", marker.period, 4, INT32_MAX));
  if (!marker.set.empty() && !marker.words.empty())
    return bad("marker_penalty.words", "either a set or words, not both");
  if (marker.fitted && marker.strength != 0)
    return bad("marker_penalty.strength", "is taken from the model, so none may be given");
  if (marker.fitted && (!marker.words.empty() || (!marker.set.empty() && marker.set != "model")))
    return bad("marker_penalty.set", "the fitted strength belongs to the model's own table");
  if (!marker.active() && (marker.rampStep != 0 || marker.entropyMin != 0 || !marker.set.empty() ||
                           !marker.words.empty()))
    return bad("marker_penalty.strength", "is 0, so the other marker options have no effect");
  QRT_RETURN_IF_ERROR(inRange("loop.ngram", loop.ngram, 1, 1024));
  QRT_RETURN_IF_ERROR(inRange("loop.count", loop.count, 2, 1024));
  QRT_RETURN_IF_ERROR(inRange("loop.window", loop.window, loop.ngram, 1 << 20));
  QRT_RETURN_IF_ERROR(inRange("loop.max_rescues", loop.maxRescues, 0, 1000));
  QRT_RETURN_IF_ERROR(inRange("loop.temperature", loop.temperature, 0, 10));
  QRT_RETURN_IF_ERROR(inRange("loop.perturb_tokens", loop.perturbTokens, 0, INT32_MAX));
  QRT_RETURN_IF_ERROR(inRange("thinking_budget", double(budget.maxThink), -1, 1e15));
  QRT_RETURN_IF_ERROR(inRange("budget_grace", double(budget.grace), 0, 1e9));
  QRT_RETURN_IF_ERROR(inRange("min_thinking", double(budget.minThink), 0, 1e15));
  if (budget.maxThink >= 0 && budget.minThink > budget.maxThink)
    return bad("min_thinking", "is larger than the thinking budget");
  if (budget.minThink == 0 && !budget.minMessage.empty())
    return bad("min_thinking", "is 0, so its message has no effect");
  QRT_RETURN_IF_ERROR(inRange("fp16.plan_tokens", double(fp16.planTokens), 0, 1e15));
  QRT_RETURN_IF_ERROR(inRange("fp16.rescue_tokens", double(fp16.rescueTokens), 0, 1e15));
  QRT_RETURN_IF_ERROR(inRange("fp16.entropy_min", fp16.entropyMin, 0, 100));
  QRT_RETURN_IF_ERROR(inRange("fp16.entropy_tokens", double(fp16.entropyTokens), 1, 1e15));
  if (fp16.entropyTokens > 1 && fp16.entropyMin == 0)
    return bad("fp16.entropy_tokens", "has no effect without fp16.entropy_min");
  if (fp16.rescueTokens > 0 && !loop.rescues())
    return bad("fp16.rescue_tokens", "has no effect without a loop action that rescues");
  QRT_RETURN_IF_ERROR(inRange("early_exit.confidence", earlyExit.confidence, 0, 1));
  QRT_RETURN_IF_ERROR(inRange("early_exit.trial_tokens", earlyExit.trialTokens, 1, 1024));
  QRT_RETURN_IF_ERROR(inRange("early_exit.stable", earlyExit.stable, 1, 1000));
  QRT_RETURN_IF_ERROR(inRange("early_exit.every", earlyExit.every, 1, INT32_MAX));
  return Status::ok();
}

} // namespace qrt
