//===- Complete.cpp - qrun complete: prompts to texts ----------------------------------------===//
// All prompts run as one continuous batch. Without --json the texts go to stdout as they come, one
// prompt after the other, a line end behind each.
#include "Command.h"
#include "ControlFlags.h"
#include "EngineFlags.h"
#include "GenerationSummary.h"
#include "Interrupt.h"
#include "Output.h"
#include "Prompts.h"
#include "TextStreams.h"

#include "Generation/Generator.h"

namespace qrt {

namespace {

struct Flags {
  std::string model;
  PromptSources prompts;
  ControlFlags controls;
  EngineFlags engine;
  int batch = 64;
  std::optional<int32_t> logprobs;
  bool json = false;
};

OrderedJson logprobsJson(const GenerationResult &result) {
  OrderedJson tokens = OrderedJson::array();
  for (const SampledToken &sampled : result.logprobs) {
    OrderedJson top = OrderedJson::array();
    for (const TokenLogprob &other : sampled.top)
      top.push_back({{"id", other.token}, {"logprob", other.logprob}});
    tokens.push_back({{"id", sampled.token}, {"logprob", sampled.logprob}, {"top", top}});
  }
  return tokens;
}

/// One list per field, one element per prompt.
OrderedJson resultsJson(std::span<const GenerationResult> results, bool logprobs) {
  OrderedJson out;
  for (const char *field : {"ids", "text", "finish_reason", "stop_detail", "reasoning", "content",
                            "reasoning_tokens", "think_closed", "counters"})
    out[field] = OrderedJson::array();
  for (const GenerationResult &result : results) {
    out["ids"].push_back(result.ids);
    out["text"].push_back(result.text);
    out["finish_reason"].push_back(finishReasonName(result.finishReason));
    out["stop_detail"].push_back(result.stopDetail);
    out["reasoning"].push_back(result.reasoning);
    out["content"].push_back(result.content);
    out["reasoning_tokens"].push_back(result.reasoningTokens);
    out["think_closed"].push_back(result.thinkClosed);
    out["counters"].push_back(countersJson(result.counters));
    if (logprobs)
      out["logprobs"].push_back(logprobsJson(result));
  }
  return out;
}

/// Without a tokenizer there is no text to show.
Status writeIds(std::span<const GenerationResult> results) {
  for (const GenerationResult &result : results) {
    std::string line;
    for (int32_t id : result.ids)
      line += (line.empty() ? "" : " ") + std::to_string(id);
    QRT_RETURN_IF_ERROR(writeOutput(line + "\n"));
  }
  return Status::ok();
}

Status complete(const Flags &flags) {
  if (flags.logprobs && !flags.json)
    return invalidArgument("--logprobs has no effect without --json");
  QRT_ASSIGN_OR_RETURN(auto model, Model::load(flags.model));
  QRT_ASSIGN_OR_RETURN(ModelTexts texts, ModelTexts::fromModel(*model));
  GenerationRequest request;
  QRT_RETURN_IF_ERROR(flags.controls.applyTo(request, texts));
  request.sampling.logprobs = flags.logprobs.value_or(-1);
  QRT_ASSIGN_OR_RETURN(auto prompts, readPrompts(flags.prompts, *model, texts));
  EngineOptions options = flags.engine.resolve();
  options.alternateWeights = request.reasoning.usesSecondSet();
  QRT_ASSIGN_OR_RETURN(auto engine, Engine::create(model, options));
  Generator generator(*engine, texts,
                      {.maxBatch = flags.batch, .prefillChunk = options.prefillChunk});

  const bool showText = !flags.json && texts.tokenizer;
  TextStreams streams(prompts.size(), texts, request.reasoning);
  std::vector<int> numbers;
  for (size_t i = 0; i < prompts.size(); ++i) {
    request.prompt = prompts[i].ids;
    if (showText)
      request.onToken = streams.listener(i, request.prompt);
    auto number = generator.submit(request);
    if (!number)
      return number.status().withContext(prompts[i].name);
    numbers.push_back(*number);
  }
  std::vector<GenerationResult> results(prompts.size());
  GenerationSummary summary;
  for (bool running = true; running;) {
    running = !generator.idle();
    QRT_RETURN_IF_ERROR(checkInterrupt());
    QRT_RETURN_IF_ERROR(generator.step());
    for (size_t i = 0; i < numbers.size(); ++i)
      if (auto result = generator.take(numbers[i])) {
        summary.add(*result);
        if (showText)
          streams.finish(i, *result);
        results[i] = std::move(*result);
      }
    QRT_RETURN_IF_ERROR(streams.status());
  }
  QRT_ASSIGN_OR_RETURN(auto plan, generator.reasoningPlan(request.reasoning));
  if (flags.json) {
    OrderedJson json = resultsJson(results, flags.logprobs.has_value());
    json["timings"] = timingsJson(generator.stats());
    if (request.reasoning.marker.active())
      json["markers"] = markersJson(plan->markers);
    return writeJson(json);
  }
  if (!texts.tokenizer)
    QRT_RETURN_IF_ERROR(writeIds(results));
  message(summary.text(generator.stats()));
  if (std::string dropped = droppedMarkersText(plan->markers); !dropped.empty())
    message(dropped);
  return Status::ok();
}

} // namespace

void addComplete(CLI::App &app, Action &action) {
  auto flags = std::make_shared<Flags>();
  CLI::App *command = app.add_subcommand("complete", "Continue prompts, all as one batch");
  command->add_option("MODEL", flags->model, "The .qmod file")->required();
  command->add_option("-p,--prompt", flags->prompts.texts, "A prompt; repeatable")
      ->allow_extra_args(false);
  command->add_option("--ids", flags->prompts.idsFile, "JSON file of prompts: [[int, ...], ...]");
  command->add_option(
      "--prompts", flags->prompts.jsonLines,
      "JSON lines of prompts: {\"prompt\": ...}, {\"messages\": [...]} or {\"ids\": [...]}");
  command->add_flag("--json", flags->json, "One JSON object instead of texts");
  command->add_option("--batch", flags->batch, "Most prompts that run at once; further ones wait")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command
      ->add_option("--logprobs", flags->logprobs,
                   "With --json: log-probabilities of each token and of the N likeliest")
      ->check(CLI::Range(0, 1000));
  flags->controls.addTo(*command);
  flags->engine.addTo(*command);
  command->callback([&action, flags] { action = [flags] { return complete(*flags); }; });
}

} // namespace qrt
