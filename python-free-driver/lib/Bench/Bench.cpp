//===- Bench.cpp - End-to-end speed of a model beside the limits of the machine ---------------===//
#include "Bench/Bench.h"

#include "Bench/Cost.h"
#include "Bench/Probe.h"
#include "Engine/KvCache.h"
#include "kernels/cpu/attention/attention.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <limits>
#include <unistd.h>

namespace qrt::bench {
namespace {

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// The same ids in every run.
std::vector<int32_t> tokensFor(int64_t count, int32_t vocabulary, uint64_t seed) {
  std::vector<int32_t> ids;
  uint64_t state = seed + 0x9e3779b97f4a7c15;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    ids.push_back(static_cast<int32_t>((state >> 33) % static_cast<uint64_t>(vocabulary)));
  }
  return ids;
}

void dropFromPageCache(const std::string &path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return; // Model::load will say why
  posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  close(file);
}

struct Samples {
  std::vector<double> seconds, limits; ///< per step
  std::vector<double> readRates;       ///< beside it
};

class Bench {
public:
  Bench(const std::string &path, const BenchOptions &options) : path(path), options(options) {}

  Result<BenchReport> run();

private:
  Status prepare();
  Status measureLoad(LoadResult &result);
  Status addSequences();
  bool onDevice() const { return options.engine.device.kind == DeviceKind::Cuda; }
  Status round(size_t number);
  Status decode(const CaseResult &what, double &seconds);
  Status decodeOnEngine(const CaseResult &what, const std::vector<int> &batch, double &seconds);
  Status prefill(const CaseResult &what, double &seconds);
  double limitSeconds(const CaseResult &what) const;
  void addProfile(CaseResult &what, const std::map<std::string, double> &before) const;
  void summarize();
  void summarizeKv(size_t index);

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

Status checkFlag(const char *flag, const std::vector<int64_t> &values, int64_t least,
                 int64_t most = std::numeric_limits<int64_t>::max(), const std::string &why = {}) {
  for (int64_t value : values)
    if (value < least || value > most)
      return invalidArgument(std::string(flag) + " " + std::to_string(value) + ": " +
                             (value < least ? "must be at least " + std::to_string(least) : why));
  return Status::ok();
}

Status checkOptions(const BenchOptions &options) {
  QRT_RETURN_IF_ERROR(checkFlag("--rounds", {options.rounds}, 1));
  QRT_RETURN_IF_ERROR(checkFlag("--steps", {options.decodeSteps}, 1));
  QRT_RETURN_IF_ERROR(checkFlag("--prompt", {options.promptTokens}, 1));
  QRT_RETURN_IF_ERROR(checkFlag("--context", options.contexts, 1));
  QRT_RETURN_IF_ERROR(checkFlag("--batch", options.batches, 1));
  QRT_RETURN_IF_ERROR(checkFlag("--prefill", options.prefills, 0));
  if (options.contexts.empty() && !options.batches.empty())
    return invalidArgument("batches are measured at the first context; there is none");
  return Status::ok();
}

/// Before anything is filled or measured: what the model cannot hold.
Status checkLengths(const BenchOptions &options, int64_t maxContext) {
  if (maxContext == 0) // no limit but memory
    return Status::ok();
  const std::string why = "the model holds " + std::to_string(maxContext) + " tokens";
  const int64_t room = maxContext - options.decodeSteps - 1;
  QRT_RETURN_IF_ERROR(checkFlag("--context", options.contexts, 1, room,
                                why + ", " + std::to_string(options.decodeSteps + 1) +
                                    " of them for the steps that are measured"));
  return checkFlag("--prefill", options.prefills, 0, maxContext, why);
}

} // namespace

int64_t processMemory(const char *field) {
  std::ifstream status("/proc/self/status");
  const std::string prefix = std::string(field) + ":";
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(prefix))
      return std::strtoll(line.c_str() + prefix.size(), nullptr, 10) * 1024;
  return 0;
}

Status Bench::measureLoad(LoadResult &result) {
  engine.reset();
  model.reset();
  const auto start = Clock::now();
  QRT_ASSIGN_OR_RETURN(model, Model::load(path));
  QRT_ASSIGN_OR_RETURN(engine, Engine::create(model, options.engine));
  result.loadSeconds = secondsSince(start);
  const std::vector<int32_t> ids = tokensFor(options.promptTokens, engine->vocabSize(), 0);
  QRT_ASSIGN_OR_RETURN(const int sequence, engine->addSequence());
  const Engine::Chunk chunk{sequence, ids, Engine::Logits::Last};
  QRT_RETURN_IF_ERROR(engine->step({&chunk, 1}).status());
  result.firstTokenSeconds = secondsSince(start);
  engine->release(sequence);
  return Status::ok();
}

