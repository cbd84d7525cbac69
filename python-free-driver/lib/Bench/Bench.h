//===- Bench.h - End-to-end speed of a model beside the limits of the machine -----------------===//
// Every round runs every case once, with a read probe before and after each; a case's fraction is
// that of its own two neighbours, and figures are medians over the rounds. So a machine that slows
// down for a minute moves the speed and its limit together.
//
//   decode   one token for each of `batch` sequences that hold `context` tokens, averaged over a
//   few
//            steps; limit: weights and KV bytes over the read probe
//   prefill  `tokens` tokens into an empty sequence, logits of the last; limit: operations of the
//            linears over the arithmetic probe of their kind
//   load     Model::load and Engine::create, and from there to the first logits of a short prompt:
//            once with the file dropped from the page cache (as far as the system allows), then
//            warm
//
// Tokens are pseudo-random, the same in every run.
#ifndef QRT_BENCH_BENCH_H
#define QRT_BENCH_BENCH_H

#include "qrt/Engine.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace qrt::bench {

struct BenchOptions {
  EngineOptions engine;
  std::vector<int64_t> contexts{128, 1024}; ///< decode, batch 1
  std::vector<int64_t> batches{1, 4, 8};    ///< decode, at the first context
  std::vector<int64_t> prefills{128, 512};
  int64_t decodeSteps = 16; ///< per round
  int64_t rounds = 5;
  int64_t promptTokens = 16; ///< of the time to the first token
  /// Asked between measurements: an error ends the run with it.
  std::function<Status()> checkpoint;
  /// Told what is being done, one line each.
  std::function<void(const std::string &)> progress;
};

struct CaseResult {
  bool isDecode = false;
  int64_t context = 0, batch = 1, tokens = 1; ///< tokens: per sequence and step
  double secondsPerStep = 0;
  double tokensPerSecond = 0;
  double limitTokensPerSecond = 0; ///< 0: no probe for this instruction set
  double fraction = 0;             ///< of the limit
  /// Decode of batch 1 beside the shortest context: bytes of keys and values that the longer one
  /// adds over the seconds that it adds, and the fraction of the read probe; 0 elsewhere.
  double kvBytesPerSecond = 0, kvFraction = 0;
  /// With EngineOptions::profile: seconds per step by what was computed, means over all rounds.
  std::map<std::string, double> profile;
};

struct LoadResult {
  double loadSeconds = 0;       ///< Model::load and Engine::create
  double firstTokenSeconds = 0; ///< from the start of loading to the first logits
};

struct BenchReport {
  std::string model, isa, kvType;
  int threads = 0;
  int64_t fileBytes = 0, weights = 0, weightBytes = 0, stepBytes = 0, kvBytesPerToken = 0;
  double bitsPerWeight = 0;
  double readBytesPerSecond = 0; ///< medians of all probes
  double f32PerSecond = 0, bf16PerSecond = 0, int8PerSecond = 0;
  LoadResult cold, warm;
  std::vector<CaseResult> cases;
  int64_t peakResidentBytes = 0;       ///< VmHWM: with the mapped file
  int64_t privateBytes = 0;            ///< RssAnon at the end
  int64_t arenaBytes = 0, kvBytes = 0; ///< of which the engine's
};

/// InvalidArgument: options (no rounds, lengths below 1, contexts beyond the model's);
/// otherwise what Model::load and Engine say.
Result<BenchReport> runBench(const std::string &path, const BenchOptions &options);

/// A figure of /proc/self/status ("VmHWM", "RssAnon") in bytes, 0 where there is none.
int64_t processMemory(const char *field);

} // namespace qrt::bench

#endif // QRT_BENCH_BENCH_H
