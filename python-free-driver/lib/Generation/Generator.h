//===- Generator.h - Many requests as one continuous batch ------------------------------------===//
// Runs requests on an engine: prompts in chunks, running sequences one token per step, both in the
// same step; a sequence leaves when it is done. The sampler, the think state and the reasoning
// controls act here, per request, so a request gives the same text alone and in a batch (up to the
// rounding that Engine.h documents).
//
//   Generator generator(*engine, texts);
//   auto results = generator.run(requests);          // all of them
//   int id = *generator.submit(request);             // or one by one, as a server does
//   while (!generator.idle()) QRT_RETURN_IF_ERROR(generator.step());
//   GenerationResult result = *generator.take(id);
//
// Models without a tokenizer work with ids: texts are empty, and what needs a tokenizer (stop
// strings, markers, think controls) is InvalidArgument naming the option.
// Thread safety: one thread at a time; `cancel` flags may be set from any thread.
#ifndef QRT_GENERATION_GENERATOR_H
#define QRT_GENERATION_GENERATOR_H

#include "Generation/ModelTexts.h"
#include "Reasoning/Plan.h"
#include "Sampling/Options.h"
#include "Sampling/Sampler.h"
#include "qrt/Engine.h"
#include "qrt/Status.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qrt {

/// One piece of news about a running request.
struct TokenEvent {
  int32_t token = -1;
  std::string_view text;  ///< bytes that became certain, tags excluded; may be empty
  bool reasoning = false; ///< the text belongs to the thinking
  bool forced = false;    ///< written by a control, not chosen by the model
  /// > 0: the last that many tokens and bytes of text are taken back before `token` is added
  /// (loop rescue). token is -1 where nothing is added.
  int64_t retractTokens = 0;
  size_t retractBytes = 0;
};

struct GenerationRequest {
  std::vector<int32_t> prompt; ///< at least one id
  SamplingOptions sampling;
  ReasoningOptions reasoning;
  int64_t maxTokens = -1;               ///< -1: up to the context
  std::vector<std::string> stopStrings; ///< not part of the text that is returned
  std::vector<int32_t> stopIds;         ///< besides the model's end-of-text ids
  bool ignoreEos = false;
  /// Called in the thread of step(), in order; false cancels the request.
  std::function<bool(const TokenEvent &)> onToken;
};

enum class FinishReason { Stop, StopString, Length, Context, Loop, Cancelled };
/// "stop", "stop_string", "length", "context", "loop", "cancelled".
const char *finishReasonName(FinishReason reason);

struct GenerationTimings {
  int64_t prefillTokens = 0, decodeTokens = 0;
  int64_t cachedTokens = 0;  ///< of the prompt, that were in the KV cache already
  double prefillSeconds = 0; ///< from the start of the request's first step to its first token
  double decodeSeconds = 0;  ///< from there to its end
};

struct GenerationResult {
  std::vector<int32_t> ids;           ///< generated, the end-of-text token included
  std::string text;                   ///< everything, tags included, special tokens left out
  std::string reasoning;              ///< inside the think tags
  std::string content;                ///< outside
  std::vector<SampledToken> logprobs; ///< one per id where asked for
  int64_t reasoningTokens = 0;
  bool thinkClosed = false; ///< a think block was open, and the last one was closed
  FinishReason finishReason = FinishReason::Length;
  /// What stopped or changed the request, for people and scripts: "eos:151645", "stop_string:\n\n",
  /// "budget_forced", "loop_break" ...; several joined by ",".
  std::string stopDetail;
  ReasoningCounters counters;
  GenerationTimings timings;
};

/// Sums over everything since the generator was made.
struct GeneratorStats {
  int64_t prefillTokens = 0, decodeTokens = 0, steps = 0;
  int64_t cachedTokens = 0;  ///< of prompts, that were in the KV cache already
  double prefillSeconds = 0; ///< steps that had prompt tokens in them
  double decodeSeconds = 0;  ///< steps that had none
};

struct GeneratorOptions {
  int maxBatch = 64;          ///< sequences that run at once; further requests wait
  int64_t prefillChunk = 512; ///< most prompt tokens in one step, over all sequences
  /// Finished sequences whose KV cache stays for prompts that begin alike (a conversation's turns).
  int keptSequences = 0;
  const std::atomic<bool> *cancel = nullptr; ///< true: every request ends, finish reason cancelled
};

class Generator {
public:
  using Options = GeneratorOptions;
  Generator(Engine &engine, ModelTexts texts, const GeneratorOptions &options = {});
  ~Generator();
  Generator(const Generator &) = delete;
  Generator &operator=(const Generator &) = delete;

  /// All requests, results in their order. InvalidArgument "request 3: ...".
  Result<std::vector<GenerationResult>> run(std::span<const GenerationRequest> requests);

  /// Checks a request and queues it; its number. InvalidArgument names the field.
  Result<int> submit(GenerationRequest request);
  /// One step of the engine for all that are running. An error ends the requests in that step.
  Status step();
  bool idle() const;
  /// The result of a request that is done; nothing while it runs. The number is free afterwards.
  std::optional<GenerationResult> take(int id);
  /// Ends a request at the next step.
  void cancel(int id);

  /// What these controls become on this model. InvalidArgument names one that cannot act.
  Result<std::shared_ptr<const ReasoningPlan>> reasoningPlan(const ReasoningOptions &options);

  const ModelTexts &texts() const;
  const GeneratorStats &stats() const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace qrt

#endif // QRT_GENERATION_GENERATOR_H
