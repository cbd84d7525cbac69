//===- TaskEval.cpp - A model on tasks, and two models compared -------------------------------===//
#include "Eval/TaskEval.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace qrt {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

} // namespace

PerTask averageSeeds(const ArmResult &arm) {
  PerTask out;
  const auto seeds = size_t(arm.seeds);
  for (size_t i = 0; i + seeds <= arm.traces.size(); i += seeds) {
    double tokens = 0, right = 0, markers = 0;
    for (size_t s = 0; s < seeds; ++s) {
      const Trace &trace = arm.traces[i + s];
      tokens += double(std::max<int64_t>(1, trace.thinkTokens));
      right += trace.correct;
      markers += double(trace.markers);
    }
    out.thinkTokens.push_back(tokens / double(seeds));
    out.accuracy.push_back(right / double(seeds));
    out.markers.push_back(markers / double(seeds));
  }
  return out;
}

Result<ArmResult> runTasks(Engine &engine, const ModelTexts &texts, const std::vector<Task> &tasks,
                           const TaskRun &run) {
  QRT_ASSIGN_OR_RETURN(auto prompts, taskPrompts(tasks, texts));
  MarkerTable markers;
  if (texts.tokenizer) {
    auto words = markerWordSet("default50");
    if (auto table = expandMarkers(
            *texts.tokenizer, std::vector<std::string>(words.begin(), words.end()), "default50"))
      markers = table.takeValue();
  }
  ArmResult arm;
  arm.seeds = run.seeds;
  std::vector<GenerationRequest> requests;
  for (size_t t = 0; t < tasks.size(); ++t)
    for (int s = 0; s < run.seeds; ++s) {
      GenerationRequest request = run.settings;
      request.prompt = prompts[t];
      request.sampling.seed = (uint64_t(t) << 32) + run.firstSeed + uint64_t(s);
      requests.push_back(std::move(request));
    }
  const auto begin = std::chrono::steady_clock::now();
  Generator generator(engine, texts, run.generator);
  QRT_ASSIGN_OR_RETURN(auto results, generator.run(requests));
  QRT_ASSIGN_OR_RETURN(auto plan, generator.reasoningPlan(run.settings.reasoning));
  arm.penalised = plan->markers;
  arm.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  int64_t written = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    written += results[i].timings.decodeTokens;
    if (results[i].finishReason == FinishReason::Cancelled)
      return Status::error(StatusCode::Interrupted, "the tasks were not finished");
    const size_t t = i / size_t(run.seeds);
    Trace trace = measureTrace(tasks[t], results[i], texts, markers);
    trace.task = int64_t(t);
    trace.seed = int(i % size_t(run.seeds));
    arm.traces.push_back(std::move(trace));
    if (i % size_t(run.seeds) == 0) {
      TokenRow row{prompts[t], std::vector<bool>(prompts[t].size(), false)};
      row.ids.insert(row.ids.end(), results[i].ids.begin(), results[i].ids.end());
      row.scored.resize(row.ids.size(), true);
      arm.texts.push_back(std::move(row));
    }
  }
  if (generator.stats().decodeSeconds > 0)
    arm.tokensPerSecond = double(written) / generator.stats().decodeSeconds;
  return arm;
}

ArmSummary summarizeArm(const ArmResult &arm) {
  ArmSummary out;
  PerTask tasks = averageSeeds(arm);
  out.accuracy = bootstrap(int64_t(tasks.accuracy.size()), [&](std::span<const int64_t> drawn) {
    double sum = 0;
    for (int64_t i : drawn)
      sum += tasks.accuracy[size_t(i)];
    return sum / double(drawn.size());
  });
  const double n = double(arm.traces.size());
  int64_t seen = 0;
  for (const Trace &t : arm.traces) { // counts first, so that a rate of 1 is 1
    out.tokensMean += double(t.thinkTokens);
    out.markersPerTrace += double(t.markers);
    out.exactLoopRate += t.exactLoop;
    out.explicitLoopRate += t.explicitLoop;
    out.loopRate += t.exactLoop || t.explicitLoop;
    out.lostRate += t.lost;
    out.seenRate += t.answerSeen;
    out.capRate += t.cap;
    out.thinkClosedRate += t.thinkClosed;
    out.stepsMean += double(t.steps);
    out.stepRepetition += t.stepRepetition;
    if (t.timeToFirstAnswer >= 0) {
      out.timeToFirstAnswer += double(t.timeToFirstAnswer);
      ++seen;
    }
    ++out.finishReasons[t.finish];
    out.controls += t.counters;
  }
  for (double *sum : {&out.tokensMean, &out.markersPerTrace, &out.exactLoopRate,
                      &out.explicitLoopRate, &out.loopRate, &out.lostRate, &out.seenRate,
                      &out.capRate, &out.thinkClosedRate, &out.stepsMean, &out.stepRepetition})
    *sum /= n;
  out.timeToFirstAnswer = seen > 0 ? out.timeToFirstAnswer / double(seen) : nan;
  out.tokensPerSecond = arm.tokensPerSecond;
  return out;
}

