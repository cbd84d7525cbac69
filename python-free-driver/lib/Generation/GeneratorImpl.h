//===- GeneratorImpl.h - The batch behind a generator -----------------------------------------===//
#ifndef QRT_GENERATION_GENERATORIMPL_H
#define QRT_GENERATION_GENERATORIMPL_H

#include "Generation/ActiveRequest.h"
#include "Generation/Generator.h"
#include "Generation/PrefixCache.h"

#include <deque>
#include <map>

namespace qrt {

struct Generator::Impl {
  Impl(Engine &engine, ModelTexts texts, const GeneratorOptions &options)
      : engine(engine), texts(std::move(texts)), options(options), sampler(engine.vocabSize()),
        lists(engine.vocabSize()), prefixes(engine, options.keptSequences) {}
  ~Impl();

  Status check(const GenerationRequest &request) const;
  Status step();
  /// Forgets a request and its result.
  void drop(int id);

  using Requests = std::deque<std::unique_ptr<ActiveRequest>>;
  Engine &engine;
  ModelTexts texts;
  GeneratorOptions options;
  Sampler sampler;
  SampleLists lists; ///< for engines that choose tokens themselves
  GeneratorStats stats;
  PrefixCache prefixes;
  Requests waiting, running;
  std::map<int, GenerationResult> results;
  int nextId = 0;

  /// The plan of these options: the last one if they are the same, as in a batch they mostly are.
  Result<std::shared_ptr<const ReasoningPlan>> reasoningPlan(const ReasoningOptions &options);

private:
  std::shared_ptr<const ReasoningPlan> lastPlan;
  Status admit();
  /// What every running request feeds in this step, at most one chunk each; `who` says whose.
  void plan(std::vector<Engine::Chunk> &chunks, std::vector<ActiveRequest *> &who,
            int64_t &promptTokens) const;
  /// Runs the engine and takes in the next token of every request whose logits are wanted.
  Status stepAndChoose(std::span<const Engine::Chunk> chunks, std::span<ActiveRequest *const> who);
  Status chooseOnEngine(std::span<const Engine::Chunk> chunks, std::span<ActiveRequest *const> who);
  /// What the step behind this one will ask for: rows for all, or none.
  Status lookAhead(std::span<const Engine::Chunk> chunks, std::span<ActiveRequest *const> who,
                   std::vector<SampleRow> &rows, std::vector<SampleEntry> &entries);
  /// Out of memory: gives up the sequences that are only kept. True if there were some.
  bool makeRoom(const Status &error) {
    return error.code() == StatusCode::ResourceExhausted && prefixes.clear();
  }
  Status runTrial(ActiveRequest &request);
  Status settle(ActiveRequest &request);
  void retire();
  void release(ActiveRequest &request, bool keep = false);
};

} // namespace qrt

#endif // QRT_GENERATION_GENERATORIMPL_H
