//===- GeneratorStep.cpp - One step of the batch ----------------------------------------------===//
#include "Generation/GeneratorImpl.h"

#include "Sampling/Softmax.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace qrt {

Generator::Impl::~Impl() {
  for (auto &request : running)
    release(*request);
}

void Generator::Impl::release(ActiveRequest &request, bool keep) {
  if (request.seq >= 0 && keep)
    prefixes.put(request.seq, request.fedTokens(), std::move(request.fedSets));
  else if (request.seq >= 0)
    engine.release(request.seq);
  request.seq = -1;
}

void Generator::Impl::drop(int id) {
  for (Requests *list : {&waiting, &running})
    std::erase_if(*list, [&](auto &request) {
      if (request->id == id)
        release(*request);
      return request->id == id;
    });
  results.erase(id);
}

Status Generator::Impl::check(const GenerationRequest &request) const {
  if (request.prompt.empty())
    return invalidArgument("the prompt is empty");
  const int32_t vocab = engine.vocabSize();
  for (size_t i = 0; i < request.prompt.size(); ++i)
    if (request.prompt[i] < 0 || request.prompt[i] >= vocab)
      return invalidArgument("prompt token " + std::to_string(i) + " is " +
                             std::to_string(request.prompt[i]) + ", outside the vocabulary of " +
                             std::to_string(vocab));
  if (engine.maxContext() > 0 && int64_t(request.prompt.size()) > engine.maxContext())
    return invalidArgument("the prompt has " + std::to_string(request.prompt.size()) +
                           " tokens, more than the context of " +
                           std::to_string(engine.maxContext()));
  if (request.maxTokens < -1)
    return invalidArgument("max_tokens is " + std::to_string(request.maxTokens));
  if (request.maxTokens == -1 && engine.maxContext() == 0)
    return invalidArgument("max_tokens: this model has no context limit, so one must be given");
  if (!request.stopStrings.empty() && !texts.tokenizer)
    return invalidArgument("stop strings cannot act: the model has no tokenizer");
  for (const std::string &stop : request.stopStrings)
    if (stop.empty())
      return invalidArgument("a stop string is empty");
  for (int32_t id : request.stopIds)
    if (id < 0 || id >= vocab)
      return invalidArgument("stop id " + std::to_string(id) + " is outside the vocabulary");
  return request.sampling.verify(vocab);
}

Status Generator::Impl::admit() {
  while (!waiting.empty() && running.size() < size_t(std::max(options.maxBatch, 1))) {
    ActiveRequest &next = *waiting.front();
    const bool alternate = next.request().reasoning.fp16.prompt;
    QRT_ASSIGN_OR_RETURN(PrefixCache::Start start, prefixes.take(next.request().prompt, alternate));
    next.startAt(start.seq, start.length, alternate);
    stats.cachedTokens += start.length;
    running.push_back(std::move(waiting.front()));
    waiting.pop_front();
  }
  return Status::ok();
}

void Generator::Impl::plan(std::vector<Engine::Chunk> &chunks, std::vector<ActiveRequest *> &who,
                           int64_t &promptTokens) const {
  int64_t room = std::max<int64_t>(options.prefillChunk, 1);
  auto add = [&](ActiveRequest &request, const ActiveRequest::Feed &feed) {
    const int64_t left = int64_t(request.tokens.size()) - request.fed;
    const bool prompt = request.fed < request.promptLength();
    // Generated tokens always go: one, or some that a roll-back left behind.
    const int64_t take = prompt ? std::min(feed.tokens, room) : feed.tokens;
    if (take == 0)
      return;
    if (prompt) {
      room -= take;
      promptTokens += take;
    }
    auto ids = std::span<const int32_t>(request.tokens).subspan(size_t(request.fed), size_t(take));
    chunks.push_back({request.seq, ids, take == left ? Engine::Logits::Last : Engine::Logits::None,
                      feed.alternate});
    who.push_back(&request);
  };
  // Weight sets one after the other, so that each linear is two products at most.
  for (bool alternate : {false, true})
    for (const auto &request : running)
      if (const ActiveRequest::Feed feed = request->nextFeed(); feed.alternate == alternate)
        add(*request, feed);
}

