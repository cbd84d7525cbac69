//===- TaskEval.h - A model on tasks, and two models compared ---------------------------------===//
// Inflation of thinking ("CoT token inflation ratio", arXiv 2606.25519, whose exact equation is not
// known; these three are this project's, docs/reasoning.md). T_i = max(1, thinking tokens), seeds
// averaged:
//   A  mean over benchmarks of (mean T of the model / mean T of the reference)
//   B  mean over benchmarks of exp(mean (ln T of the model - ln T of the reference)), paired
//   C  A on the problems that both solve (accuracy over seeds at least one half in both)
// Intervals: 95 %, bootstrap over problems. A trace at the cap counts with its capped length, so A
// and B are lower bounds where the model hits the cap.
#ifndef QRT_EVAL_TASKEVAL_H
#define QRT_EVAL_TASKEVAL_H

#include "Eval/Statistics.h"
#include "Eval/TokenRows.h"
#include "Eval/Trace.h"

#include <map>

namespace qrt {

struct ArmResult {
  std::vector<Trace> traces; ///< task-major: task 0 with every seed, task 1 ...
  int seeds = 1;
  /// Tokens of all traces per second of decode, batched. What was computed and forgotten (loops
  /// taken back, trials, unsure steps) takes time and counts for nothing.
  double tokensPerSecond = 0;
  double seconds = 0;
  MarkerTable penalised; ///< what the marker penalty acts on; empty: it is off
  /// The texts of the first seed, prompt and what was generated; scored: the latter. For
  /// teacher-forced comparisons on a model's own traces.
  std::vector<TokenRow> texts;
};

struct TaskRun {
  int seeds = 1;
  uint64_t firstSeed = 42;
  GenerationRequest
      settings; ///< sampling, reasoning, max tokens; prompt and seed are set per trace
  GeneratorOptions generator;
};

/// Every task with every seed as one batch. The seed of a trace is firstSeed + its seed number, and
/// its draws differ from those of other tasks; both arms draw alike.
Result<ArmResult> runTasks(Engine &engine, const ModelTexts &texts, const std::vector<Task> &tasks,
                           const TaskRun &run);

struct ArmSummary {
  Interval accuracy;
  double tokensMean = 0, markersPerTrace = 0, loopRate = 0, exactLoopRate = 0, explicitLoopRate = 0;
  double lostRate = 0, seenRate = 0, capRate = 0, thinkClosedRate = 0, stepsMean = 0;
  double stepRepetition = 0, timeToFirstAnswer = 0; ///< NaN: no trace has the answer
  double tokensPerSecond = 0;
  std::map<std::string, int64_t> finishReasons;
  ReasoningCounters controls;
};
ArmSummary summarizeArm(const ArmResult &arm);

/// Means over the seeds of every problem.
struct PerTask {
  std::vector<double> thinkTokens; ///< at least 1
  std::vector<double> accuracy, markers;
};
PerTask averageSeeds(const ArmResult &arm);

struct Inflation {
  Interval a, b, c;
  std::vector<std::pair<std::string, double>> perBenchmark; ///< ratio of means
  double effectiveSpeed = 0;                                ///< the model's tokens per second / A
  double flips = 0; ///< share of problem-seed pairs whose correctness differs
};
Inflation compareArms(const std::vector<Task> &tasks, const ArmResult &reference,
                      const ArmResult &model);

/// What a control changed: two arms of one model on the same problems and seeds. Paired bootstrap
/// over problems; a change is significant at 5 % where its interval leaves out 0.
struct Contrast {
  Interval tokens;   ///< mean thinking tokens of `arm` / those of `base`, minus 1
  Interval accuracy; ///< accuracy of `arm` minus that of `base`
  Interval markers;  ///< markers per trace, `arm` minus `base`
};
Contrast contrastArms(const ArmResult &base, const ArmResult &arm);

} // namespace qrt

#endif // QRT_EVAL_TASKEVAL_H