Inflation compareArms(const std::vector<Task> &tasks, const ArmResult &reference,
                      const ArmResult &model) {
  PerTask f = averageSeeds(reference), q = averageSeeds(model);
  std::map<std::string, size_t> numbers;
  std::vector<size_t> benchmark;
  for (const Task &task : tasks)
    benchmark.push_back(numbers.try_emplace(task.benchmark, numbers.size()).first->second);

  struct Sums {
    double f = 0, q = 0, logs = 0, n = 0;
  };
  // Mean over the benchmarks that the drawn problems touch.
  auto ratio = [&](std::span<const int64_t> drawn, auto unit, bool geometric) {
    std::vector<Sums> sums(numbers.size());
    for (int64_t i : drawn) {
      size_t t = unit(i);
      Sums &s = sums[benchmark[t]];
      s.f += f.thinkTokens[t];
      s.q += q.thinkTokens[t];
      s.logs += std::log(q.thinkTokens[t] / f.thinkTokens[t]);
      s.n += 1;
    }
    double total = 0, used = 0;
    for (const Sums &s : sums)
      if (s.n > 0) {
        total += geometric ? std::exp(s.logs / s.n) : s.q / s.f;
        used += 1;
      }
    return used > 0 ? total / used : nan;
  };
  Inflation out;
  const auto n = int64_t(tasks.size());
  auto same = [](int64_t i) { return size_t(i); };
  out.a = bootstrap(n, [&](auto drawn) { return ratio(drawn, same, false); });
  out.b = bootstrap(n, [&](auto drawn) { return ratio(drawn, same, true); });
  std::vector<size_t> both;
  for (size_t t = 0; t < tasks.size(); ++t)
    if (f.accuracy[t] >= 0.5 && q.accuracy[t] >= 0.5)
      both.push_back(t);
  out.c = bootstrap(int64_t(both.size()), [&](auto drawn) {
    return ratio(drawn, [&](int64_t i) { return both[size_t(i)]; }, false);
  });
  for (const auto &[name, number] : numbers) {
    Sums s;
    for (size_t t = 0; t < tasks.size(); ++t)
      if (benchmark[t] == number) {
        s.f += f.thinkTokens[t];
        s.q += q.thinkTokens[t];
      }
    out.perBenchmark.emplace_back(name, s.q / s.f);
  }
  out.effectiveSpeed = model.tokensPerSecond / out.a.value;
  for (size_t i = 0; i < reference.traces.size(); ++i)
    out.flips +=
        (reference.traces[i].correct != model.traces[i].correct) / double(reference.traces.size());
  return out;
}

Contrast contrastArms(const ArmResult &base, const ArmResult &arm) {
  const PerTask b = averageSeeds(base), a = averageSeeds(arm);
  const auto n = int64_t(std::min(b.thinkTokens.size(), a.thinkTokens.size()));
  auto difference = [&](const std::vector<double> &x, const std::vector<double> &y) {
    return bootstrap(n, [&](std::span<const int64_t> drawn) {
      double sum = 0;
      for (int64_t i : drawn)
        sum += y[size_t(i)] - x[size_t(i)];
      return sum / double(drawn.size());
    });
  };
  Contrast out;
  out.tokens = bootstrap(n, [&](std::span<const int64_t> drawn) {
    double before = 0, after = 0;
    for (int64_t i : drawn) {
      before += b.thinkTokens[size_t(i)];
      after += a.thinkTokens[size_t(i)];
    }
    return after / before - 1;
  });
  out.accuracy = difference(b.accuracy, a.accuracy);
  out.markers = difference(b.markers, a.markers);
  return out;
}

} // namespace qrt
