//===- Bench.cpp - End-to-end speed of a model beside the limits of the machine --------------===//
#include "Bench/Bench.h"

#include "Bench/BenchRun.h"
#include "Engine/KvCache.h"
#include "kernels/cpu/attention/attention.h"

#include <fcntl.h>
#include <limits>
#include <unistd.h>

namespace qrt::bench {

namespace {

void dropFromPageCache(const std::string &path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return; // Model::load will say why
  posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  close(file);
}

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

Status BenchRun::measureLoad(LoadResult &result) {
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

Status BenchRun::prepare() {
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

Status BenchRun::addSequences() {
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

Result<BenchReport> BenchRun::run() {
  QRT_RETURN_IF_ERROR(prepare());
  for (int64_t number = 0; number < options.rounds; ++number)
    QRT_RETURN_IF_ERROR(round(size_t(number)));
  summarize();
  return report;
}

Result<BenchReport> runBench(const std::string &path, const BenchOptions &options) {
  return BenchRun(path, options).run();
}

} // namespace qrt::bench
