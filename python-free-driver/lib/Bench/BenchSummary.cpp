//===- BenchSummary.cpp - What measured steps say of speed and its limits --------------------===//
#include "Bench/BenchRun.h"

#include "Engine/KvCache.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

namespace qrt::bench {

static double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// Of one step at the rates of the moment; 0 if they are not known.
double BenchRun::limitSeconds(const CaseResult &what) const {
  if (what.isDecode) {
    // In the middle of the measured steps.
    const double context = double(what.context) + double(options.decodeSteps + 1) / 2;
    const double perSequence =
        double(cost.tokenBytes) + kvReadBytes(model->program().caches, kv, context);
    return (double(cost.stepBytes) + double(what.batch) * perSequence) / readRate;
  }
  double seconds = 0;
  auto add = [&](double operations, double rate) {
    seconds += operations == 0 ? 0 : operations / rate; // without a rate: infinite
  };
  for (const auto &[part, count] :
       {std::pair(cost.perToken, what.tokens), {cost.perSelected, int64_t(1)}}) {
    add(part.f32 * double(count), f32Rates.back());
    add(part.bf16 * double(count), bf16Rates.back());
    add(part.int8 * double(count), int8Rates.back());
  }
  return std::isfinite(seconds) ? seconds : 0;
}

/// What a longer context costs beside the shortest one is the reading of keys and values.
void BenchRun::summarizeKv(size_t index) {
  CaseResult &what = report.cases[index];
  size_t base = index;
  for (size_t i = 0; i < report.cases.size(); ++i)
    if (report.cases[i].isDecode && report.cases[i].batch == 1 &&
        report.cases[i].context < report.cases[base].context)
      base = i;
  if (!what.isDecode || what.batch != 1 || base == index)
    return;
  const std::vector<CacheSpec> &caches = model->program().caches;
  const double bytes = kvReadBytes(caches, kv, double(what.context)) -
                       kvReadBytes(caches, kv, double(report.cases[base].context));
  std::vector<double> rates, fractions;
  for (size_t r = 0; r < samples[index].seconds.size(); ++r) {
    const double seconds = samples[index].seconds[r] - samples[base].seconds[r];
    if (seconds <= 0)
      continue; // the machine changed in between
    rates.push_back(bytes / seconds);
    fractions.push_back(bytes / seconds / samples[index].readRates[r]);
  }
  what.kvBytesPerSecond = median(rates);
  what.kvFraction = median(fractions);
}

/// Adds what the engine spent since `before`, as a mean over the steps of all rounds.
void BenchRun::addProfile(CaseResult &what, const std::map<std::string, double> &before) const {
  const auto runs = double(options.rounds * (what.isDecode ? options.decodeSteps + 1 : 1));
  for (const auto &[name, seconds] : engine->stats().seconds) {
    const auto old = before.find(name);
    what.profile[name] += (seconds - (old == before.end() ? 0 : old->second)) / runs;
  }
}

void BenchRun::summarize() {
  for (size_t i = 0; i < report.cases.size(); ++i) {
    CaseResult &what = report.cases[i];
    const Samples &s = samples[i];
    std::vector<double> fractions;
    for (size_t r = 0; r < s.seconds.size(); ++r)
      fractions.push_back(s.limits[r] / s.seconds[r]);
    const double limit = median(s.limits), tokens = double(what.batch * what.tokens);
    what.secondsPerStep = median(s.seconds);
    what.tokensPerSecond = tokens / what.secondsPerStep;
    what.limitTokensPerSecond = limit > 0 ? tokens / limit : 0;
    what.fraction = median(fractions);
    summarizeKv(i);
  }
  report.readBytesPerSecond = median(readRates);
  report.f32PerSecond = median(f32Rates);
  report.bf16PerSecond = median(bf16Rates);
  report.int8PerSecond = median(int8Rates);
  report.peakResidentBytes = processMemory("VmHWM");
  report.privateBytes = processMemory("RssAnon");
  report.arenaBytes = engine->stats().arenaBytes;
  report.kvBytes = engine->stats().kvBytes;
}

int64_t processMemory(const char *field) {
  std::ifstream status("/proc/self/status");
  const std::string prefix = std::string(field) + ":";
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(prefix))
      return std::strtoll(line.c_str() + prefix.size(), nullptr, 10) * 1024;
  return 0;
}

} // namespace qrt::bench
