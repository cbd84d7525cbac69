//===- Controller.cpp - Follows one sequence and steers it ------------------------------------===//
#include "Reasoning/Controller.h"

#include "Reasoning/AnswerFinder.h"
#include "Reasoning/Landing.h"
#include "Sampling/Softmax.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace qrt {

ReasoningController::ReasoningController(std::shared_ptr<const ReasoningPlan> plan,
                                         std::span<const int32_t> prompt)
    : thePlan(std::move(plan)),
      detector(thePlan->options.loop.ngram, thePlan->options.loop.count,
               thePlan->options.loop.window, thePlan->options.loop.nearCycles) {
  state.think = thePlan->tags ? ThinkState(thePlan->tags) : ThinkState();
  for (int32_t token : prompt)
    follow(token, false);
  detector.clear();
  state.everThought = thinking();
  state.markerHits = state.reasoningTokens = 0;
  nextTrial = thePlan->options.earlyExit.every;
  atPrompt = state;
}

bool ReasoningController::inMarkerScope() const {
  return thePlan->options.marker.scope == MarkerPenaltyOptions::Scope::All || thinking();
}

/// The last `added` bytes complete an empty line that has text before it: the end of a first step
/// (steps as in arXiv 2504.04823).
static bool endsParagraph(std::string_view text, size_t added) {
  const size_t gap = text.rfind("\n\n");
  return gap != text.npos && gap + 2 + added > text.size() &&
         text.find_first_not_of(" \t\r\n") < gap;
}

bool ReasoningController::usesSecondSet() const {
  const Fp16Options &o = thePlan->options.fp16;
  if (rescueLeft > 0 || unsureLeft > 0)
    return true;
  if (!thinking())
    return o.answer;
  if (!o.plans() || (o.outline && state.outlined))
    return false;
  return state.reasoningTokens < (o.planTokens > 0 ? o.planTokens : Fp16Options::outlineTokens);
}

bool ReasoningController::mayFallBack() const {
  return thePlan->options.fp16.entropyMin > 0 && forced.empty() && !usesSecondSet();
}

bool ReasoningController::fallsBack(std::span<const float> logits) {
  const Fp16Options &o = thePlan->options.fp16;
  if (!mayFallBack() || summarize(logits).entropy < o.entropyMin)
    return false;
  unsureLeft = o.entropyTokens;
  ++counts.fp16Fallbacks;
  detail("fp16_fallback");
  return true;
}

std::optional<Loop> ReasoningController::follow(int32_t token, bool generatedToken) {
  const std::string bytes = thePlan->tokenizer ? thePlan->tokenizer->tokenBytes(token) : "";
  const bool before = thinking();
  event = state.think.push(token, bytes);
  if (event != ThinkState::Event::None) {
    state.lineStart = true;
    state.tail.clear();
    state.segmentStart = int64_t(generated.size());
    state.segmentTokens = state.segmentMarkers = state.lastMarker = 0;
    state.everThought |= thinking();
    detector.clear();
    return std::nullopt;
  }
  if (before)
    ++state.reasoningTokens;
  if (inMarkerScope())
    if (const Marker *m = thePlan->marker(token); m && (!m->lineStart || state.lineStart)) {
      ++state.markerHits;
      ++state.segmentMarkers;
      state.lastMarker = state.segmentTokens;
    }
  ++state.segmentTokens;
  if (!bytes.empty())
    state.lineStart = bytes.back() == '\n';
  state.tail = (state.tail + bytes);
  state.outlined |= before && endsParagraph(state.tail, bytes.size());
  if (state.tail.size() > 16)
    state.tail.erase(0, state.tail.size() - 16);
  if (generatedToken && thePlan->options.loop.action != LoopOptions::Action::Off)
    return detector.push(token);
  return std::nullopt;
}

void ReasoningController::goBack(int64_t keep) {
  std::vector<int32_t> kept(generated.begin(), generated.begin() + keep);
  counts.rolledBack += int64_t(generated.size()) - keep;
  generated.clear();
  detector.clear();
  state = atPrompt;
  for (int32_t token : kept) {
    generated.push_back(token);
    follow(token, true);
  }
  event = ThinkState::Event::None;
  unsureLeft = 0;
  sureTrials = 0;
  bans.erase(bans.upper_bound(keep), bans.end()); // of a text that is gone
  ++rollbacks;
}

void ReasoningController::detail(const char *what) {
  if (std::find(detailList.begin(), detailList.end(), what) == detailList.end())
    detailList.emplace_back(what);
}

