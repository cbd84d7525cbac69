//===- BenchRun.h - One run of a bench, from loading to its report ---------------------------===//
#ifndef QRT_BENCH_BENCHRUN_H
#define QRT_BENCH_BENCHRUN_H

#include "Bench/Bench.h"
#include "Bench/Cost.h"
#include "Bench/Probe.h"

#include <chrono>

namespace qrt::bench {

using Clock = std::chrono::steady_clock;
inline double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The same ids in every run.
std::vector<int32_t> tokensFor(int64_t count, int32_t vocabulary, uint64_t seed);

struct Samples {
  std::vector<double> seconds, limits; ///< per step
  std::vector<double> readRates;       ///< beside it
};

class BenchRun {
public:
  BenchRun(const std::string &path, const BenchOptions &options) : path(path), options(options) {}

  Result<BenchReport> run();

private:
  // Bench.cpp
  Status prepare();
  Status measureLoad(LoadResult &result);
  Status addSequences();

  // BenchSteps.cpp
  Status round(size_t number);
  Status decode(const CaseResult &what, double &seconds);
  Status decodeOnEngine(const CaseResult &what, const std::vector<int> &batch, double &seconds);
  Status prefill(const CaseResult &what, double &seconds);

  // BenchSummary.cpp
  double limitSeconds(const CaseResult &what) const;
  void addProfile(CaseResult &what, const std::map<std::string, double> &before) const;
  void summarize();
  void summarizeKv(size_t index);

  bool onDevice() const { return options.engine.device.kind == DeviceKind::Cuda; }
  Status checkpoint() const { return options.checkpoint ? options.checkpoint() : Status::ok(); }
  void progress(const std::string &text) const {
    if (options.progress)
      options.progress(text);
  }
  double readProbe() {
    const double rate = double(readBytes) / readSeconds(*pool, cost.read);
    readRates.push_back(rate);
    return rate;
  }

  const std::string &path;
  const BenchOptions &options;
  BenchReport report;
  std::shared_ptr<const Model> model;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<kernels::ThreadPool> pool; ///< of the probes
  kernels::Isa isa = kernels::Isa::Scalar;
  Cost cost;
  int64_t readBytes = 0;
  KvSpec kv;
  /// Per case, the sequences that hold its context; shared by cases of one context.
  std::vector<std::vector<int>> sequences;
  std::vector<Samples> samples;
  std::vector<double> readRates, f32Rates, bf16Rates, int8Rates;
  double readRate = 0; ///< at the moment
};

} // namespace qrt::bench

#endif // QRT_BENCH_BENCHRUN_H
