//===- BenchSteps.cpp - The steps that a bench measures --------------------------------------===//
#include "Bench/BenchRun.h"

#include <algorithm>

namespace qrt::bench {

std::vector<int32_t> tokensFor(int64_t count, int32_t vocabulary, uint64_t seed) {
  std::vector<int32_t> ids;
  uint64_t state = seed + 0x9e3779b97f4a7c15;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    ids.push_back(static_cast<int32_t>((state >> 33) % static_cast<uint64_t>(vocabulary)));
  }
  return ids;
}

Status BenchRun::round(size_t number) {
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

Status BenchRun::decode(const CaseResult &what, double &seconds) {
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
Status BenchRun::decodeOnEngine(const CaseResult &what, const std::vector<int> &batch,
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

Status BenchRun::prefill(const CaseResult &what, double &seconds) {
  const auto ids = tokensFor(what.tokens, engine->vocabSize(), 7);
  QRT_ASSIGN_OR_RETURN(const int sequence, engine->addSequence());
  const Engine::Chunk chunk{sequence, ids, Engine::Logits::Last};
  const auto start = Clock::now();
  Status status = engine->step({&chunk, 1}).status();
  seconds = secondsSince(start);
  engine->release(sequence);
  return status;
}

} // namespace qrt::bench
