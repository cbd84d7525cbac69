//===- ActiveRequest.cpp - A request that is running ------------------------------------------===//
#include "Generation/ActiveRequest.h"

#include <algorithm>

namespace qrt {

const char *finishReasonName(FinishReason reason) {
  switch (reason) {
  case FinishReason::Stop:
    return "stop";
  case FinishReason::StopString:
    return "stop_string";
  case FinishReason::Length:
    return "length";
  case FinishReason::Context:
    return "context";
  case FinishReason::Loop:
    return "loop";
  case FinishReason::Cancelled:
    return "cancelled";
  }
  return "unknown";
}

ActiveRequest::ActiveRequest(int id, GenerationRequest request,
                             std::shared_ptr<const ReasoningPlan> plan, int64_t maxContext)
    : id(id), tokens(request.prompt), req(std::move(request)), controller(plan, req.prompt),
      text(plan->tokenizer, plan->tags.get(), req.stopStrings, controller.thinking()),
      maxContext(maxContext) {}

void ActiveRequest::startAt(int sequence, int64_t length, bool alternate) {
  seq = sequence;
  fed = cached = length;
  fedSets.assign(size_t(length), alternate);
  start = firstToken = Clock::now();
  running = true;
}

void ActiveRequest::feed(int64_t count, bool alternate) {
  fed += count;
  fedSets.insert(fedSets.end(), size_t(count), alternate);
}

void ActiveRequest::unfeed(int64_t keep) {
  fed = keep;
  fedSets.resize(size_t(keep));
}

Status ActiveRequest::advance(Sampler &sampler, std::span<const float> logits) {
  StepControls controls = controller.controls(logits, req.sampling.temperature);
  auto sampled = sampler.sample(logits.data(), {tokens, promptLength()}, req.sampling, controls,
                                controller.stream());
  if (!sampled)
    return sampled.status().withContext(place());
  return take(sampled.takeValue());
}

std::string ActiveRequest::place() const {
  return "request " + std::to_string(id) + ", token " + std::to_string(result.ids.size());
}

int64_t ActiveRequest::sampleEntries(int32_t vocabSize) const {
  const int64_t history = std::min<int64_t>(int64_t(tokens.size()), vocabSize);
  return 3 * history +
         int64_t(req.sampling.logitBias.size() + plan().markers.markers.size() +
                 plan().eosIds.size()) +
         1024; // bans behind roll-backs
}

Status ActiveRequest::prepare(SampleLists &lists, SampleRow &row,
                              std::vector<SampleEntry> &entries) {
  StepControls controls = controller.controls({}, req.sampling.temperature);
  return lists
      .fill({tokens, promptLength()}, req.sampling, controls, controller.stream(), row, entries)
      .withContext(place());
}

Result<bool> ActiveRequest::prepareAhead(SampleLists &lists, SampleRow &row,
                                         std::vector<SampleEntry> &entries) {
  const auto length = int64_t(tokens.size());
  if (!SampleLists::canLookAhead(req.sampling) ||
      (req.maxTokens >= 0 && int64_t(result.ids.size()) + 1 >= req.maxTokens) ||
      (maxContext > 0 && length + 1 > maxContext))
    return false;
  const std::optional<StepControls> controls = controller.controlsAhead(req.sampling.temperature);
  if (!controls)
    return false;
  QRT_RETURN_IF_ERROR(lists
                          .fillAhead({tokens, promptLength()}, req.sampling, *controls,
                                     controller.stream(), row, entries)
                          .withContext(place()));
  return true;
}

Status ActiveRequest::take(SampledToken sampled) {
  if (sampled.token < 0)
    return invalidArgument(place() + ": no token can be chosen: every logit is -inf or not a "
                                     "number, or one is infinite");
  controller.observe(sampled);
  const int32_t token = sampled.token;
  if (result.ids.empty() && controller.stream() == 0)
    firstToken = Clock::now();
  tokens.push_back(token);
  result.ids.push_back(token);
  if (req.sampling.logprobs >= 0)
    result.logprobs.push_back(std::move(sampled));
  ReasoningController::Verdict verdict = controller.accept(token);
  using Kind = ReasoningController::Verdict::Kind;
  auto stop = text.push(token, controller.lastEvent());
  if (verdict.kind == Kind::Rollback) {
    takeBack(verdict.keep);
    tell(-1);
    return Status::ok();
  }
  trial = verdict.kind == Kind::Trial;
  checkEnd(token, stop);
  if (verdict.kind == Kind::Stop)
    finish(FinishReason::Loop);
  if (!trial || finished)
    tell(token);
  return Status::ok();
}

void ActiveRequest::endTrial(std::span<const int32_t> answer, double confidence,
                             int64_t tokensTried) {
  trial = false;
  auto verdict = controller.endTrial(answer, confidence, tokensTried);
  if (verdict.kind == ReasoningController::Verdict::Kind::Rollback) {
    takeBack(verdict.keep);
    tell(-1);
  } else {
    tell(tokens.back());
  }
}

ActiveRequest::Feed ActiveRequest::nextFeed() const {
  const int64_t left = int64_t(tokens.size()) - fed, beforeLast = promptLength() - 1 - fed;
  const bool second = controller.usesSecondSet();
  if (fed >= promptLength())
    return {left, second};
  if (req.reasoning.fp16.prompt)
    return {left, true};
  // The first token comes from logits of the set that is to write it: so does the last one of the
  // prompt.
  return second && beforeLast > 0 ? Feed{beforeLast, false} : Feed{left, second};
}

void ActiveRequest::takeBack(int64_t keep) {
  retractTokens += int64_t(result.ids.size()) - 1 - keep; // the last one was not told yet
  retractBytes += text.rollback(keep);
  result.ids.resize(size_t(keep));
  if (req.sampling.logprobs >= 0)
    result.logprobs.resize(size_t(keep));
  tokens.resize(size_t(promptLength() + keep));
}

void ActiveRequest::checkEnd(int32_t token, const std::optional<std::string> &stop) {
  const auto &eos = plan().eosIds;
  auto is = [&](const std::vector<int32_t> &ids) {
    return std::find(ids.begin(), ids.end(), token) != ids.end();
  };
  if (stop)
    finish(FinishReason::StopString, "stop_string:" + *stop);
  else if (!req.ignoreEos && is(eos))
    finish(FinishReason::Stop, "eos:" + std::to_string(token));
  else if (is(req.stopIds))
    finish(FinishReason::Stop, "stop_id:" + std::to_string(token));
  else if (req.maxTokens >= 0 && int64_t(result.ids.size()) >= req.maxTokens)
    finish(FinishReason::Length);
  else if (maxContext > 0 && int64_t(tokens.size()) > maxContext)
    finish(FinishReason::Context); // the last token cannot be read any more
}

void ActiveRequest::finish(FinishReason reason, const std::string &detail) {
  if (finished)
    return;
  finished = true;
  result.finishReason = reason;
  if (!detail.empty())
    details.push_back(detail);
  text.finish();
}

void ActiveRequest::tell(int32_t token) {
  if (!req.onToken)
    return;
  TokenEvent event;
  event.token = token;
  event.reasoning = controller.thinking();
  event.forced = token >= 0 && controller.lastForced();
  event.retractTokens = std::exchange(retractTokens, 0);
  event.retractBytes = std::exchange(retractBytes, 0);
  bool wanted = true, told = false;
  auto say = [&](const TokenEvent &e) {
    wanted = req.onToken(e) && wanted;
    told = true;
  };
  text.emit([&](std::string_view piece, bool reasoning) {
    event.text = piece;
    event.reasoning = reasoning;
    say(event);
    event = {}; // a second piece adds no token
  });
  if (!told)
    say(event);
  if (!wanted)
    finish(FinishReason::Cancelled);
}

GenerationResult ActiveRequest::takeResult() {
  const auto end = Clock::now();
  auto seconds = [](auto span) { return std::chrono::duration<double>(span).count(); };
  result.text = text.text();
  result.reasoning = text.reasoning();
  result.content = text.content();
  result.reasoningTokens = controller.reasoningTokens();
  result.thinkClosed = controller.everThought() && !controller.thinking();
  result.counters = controller.counters();
  for (const std::string &what : controller.details())
    details.push_back(what);
  for (const std::string &what : details)
    result.stopDetail += (result.stopDetail.empty() ? "" : ",") + what;
  if (running) {
    if (result.ids.empty())
      firstToken = end;
    result.timings = {std::min(fed, promptLength()) - cached,
                      std::max<int64_t>(0, int64_t(result.ids.size()) - 1), cached,
                      seconds(firstToken - start), seconds(end - firstToken)};
  }
  return std::move(result);
}

} // namespace qrt
