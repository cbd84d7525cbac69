//===- EvalTasks.h - Results on tasks as JSON -------------------------------------------------===//
#ifndef QRUN_EVALTASKS_H
#define QRUN_EVALTASKS_H

#include "Eval/TaskEval.h"
#include "Support/Json.h"

namespace qrt {

OrderedJson intervalJson(const Interval &interval);
OrderedJson armJson(const ArmSummary &arm);
/// {"arms": {"reference": A, "model": A}, "ctir_a": R, ...}.
OrderedJson tasksJson(const ArmSummary &reference, const ArmSummary &model,
                      const Inflation &inflation);

/// What a control changed, as members of its arm.
void addContrast(const Contrast &contrast, OrderedJson &arm);

} // namespace qrt

#endif // QRUN_EVALTASKS_H
