//===- Trace.cpp - What is measured on one generated text -------------------------------------===//
#include "Eval/Trace.h"

#include "Reasoning/AnswerFinder.h"
#include "Reasoning/LoopDetector.h"

#include <algorithm>
#include <set>

namespace qrt {
namespace {

std::set<std::string_view> wordsOf(std::string_view text) {
  std::set<std::string_view> words;
  while (!text.empty()) {
    size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    if (end > 0)
      words.insert(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

double repeatedSteps(const std::vector<std::string_view> &steps) {
  constexpr size_t memory = 64; // steps looked back
  std::vector<std::set<std::string_view>> words;
  int64_t repeated = 0;
  for (std::string_view step : steps) {
    auto now = wordsOf(step);
    for (size_t i = words.size() - std::min(words.size(), memory); i < words.size(); ++i) {
      size_t common = size_t(
          std::count_if(now.begin(), now.end(), [&](auto w) { return words[i].contains(w); }));
      if (double(common) >= 0.8 * double(now.size() + words[i].size() - common)) {
        ++repeated;
        break;
      }
    }
    words.push_back(std::move(now));
  }
  return steps.empty() ? 0 : double(repeated) / double(steps.size());
}

/// Tokens until the text has `bytes` bytes.
int64_t tokensUntil(const GenerationResult &result, const Tokenizer &tokenizer, size_t bytes) {
  size_t seen = 0;
  for (size_t i = 0; i < result.ids.size(); ++i) {
    seen += tokenizer.tokenBytes(result.ids[i]).size();
    if (seen >= bytes)
      return int64_t(i + 1);
  }
  return int64_t(result.ids.size());
}

} // namespace

int64_t countMarkers(std::span<const int32_t> thinking, const Tokenizer *tokenizer,
                     const MarkerTable &table) {
  int64_t count = 0;
  bool lineStart = true;
  for (int32_t id : thinking) {
    auto at = std::lower_bound(table.markers.begin(), table.markers.end(), id,
                               [](const Marker &m, int32_t t) { return m.token < t; });
    count += at != table.markers.end() && at->token == id && (!at->lineStart || lineStart);
    if (tokenizer)
      lineStart = tokenizer->tokenBytes(id).ends_with('\n');
  }
  return count;
}

Trace measureTrace(const Task &task, const GenerationResult &result, const ModelTexts &texts,
                   const MarkerTable &markers) {
  Trace trace;
  const bool thinks = texts.thinkTags.has_value() && result.reasoningTokens > 0;
  const std::string &thinking = thinks ? result.reasoning : result.text;
  trace.tokens = int64_t(result.ids.size());
  trace.thinkTokens = thinks ? result.reasoningTokens : trace.tokens;
  trace.correct = isCorrect(task, thinks ? result.content : result.text);
  trace.thinkClosed = result.thinkClosed;
  trace.cap =
      result.finishReason == FinishReason::Length || result.finishReason == FinishReason::Context;
  trace.exactLoop = hasExactLoop(result.ids);
  trace.explicitLoop = hasExplicitLoop(result.ids, result.text);
  auto steps = splitSteps(thinking);
  trace.steps = int64_t(steps.size());
  trace.stepRepetition = repeatedSteps(steps);
  for (const AnswerCandidate &candidate : findAnswers(thinking))
    if (sameAnswer(candidate.text, task.answer)) {
      trace.answerSeen = true;
      // Bytes of the thinking and of the whole text differ by an open tag at most.
      if (texts.tokenizer)
        trace.timeToFirstAnswer = tokensUntil(result, *texts.tokenizer, candidate.end);
      break;
    }
  trace.lost = trace.answerSeen && !trace.correct;
  trace.markers = countMarkers(
      std::span(result.ids).first(std::min(size_t(trace.thinkTokens), result.ids.size())),
      texts.tokenizer.get(), markers);
  trace.finish = result.counters.budgetForced ? "budget_forced"
                 : result.counters.rescued    ? "loop_rescued"
                 : result.counters.earlyExits ? "early_exit"
                                              : finishReasonName(result.finishReason);
  trace.counters = result.counters;
  return trace;
}

} // namespace qrt
