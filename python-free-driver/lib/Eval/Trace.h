//===- Trace.h - What is measured on one generated text ---------------------------------------===//
// Definitions (docs/reasoning.md): thinking tokens T = those inside the think tags, of a model
// without tags all of them; answer seen = a candidate of some step of the thinking (AnswerFinder.h)
// equals the answer; lost = the final answer is wrong or missing though it was seen (a mechanical
// proxy of the overthinking error of arXiv 2606.00206: it over-counts accidental matches).
#ifndef QRT_EVAL_TRACE_H
#define QRT_EVAL_TRACE_H

#include "Eval/Tasks.h"
#include "Generation/Generator.h"

namespace qrt {

struct Trace {
  int64_t task = 0;
  int seed = 0;
  int64_t thinkTokens = 0, tokens = 0;
  bool correct = false, thinkClosed = false, cap = false;
  bool exactLoop = false, explicitLoop = false; ///< LoopDetector.h
  bool answerSeen = false, lost = false;
  int64_t timeToFirstAnswer =
      -1; ///< tokens until the answer stood there for the first time; -1: never
  int64_t steps = 0, markers = 0;
  double stepRepetition =
      0;              ///< share of steps whose words are those of an earlier one (Jaccard >= 0.8)
  std::string finish; ///< finish reason, or the control that ended the thinking
  ReasoningCounters counters;
};

/// Tokens of the table in a thinking, from its first token on; `tokenizer` may be null (no token
/// then begins a line but the first).
int64_t countMarkers(std::span<const int32_t> thinking, const Tokenizer *tokenizer,
                     const MarkerTable &table);

/// `markers` counts words of this table inside the thinking.
Trace measureTrace(const Task &task, const GenerationResult &result, const ModelTexts &texts,
                   const MarkerTable &markers);

} // namespace qrt

#endif // QRT_EVAL_TRACE_H
