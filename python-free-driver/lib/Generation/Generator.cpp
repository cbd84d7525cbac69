//===- Generator.cpp - Many requests as one continuous batch ----------------------------------===//
#include "Generation/Generator.h"

#include "Generation/ActiveRequest.h"
#include "Generation/GeneratorImpl.h"

#include <algorithm>

namespace qrt {

Generator::Generator(Engine &engine, ModelTexts texts, const GeneratorOptions &options)
    : impl(std::make_unique<Impl>(engine, std::move(texts), options)) {}
Generator::~Generator() = default;

const ModelTexts &Generator::texts() const { return impl->texts; }
const GeneratorStats &Generator::stats() const { return impl->stats; }
bool Generator::idle() const { return impl->waiting.empty() && impl->running.empty(); }

Result<std::vector<GenerationResult>> Generator::run(std::span<const GenerationRequest> requests) {
  std::vector<int> ids;
  for (size_t i = 0; i < requests.size(); ++i) {
    auto id = submit(requests[i]);
    if (!id) {
      for (int submitted : ids)
        impl->drop(submitted);
      return id.status().withContext("request " + std::to_string(i));
    }
    ids.push_back(*id);
  }
  std::vector<GenerationResult> results;
  for (int id : ids) {
    std::optional<GenerationResult> result;
    while (!(result = take(id)))
      if (Status status = step(); !status) {
        for (int submitted : ids)
          impl->drop(submitted);
        return status;
      }
    results.push_back(std::move(*result));
  }
  return results;
}

Result<int> Generator::submit(GenerationRequest request) {
  QRT_RETURN_IF_ERROR(impl->check(request));
  QRT_ASSIGN_OR_RETURN(auto plan, impl->reasoningPlan(request.reasoning));
  const int id = impl->nextId++;
  const bool nothing = request.maxTokens == 0;
  auto active = std::make_unique<ActiveRequest>(id, std::move(request), std::move(plan),
                                                impl->engine.maxContext());
  if (nothing) {
    active->finish(FinishReason::Length);
    impl->results.emplace(id, active->takeResult());
  } else {
    impl->waiting.push_back(std::move(active));
  }
  return id;
}

std::optional<GenerationResult> Generator::take(int id) {
  auto at = impl->results.find(id);
  if (at == impl->results.end())
    return std::nullopt;
  GenerationResult result = std::move(at->second);
  impl->results.erase(at);
  return result;
}

void Generator::cancel(int id) {
  for (auto *list : {&impl->waiting, &impl->running})
    for (auto &request : *list)
      if (request->id == id)
        request->finish(FinishReason::Cancelled);
}

Result<std::shared_ptr<const ReasoningPlan>>
Generator::Impl::reasoningPlan(const ReasoningOptions &wanted) {
  if (!lastPlan || lastPlan->options != wanted) {
    ReasoningModel model{texts.tokenizer, texts.thinkTags,
                         texts.markers ? &*texts.markers : nullptr, texts.eosIds,
                         engine.alternateWeights()};
    QRT_ASSIGN_OR_RETURN(lastPlan, ReasoningPlan::create(model, wanted));
  }
  return lastPlan;
}

Result<std::shared_ptr<const ReasoningPlan>>
Generator::reasoningPlan(const ReasoningOptions &options) {
  return impl->reasoningPlan(options);
}

Status Generator::step() { return impl->step(); }

} // namespace qrt