Status Bench::prepare() {
  QRT_RETURN_IF_ERROR(checkOptions(options));
  if (options.engine.device.kind == DeviceKind::Auto)
    return invalidArgument("--device auto: figures need a name, cpu or cuda");
  QRT_ASSIGN_OR_RETURN(isa, kernels::requestedIsa());
  progress("load");
  dropFromPageCache(path);
  QRT_RETURN_IF_ERROR(measureLoad(report.cold));
  QRT_RETURN_IF_ERROR(measureLoad(report.warm));
  QRT_RETURN_IF_ERROR(checkLengths(options, engine->maxContext()));
  if (options.engine.profile && engine->stats().seconds.empty())
    return invalidArgument(path + ": only token-major programs on the CPU have a profile");
  pool = std::make_unique<kernels::ThreadPool>(options.engine.threads);
  cost = costOf(*model, isa);
  for (Bytes part : cost.read)
    readBytes += int64_t(part.size());
  kv = engine->stats().kv;
  report.model = path;
  report.isa = onDevice() ? "cuda:" + std::to_string(options.engine.device.index)
                          : std::string(kernels::isaName(isa));
  report.kvType = kvText(kv);
  report.threads = pool->size();
  report.fileBytes = int64_t(model->fileBytes());
  report.weights = cost.weights;
  report.weightBytes = cost.weightBytes;
  report.bitsPerWeight = cost.bitsPerWeight();
  report.stepBytes = cost.stepBytes;
  const KvBlockBytes kvBytes = kvBlockBytes(model->program().caches, kv);
  report.kvBytesPerToken = kvBytes.stored / kernels::kvPageTokens;
  for (int64_t tokens : options.prefills)
    if (tokens > 0)
      report.cases.push_back({false, 0, 1, tokens});
  for (int64_t context : options.contexts)
    report.cases.push_back({true, context, 1, 1});
  for (int64_t batch : options.batches)
    if (batch > 1)
      report.cases.push_back({true, options.contexts[0], batch, 1});
  samples.resize(report.cases.size());
  return addSequences();
}

Status Bench::addSequences() {
  sequences.resize(report.cases.size());
  std::vector<std::pair<int64_t, int>> made; // context and sequence
  for (size_t i = 0; i < report.cases.size(); ++i) {
    const CaseResult &what = report.cases[i];
    if (!what.isDecode)
      continue;
    for (const auto &[context, sequence] : made)
      if (context == what.context && int64_t(sequences[i].size()) < what.batch)
        sequences[i].push_back(sequence);
    while (int64_t(sequences[i].size()) < what.batch) {
      QRT_RETURN_IF_ERROR(checkpoint());
      progress("fill a context of " + std::to_string(what.context));
      QRT_ASSIGN_OR_RETURN(const int sequence, engine->addSequence());
      const auto ids = tokensFor(what.context, engine->vocabSize(), made.size() + 1);
      const Engine::Chunk chunk{sequence, ids, Engine::Logits::None};
      QRT_RETURN_IF_ERROR(engine->step({&chunk, 1}).status());
      made.emplace_back(what.context, sequence);
      sequences[i].push_back(sequence);
    }
  }
  return Status::ok();
}

Status Bench::decode(const CaseResult &what, double &seconds) {
  const std::vector<int> &batch = sequences[size_t(&what - report.cases.data())];
  if (engine->maxSampleEntries() > 0)
    return decodeOnEngine(what, batch, seconds);
  const auto ids = tokensFor(what.batch * (options.decodeSteps + 1), engine->vocabSize(), 99);
  double total = 0;
  for (int64_t step = 0; step <= options.decodeSteps; ++step) {
    std::vector<Engine::Chunk> chunks;
    for (int64_t b = 0; b < what.batch; ++b)
      chunks.push_back({batch[size_t(b)], {&ids[size_t(step * what.batch + b)], 1}});
    const auto start = Clock::now();
    QRT_RETURN_IF_ERROR(engine->step(chunks).status());
    total += step > 0 ? secondsSince(start) : 0; // the first one warms up
  }
  for (int sequence : batch)
    QRT_RETURN_IF_ERROR(engine->truncate(sequence, what.context));
  seconds = total / double(options.decodeSteps);
  return Status::ok();
}

