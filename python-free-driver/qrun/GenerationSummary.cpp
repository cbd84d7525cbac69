//===- GenerationSummary.cpp - What a run of the generator did, in figures -------------------===//
#include "GenerationSummary.h"

#include <algorithm>
#include <cstdio>

namespace qrt {

namespace {

/// The fields of ReasoningCounters: name in JSON, words for people.
struct CounterName {
  int64_t ReasoningCounters::*field;
  const char *json, *words;
};
constexpr CounterName counterNames[] = {
    {&ReasoningCounters::markerHits, "marker_hits", "markers written"},
    {&ReasoningCounters::markerPenalised, "marker_penalised", "marker penalty acted"},
    {&ReasoningCounters::loopEvents, "loop_events", "loops"},
    {&ReasoningCounters::rescued, "rescued", "loops rescued"},
    {&ReasoningCounters::budgetForced, "budget_forced", "thinking ended by the budget"},
    {&ReasoningCounters::eosSuppressed, "eos_suppressed", "end of text suppressed"},
    {&ReasoningCounters::minThinkHeld, "min_think_held", "end of thinking held back"},
    {&ReasoningCounters::earlyExits, "early_exits", "early exits"},
    {&ReasoningCounters::trialTokens, "trial_tokens", "trial tokens"},
    {&ReasoningCounters::rolledBack, "rolled_back", "tokens rolled back"},
    {&ReasoningCounters::fp16Tokens, "fp16_tokens", "tokens by the FP16 weights"},
    {&ReasoningCounters::fp16Fallbacks, "fp16_fallbacks", "unsure steps left to them"}};

double perSecond(int64_t count, double seconds) {
  return seconds > 0 ? double(count) / seconds : 0;
}

std::string rounded(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

} // namespace

void GenerationSummary::add(const GenerationResult &result) {
  ++requests;
  tokens += int64_t(result.ids.size());
  reasoningTokens += result.reasoningTokens;
  ++endings[finishReasonName(result.finishReason)];
  for (const CounterName &name : counterNames)
    counters.*name.field += result.counters.*name.field;
}

std::string GenerationSummary::text(const GeneratorStats &stats) const {
  auto speed = [](int64_t count, double seconds) {
    return " (" + rounded(perSecond(count, seconds)) + " tok/s)";
  };
  std::string out = std::to_string(stats.prefillTokens) + " prompt tokens" +
                    speed(stats.prefillTokens, stats.prefillSeconds) + ", ";
  if (stats.cachedTokens > 0)
    out += std::to_string(stats.cachedTokens) + " more from the cache, ";
  out += std::to_string(tokens) + " tokens" + speed(stats.decodeTokens, stats.decodeSeconds) +
         ", " + std::to_string(reasoningTokens) + " of them thinking";
  for (const auto &[reason, count] : endings)
    out += ", " + std::to_string(count) + " " + reason;
  for (const CounterName &name : counterNames) {
    const int64_t count = counters.*name.field;
    // The penalty is always named: that it never acted is news too.
    if (count != 0 || name.field == &ReasoningCounters::markerPenalised)
      out += std::string("; ") + name.words + ": " + std::to_string(count);
  }
  return out;
}

OrderedJson countersJson(const ReasoningCounters &counters) {
  OrderedJson out = OrderedJson::object();
  for (const CounterName &name : counterNames)
    out[name.json] = counters.*name.field;
  return out;
}

ReasoningCounters countersFrom(const Json &json) {
  ReasoningCounters counters;
  for (const CounterName &name : counterNames)
    counters.*name.field = jsonInt(json, name.json).value_or(0);
  return counters;
}

OrderedJson markersJson(const MarkerTable &table) {
  OrderedJson out{{"name", table.name}, {"tokens", OrderedJson::array()}};
  if (table.strength)
    out["strength"] = *table.strength;
  for (const Marker &marker : table.markers)
    out["tokens"].push_back(
        {{"id", marker.token}, {"text", marker.text}, {"strength", marker.strength}});
  out["dropped"] = table.dropped;
  return out;
}

std::string droppedMarkersText(const MarkerTable &table) {
  if (table.dropped.empty())
    return "";
  std::string out = "marker set '" + table.name + "': " + std::to_string(table.dropped.size()) +
                    " spellings are several tokens and not penalised:";
  constexpr size_t shown = 16;
  for (size_t i = 0; i < std::min(shown, table.dropped.size()); ++i)
    out += " '" + table.dropped[i] + "'";
  if (table.dropped.size() > shown)
    out += " and " + std::to_string(table.dropped.size() - shown) + " more, which --json lists";
  return out;
}

OrderedJson timingsJson(const GeneratorStats &stats) {
  OrderedJson out;
  out["prompt_n"] = stats.prefillTokens;
  out["cache_n"] = stats.cachedTokens;
  out["prompt_ms"] = stats.prefillSeconds * 1e3;
  out["prompt_per_second"] = perSecond(stats.prefillTokens, stats.prefillSeconds);
  out["predicted_n"] = stats.decodeTokens;
  out["predicted_ms"] = stats.decodeSeconds * 1e3;
  out["predicted_per_second"] = perSecond(stats.decodeTokens, stats.decodeSeconds);
  return out;
}

} // namespace qrt
