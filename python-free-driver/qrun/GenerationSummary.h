//===- GenerationSummary.h - What a run of the generator did, in figures ---------------------===//
#ifndef QRUN_GENERATIONSUMMARY_H
#define QRUN_GENERATIONSUMMARY_H

#include "Generation/Generator.h"
#include "Support/Json.h"

#include <map>
#include <string>

namespace qrt {

/// Sums over results.
class GenerationSummary {
public:
  void add(const GenerationResult &result);
  /// One line for people: tokens, tokens per second, what the controls did.
  std::string text(const GeneratorStats &stats) const;

  int64_t requests = 0, tokens = 0, reasoningTokens = 0;
  ReasoningCounters counters;

private:
  std::map<std::string, int64_t> endings; ///< finish reasons
};

OrderedJson countersJson(const ReasoningCounters &counters);
/// The reverse; counters that are missing are 0.
ReasoningCounters countersFrom(const Json &json);

/// {"name", "tokens": [{"id", "text", "strength"}], "dropped"}: dropped are the spellings that are
/// not one token and so not penalised.
OrderedJson markersJson(const MarkerTable &table);
/// The dropped spellings for people; "" if there are none.
std::string droppedMarkersText(const MarkerTable &table);
/// prompt_n, prompt_ms, prompt_per_second, predicted_n, predicted_ms, predicted_per_second over all
/// requests. The first token of a request comes with its prompt, so predicted_n, the tokens that
/// took a step of their own, is one less per request than what was generated.
OrderedJson timingsJson(const GeneratorStats &stats);

} // namespace qrt

#endif // QRUN_GENERATIONSUMMARY_H
