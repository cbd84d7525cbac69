//===- EvalGate.cpp - The figures of qrun eval that --gate can bound -------------------------===//
#include "EvalGate.h"

#include <algorithm>

namespace qrt {
namespace {

constexpr GateMetric comparisonMetrics[] = {{"kl", true},      {"kl_median", true},
                                            {"kl_p999", true}, {"top1", false},
                                            {"ppl", true},     {"ppl_ratio", true}};
constexpr GateMetric taskMetrics[] = {{"accuracy", false},
                                      {"ctir_a", true},
                                      {"ctir_b", true},
                                      {"ctir_c", true},
                                      {"effective_speed", false},
                                      {"tokens_mean", true},
                                      {"markers_per_trace", true},
                                      {"loop_rate", true},
                                      {"lost_rate", true},
                                      {"cap_rate", true},
                                      {"think_closed_rate", false},
                                      {"tokens_per_s", false}};

template <size_t N>
bool boundsAny(const QualityGate &gate, const GateMetric (&metrics)[N]) {
  return std::any_of(std::begin(metrics), std::end(metrics),
                     [&](const GateMetric &metric) { return gate.hasBound(metric.name); });
}

} // namespace

Result<QualityGate> parseEvalGate(const std::string &text) {
  std::vector<GateMetric> all(std::begin(comparisonMetrics), std::end(comparisonMetrics));
  all.insert(all.end(), std::begin(taskMetrics), std::end(taskMetrics));
  return QualityGate::parse(text, all);
}

bool boundsTasks(const QualityGate &gate) { return boundsAny(gate, taskMetrics); }
bool boundsComparison(const QualityGate &gate) { return boundsAny(gate, comparisonMetrics); }

void addFigures(const Comparison &c, GateFigures &figures) {
  figures["kl"] = c.klMean;
  figures["kl_median"] = c.klMedian;
  figures["kl_p999"] = c.klP999;
  figures["top1"] = c.top1;
  figures["ppl"] = c.perplexity;
  figures["ppl_ratio"] = c.perplexity / c.perplexityReference;
}

void addFigures(const ArmSummary &model, const Inflation &inflation, GateFigures &figures) {
  figures["accuracy"] = model.accuracy.value;
  figures["ctir_a"] = inflation.a.value;
  figures["ctir_b"] = inflation.b.value;
  figures["ctir_c"] = inflation.c.value;
  figures["effective_speed"] = inflation.effectiveSpeed;
  figures["tokens_mean"] = model.tokensMean;
  figures["markers_per_trace"] = model.markersPerTrace;
  figures["loop_rate"] = model.loopRate;
  figures["lost_rate"] = model.lostRate;
  figures["cap_rate"] = model.capRate;
  figures["think_closed_rate"] = model.thinkClosedRate;
  figures["tokens_per_s"] = model.tokensPerSecond;
}

} // namespace qrt
