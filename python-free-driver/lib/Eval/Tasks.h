//===- Tasks.h - Problems with answers that can be checked ------------------------------------===//
// One JSON object a line: "answer" (string or number), one of "messages" (rendered with the model's
// chat template), "prompt" (text) and "ids", and optionally "id", "benchmark" (inflation is
// averaged over benchmarks; "default"), "checker": "boxed" (default), "choice", "exact", "regex".
#ifndef QRT_EVAL_TASKS_H
#define QRT_EVAL_TASKS_H

#include "Generation/ModelTexts.h"
#include "Support/Json.h"
#include "qrt/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qrt {

enum class Checker { Boxed, Choice, Exact, Regex };

struct Task {
  std::string id, benchmark = "default", answer, prompt;
  OrderedJson messages;
  std::vector<int32_t> ids;
  Checker checker = Checker::Boxed;
};

/// InvalidArgument: "<path>: line 3: ..."; `limit` < 0: all.
Result<std::vector<Task>> readTasks(const std::string &path, int64_t limit);

/// Prompt ids per task. InvalidArgument: the model has no tokenizer or template and a task needs
/// it.
Result<std::vector<std::vector<int32_t>>> taskPrompts(const std::vector<Task> &tasks,
                                                      const ModelTexts &texts);

/// Whether `candidate` is the answer `expected`: equal after spaces, $, \text{}, \left, \right,
/// thousands separators and a final full stop are taken away, or equal as numbers (decimals, a/b,
/// \frac{a}{b}).
bool sameAnswer(std::string_view candidate, std::string_view expected);

/// Whether the text behind the thinking gives the task's answer.
bool isCorrect(const Task &task, std::string_view content);

} // namespace qrt

#endif // QRT_EVAL_TASKS_H
