//===- EvalPage.h - The results of qrun eval as one HTML page --------------------------------===//
// Self-contained: style, script and data are in the file, nothing is fetched. The data are one JSON
// object in a <script type="application/json"> block, in which '<', '>' and '&' are written as
// escapes, and the script sets text only through textContent, so that names from a model or a task
// file stay text. EvalPage.html is the page.
// Thread safety: one thread at a time.
#ifndef QRUN_EVALPAGE_H
#define QRUN_EVALPAGE_H

#include "Eval/TaskEval.h"
#include "Eval/TeacherForced.h"
#include "Support/Json.h"
#include "qrt/Model.h"

#include <string>
#include <vector>

namespace qrt {

class EvalPage {
public:
  /// Errors of layers from a file of `qopt --report`. InvalidArgument: not such a file.
  Status readCompileReport(const std::string &path);
  /// Names of the two files; without a compile report the errors that the model's own tensor table
  /// records.
  void addModels(const std::string &model, const std::string &reference, const Model &judged);
  void addTasks(const std::vector<Task> &tasks, const ArmResult &reference, const ArmResult &model);
  /// At most 5000 positions, evenly spaced.
  void addPositions(const Comparison &comparison);

  /// The page with `results`, the JSON that the command prints.
  std::string html(const OrderedJson &results) const;
  /// Complete or not at all. CannotWrite.
  Status write(const std::string &path, const OrderedJson &results) const;

private:
  OrderedJson data = OrderedJson::object();
};

} // namespace qrt

#endif // QRUN_EVALPAGE_H