void ReasoningController::queueClosing() {
  const auto &ids = state.lineStart ? thePlan->closingAtLineStart : thePlan->closing;
  forced.assign(ids.begin(), ids.end());
}

StepControls ReasoningController::controls(std::span<const float> logits, float temperature) {
  StepControls out;
  banCounters.clear();
  if (budgetIsDue() && mayLand(logits)) {
    queueClosing();
    ++counts.budgetForced;
    detail("budget_forced");
  }
  if (!forced.empty()) {
    out.forced = forced.front();
    return out;
  }
  steer(out, int64_t(generated.size()), temperature);
  return out;
}

void ReasoningController::steer(StepControls &out, int64_t position, float temperature) {
  penalise(out);
  ban(out, position);
  if (position < perturbUntil)
    out.temperature = temperature + thePlan->options.loop.temperature;
}

std::optional<StepControls> ReasoningController::controlsAhead(float temperature) {
  StepControls out;
  if (!forced.empty()) {
    if (forced.size() == 1)
      return std::nullopt; // the last word of what a control writes ends something
    out.forced = forced[1];
    return out;
  }
  State now = state;
  std::vector<int64_t *> counters;
  banCounters.swap(counters); // those of controls() are still to be told what the sampler saw
  state.think.pushOrdinary();
  ++state.segmentTokens;
  state.lineStart = false;
  const bool due = budgetIsDue();
  if (!due) {
    penaltyList.swap(aheadPenalties);
    banList.swap(aheadBans);
    steer(out, int64_t(generated.size()) + 1, temperature);
    penaltyList.swap(aheadPenalties);
    banList.swap(aheadBans);
  }
  banCounters.swap(counters);
  state = std::move(now);
  return due ? std::nullopt : std::optional(out);
}

bool ReasoningController::budgetIsDue() const {
  const BudgetOptions &budget = thePlan->options.budget;
  return forced.empty() && thinking() && budget.maxThink >= 0 &&
         state.think.tokensInBlock() >= budget.maxThink;
}

bool ReasoningController::needsLogits() const {
  return budgetIsDue() && thePlan->options.budget.maxThink > 0 && state.segmentTokens > 0;
}

void ReasoningController::observe(const SampledToken &sampled) {
  counts.markerPenalised += sampled.penalised;
  const int64_t heldBefore = counts.minThinkHeld;
  for (size_t i = 0; i < banCounters.size(); ++i)
    if (banCounters[i] && i < 32 && (sampled.bannedBest >> i & 1))
      ++*banCounters[i];
  held = counts.minThinkHeld > heldBefore;
}

/// s1 (2501.19393): where the model would end its thinking too early, a word that makes it go on
/// stands in place of whatever it likes second best.
ReasoningController::Verdict ReasoningController::extend() {
  const auto keep = int64_t(generated.size()) - 1;
  goBack(keep);
  const auto &ids = state.lineStart ? thePlan->extensionAtLineStart : thePlan->extension;
  forced.assign(ids.begin(), ids.end());
  detail("min_think");
  return {Verdict::Kind::Rollback, keep};
}

bool ReasoningController::mayLand(std::span<const float> logits) const {
  const BudgetOptions &budget = thePlan->options.budget;
  if (!needsLogits())
    return true;
  auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
  return landsHere(state.tail, thePlan->tokenizer->tokenBytes(int32_t(best)),
                   state.think.tokensInBlock() - budget.maxThink, budget.grace);
}

void ReasoningController::ban(StepControls &out, int64_t position) {
  banList.clear();
  const BudgetOptions &budget = thePlan->options.budget;
  auto add = [&](int32_t id, int64_t *counter) {
    banList.push_back(id);
    banCounters.push_back(counter);
  };
  if (thinking()) {
    const auto &closeId = thePlan->tags->closeId;
    if (budget.suppressEos)
      for (int32_t id : thePlan->eosIds)
        if (id != closeId)
          add(id, &counts.eosSuppressed);
    if (state.think.tokensInBlock() < budget.minThink)
      add(*closeId, &counts.minThinkHeld);
  }
  if (auto at = bans.find(position); at != bans.end())
    for (int32_t id : at->second)
      add(id, nullptr);
  out.banned = banList;
}