/// As a generator runs a device: it takes the likeliest tokens itself, and knows what comes next.
Status Bench::decodeOnEngine(const CaseResult &what, const std::vector<int> &batch,
                             double &seconds) {
  constexpr int64_t warmUps = 5; // kernels are loaded, and graphs made for both slots of the ring
  auto tokens = tokensFor(what.batch, engine->vocabSize(), 99);
  double total = 0;
  for (int64_t step = -warmUps; step < options.decodeSteps; ++step) {
    std::vector<Engine::Chunk> chunks;
    std::vector<SampleRow> rows(batch.size()), next(batch.size());
    for (size_t b = 0; b < batch.size(); ++b) {
      chunks.push_back({batch[b], {&tokens[b], 1}});
      rows[b].temperature = next[b].temperature = 0;
      rows[b].position = uint64_t(what.context + step + warmUps);
      next[b].position = rows[b].position + 1;
    }
    const bool last = step + 1 == options.decodeSteps;
    const auto start = Clock::now();
    QRT_ASSIGN_OR_RETURN(
        const auto chosen,
        engine->stepAndSample(chunks, rows, {}, last ? Engine::Ahead{} : Engine::Ahead{next, {}}));
    total += step >= 0 ? secondsSince(start) : 0;
    for (size_t b = 0; b < batch.size(); ++b)
      tokens[b] = std::max(chosen[b].token, 0);
  }
  for (int sequence : batch)
    QRT_RETURN_IF_ERROR(engine->truncate(sequence, what.context));
  seconds = total / double(options.decodeSteps);
  return Status::ok();
}

Status Bench::prefill(const CaseResult &what, double &seconds) {
  const auto ids = tokensFor(what.tokens, engine->vocabSize(), 7);
  QRT_ASSIGN_OR_RETURN(const int sequence, engine->addSequence());
  const Engine::Chunk chunk{sequence, ids, Engine::Logits::Last};
  const auto start = Clock::now();
  Status status = engine->step({&chunk, 1}).status();
  seconds = secondsSince(start);
  engine->release(sequence);
  return status;
}

/// Of one step at the rates of the moment; 0 if they are not known.
double Bench::limitSeconds(const CaseResult &what) const {
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

Status Bench::round(size_t number) {
  progress("round " + std::to_string(number + 1) + " of " + std::to_string(options.rounds));
  double before = readProbe();
  for (size_t i = 0; i < report.cases.size(); ++i) {
    QRT_RETURN_IF_ERROR(checkpoint());
    const CaseResult &what = report.cases[i];
    if (!what.isDecode || f32Rates.size() <= number) {
      f32Rates.push_back(operationsPerSecond(*pool, isa, Arithmetic::F32));
      bf16Rates.push_back(operationsPerSecond(*pool, isa, Arithmetic::Bf16));
      int8Rates.push_back(operationsPerSecond(*pool, isa, Arithmetic::Int8));
    }
    double seconds = 0;
    const std::map<std::string, double> profile = engine->stats().seconds;
    QRT_RETURN_IF_ERROR(what.isDecode ? decode(what, seconds) : prefill(what, seconds));
    addProfile(report.cases[i], profile);
    const double after = readProbe();
    readRate = (before + after) / 2;
    before = after;
    samples[i].seconds.push_back(seconds);
    samples[i].limits.push_back(onDevice() ? 0 : limitSeconds(what)); // probes are the CPU's
    samples[i].readRates.push_back(readRate);
  }
  return Status::ok();
}

/// What a longer context costs beside the shortest one is the reading of keys and values.
void Bench::summarizeKv(size_t index) {
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
void Bench::addProfile(CaseResult &what, const std::map<std::string, double> &before) const {
  const auto runs = double(options.rounds * (what.isDecode ? options.decodeSteps + 1 : 1));
  for (const auto &[name, seconds] : engine->stats().seconds) {
    const auto old = before.find(name);
    what.profile[name] += (seconds - (old == before.end() ? 0 : old->second)) / runs;
  }
}

void Bench::summarize() {
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

Result<BenchReport> Bench::run() {
  QRT_RETURN_IF_ERROR(prepare());
  for (int64_t number = 0; number < options.rounds; ++number)
    QRT_RETURN_IF_ERROR(round(size_t(number)));
  summarize();
  return report;
}

Result<BenchReport> runBench(const std::string &path, const BenchOptions &options) {
  return Bench(path, options).run();
}

} // namespace qrt::bench