Status Generator::Impl::step() {
  if (options.cancel && options.cancel->load(std::memory_order_relaxed))
    for (Requests *list : {&waiting, &running})
      for (auto &request : *list)
        request->finish(FinishReason::Cancelled);
  retire();
  QRT_RETURN_IF_ERROR(admit());
  std::vector<Engine::Chunk> chunks;
  std::vector<ActiveRequest *> who;
  int64_t promptTokens = 0;
  plan(chunks, who, promptTokens);
  if (chunks.empty())
    return Status::ok();

  const auto begin = std::chrono::steady_clock::now();
  // The trials of settle() run the engine, which invalidates the logits: first all tokens.
  Status status = stepAndChoose(chunks, who);
  for (size_t i = 0; i < who.size() && status; ++i)
    status = settle(*who[i]);
  if (!status) {
    for (ActiveRequest *request : who)
      drop(request->id);
    return status;
  }
  // A step with prompts in it is shared out by tokens.
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  int64_t decodeTokens = 0;
  for (const Engine::Chunk &chunk : chunks)
    decodeTokens += int64_t(chunk.tokens.size());
  decodeTokens -= promptTokens;
  const double share = double(promptTokens) / double(promptTokens + decodeTokens);
  stats.prefillTokens += promptTokens;
  stats.decodeTokens += decodeTokens;
  stats.prefillSeconds += seconds * share;
  stats.decodeSeconds += seconds * (1 - share);
  ++stats.steps;
  retire();
  return Status::ok();
}

/// After advance(): trials, and the engine's sequence follows tokens that were taken back.
Status Generator::Impl::settle(ActiveRequest &request) {
  if (request.wantsTrial() && !request.done())
    QRT_RETURN_IF_ERROR(runTrial(request));
  // The last token must be read again to have logits behind it.
  const int64_t keep = std::min(request.fed, int64_t(request.tokens.size()) - 1);
  if (keep < request.fed) {
    QRT_RETURN_IF_ERROR(engine.truncate(request.seq, keep));
    request.unfeed(keep);
  }
  return Status::ok();
}

/// DEER (2504.15895): writes the answer-inducing text before the last token, lets the model answer
/// greedily, and measures how sure it is: the geometric mean of the answer tokens' probabilities.
Status Generator::Impl::runTrial(ActiveRequest &request) {
  const ReasoningPlan &plan = request.plan();
  const int64_t limit = plan.options.earlyExit.trialTokens, length = request.fed;
  std::vector<int32_t> input = plan.trialPrompt, answer;
  double logSum = 0;
  int64_t count = 0;
  const bool fits =
      engine.maxContext() == 0 || length + int64_t(input.size()) + limit <= engine.maxContext();
  while (fits && count < limit) {
    Engine::Chunk chunk{request.seq, input, Engine::Logits::Last, request.usesSecondSet()};
    QRT_ASSIGN_OR_RETURN(auto result, engine.step({&chunk, 1}));
    LogitSummary summary = summarize({result.logits, size_t(engine.vocabSize())});
    if (summary.argmax < 0)
      break;
    logSum += summary.max - summary.logSumExp;
    ++count;
    std::string bytes = plan.tokenizer->tokenBytes(summary.argmax);
    if (bytes.find('}') != std::string::npos || bytes.find('\n') != std::string::npos ||
        std::find(plan.eosIds.begin(), plan.eosIds.end(), summary.argmax) != plan.eosIds.end())
      break;
    input = {summary.argmax};
    answer.push_back(summary.argmax);
  }
  QRT_RETURN_IF_ERROR(engine.truncate(request.seq, length));
  request.endTrial(answer, count > 0 ? std::exp(logSum / double(count)) : 0,
                   count > 0 ? int64_t(plan.trialPrompt.size()) + count : 0);
  return Status::ok();
}

void Generator::Impl::retire() {
  for (Requests *list : {&waiting, &running})
    std::erase_if(*list, [&](auto &request) {
      if (!request->done())
        return false;
      results.emplace(request->id, request->takeResult());
      release(*request, /*keep=*/true);
      return true;
    });
}

} // namespace qrt
