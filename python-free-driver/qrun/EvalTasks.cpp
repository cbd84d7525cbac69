//===- EvalTasks.cpp - Results on tasks as JSON -----------------------------------------------===//
#include "EvalTasks.h"

#include "GenerationSummary.h"

#include <cmath>

namespace qrt {

static OrderedJson number(double value) {
  return std::isfinite(value) ? OrderedJson(value) : OrderedJson(nullptr);
}

OrderedJson intervalJson(const Interval &i) {
  OrderedJson out;
  out["value"] = number(i.value);
  out["low"] = number(i.low);
  out["high"] = number(i.high);
  out["n"] = i.n;
  return out;
}

OrderedJson armJson(const ArmSummary &a) {
  OrderedJson out;
  out["accuracy"] = intervalJson(a.accuracy);
  out["tokens_mean"] = number(a.tokensMean);
  out["markers_per_trace"] = number(a.markersPerTrace);
  out["loop_rate"] = number(a.loopRate);
  out["loop_rate_exact"] = number(a.exactLoopRate);
  out["loop_rate_explicit"] = number(a.explicitLoopRate);
  out["lost_rate"] = number(a.lostRate);
  out["seen_rate"] = number(a.seenRate);
  out["cap_rate"] = number(a.capRate);
  out["think_closed_rate"] = number(a.thinkClosedRate);
  out["steps_mean"] = number(a.stepsMean);
  out["step_repetition"] = number(a.stepRepetition);
  out["time_to_first_answer"] = number(a.timeToFirstAnswer);
  out["tokens_per_s"] = number(a.tokensPerSecond);
  OrderedJson finish = OrderedJson::object();
  for (const auto &[reason, count] : a.finishReasons)
    finish[reason] = count;
  out["finish_reasons"] = std::move(finish);
  out["controls"] = countersJson(a.controls);
  return out;
}

OrderedJson tasksJson(const ArmSummary &reference, const ArmSummary &model,
                      const Inflation &inflation) {
  OrderedJson out;
  out["arms"] = {{"reference", armJson(reference)}, {"model", armJson(model)}};
  out["ctir_a"] = intervalJson(inflation.a);
  out["ctir_b"] = intervalJson(inflation.b);
  out["ctir_c"] = intervalJson(inflation.c);
  out["effective_speed"] = number(inflation.effectiveSpeed);
  out["flips"] = number(inflation.flips);
  OrderedJson benchmarks = OrderedJson::object();
  for (const auto &[name, ratio] : inflation.perBenchmark)
    benchmarks[name] = number(ratio);
  out["ctir_a_per_benchmark"] = std::move(benchmarks);
  return out;
}

void addContrast(const Contrast &contrast, OrderedJson &arm) {
  arm["tokens_change"] = intervalJson(contrast.tokens);
  arm["accuracy_change"] = intervalJson(contrast.accuracy);
  arm["markers_change"] = intervalJson(contrast.markers);
}

} // namespace qrt