ReasoningController::Verdict ReasoningController::accept(int32_t token) {
  counts.fp16Tokens += usesSecondSet();
  wasForced = !forced.empty() && forced.front() == token;
  rescueLeft -= rescueLeft > 0 && !wasForced;
  unsureLeft -= unsureLeft > 0;
  if (wasForced)
    forced.pop_front();
  const Marker *marker = thePlan->marker(token);
  const bool transition = marker && (!marker->lineStart || state.lineStart) && thinking();
  generated.push_back(token);
  std::optional<Loop> loop = follow(token, true);
  if (event == ThinkState::Event::Closed && thePlan->options.fp16.rescueTokens == 0)
    rescueLeft = 0;
  if (std::exchange(held, false) && !thePlan->extension.empty())
    return extend();
  if (event == ThinkState::Event::Opened)
    nextTrial = int64_t(generated.size()) + thePlan->options.earlyExit.every;
  if (wasForced)
    return {};
  if (loop)
    return onLoop(*loop);
  if (thePlan->options.earlyExit.enabled && transition && thinking() &&
      int64_t(generated.size()) >= nextTrial)
    return {Verdict::Kind::Trial};
  return {};
}

ReasoningController::Verdict ReasoningController::endTrial(std::span<const int32_t> answer,
                                                           double confidence, int64_t tokens) {
  const EarlyExitOptions &options = thePlan->options.earlyExit;
  counts.trialTokens += tokens;
  nextTrial = int64_t(generated.size()) + options.every;
  if (!std::equal(answer.begin(), answer.end(), lastTrial.begin(), lastTrial.end()))
    sureTrials = 0;
  lastTrial.assign(answer.begin(), answer.end());
  sureTrials = confidence < options.confidence ? 0 : sureTrials + 1;
  if (sureTrials < options.stable)
    return {};
  ++counts.earlyExits;
  detail("early_exit");
  const int64_t keep = int64_t(generated.size()) - 1;
  goBack(keep);
  queueClosing();
  return {Verdict::Kind::Rollback, keep};
}

std::string ReasoningController::thinkingText() const {
  std::string text;
  for (size_t i = size_t(state.segmentStart); i < generated.size(); ++i)
    text += thePlan->tokenizer->tokenBytes(generated[i]);
  return text;
}

/// Behind a roll-back to `keep` tokens something else than `token` has to come.
void ReasoningController::perturb(int64_t keep, int32_t token) {
  bans[keep].push_back(token);
  perturbUntil = keep + thePlan->options.loop.perturbTokens;
}

ReasoningController::Verdict ReasoningController::onLoop(const Loop &loop) {
  using Action = LoopOptions::Action;
  const LoopOptions &options = thePlan->options.loop;
  ++counts.loopEvents;
  Action action = options.action;
  if ((action == Action::Rollback || action == Action::Fp16) &&
      counts.rescued >= options.maxRescues)
    action = thinking() ? Action::Break : Action::Stop;
  if ((action == Action::Break || action == Action::Commit) && !thinking())
    action = Action::Stop; // there is no thinking to end
  if (action == Action::Count) {
    detail("loop");
    detector.clear(); // count the next one anew
    return {};
  }
  if (action == Action::Stop) {
    detail("loop");
    return {Verdict::Kind::Stop};
  }
  ++counts.rescued;
  std::optional<std::string> answer;
  if (action == Action::Commit)
    answer = committedAnswer(thinkingText());
  // The first round stays; what repeats it goes.
  const int64_t keep = state.segmentStart + loop.start;
  const int32_t first = generated[size_t(keep)];
  goBack(keep);
  rescueLeft = thePlan->options.fp16.rescueTokens;
  if (action == Action::Rollback) {
    detail("loop_rollback");
    perturb(keep, first);
    return {Verdict::Kind::Rollback, keep};
  }
  if (action == Action::Fp16) {
    detail("loop_fp16");
    if (rescueLeft == 0)
      rescueLeft = std::numeric_limits<int64_t>::max(); // to the end of the block
    if (counts.rescued > 1) // the other weights alone did not leave the loop
      perturb(keep, first);
    return {Verdict::Kind::Rollback, keep};
  }
  queueClosing();
  if (answer) {
    detail("loop_commit");
    for (int32_t id : thePlan->encode("\n\\boxed{" + *answer + "}"))
      forced.push_back(id);
    if (!thePlan->eosIds.empty())
      forced.push_back(thePlan->eosIds.front());
  } else {
    detail("loop_break");
  }
  return {Verdict::Kind::Rollback, keep};
}

ReasoningCounters ReasoningController::counters() const {
  ReasoningCounters out = counts;
  out.markerHits = state.markerHits;
  return out;
}

} // namespace qrt
