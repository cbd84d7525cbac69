//===- EvalGate.h - The figures of qrun eval that --gate can bound ---------------------------===//
#ifndef QRUN_EVALGATE_H
#define QRUN_EVALGATE_H

#include "Eval/TaskEval.h"
#include "Eval/TeacherForced.h"
#include "Support/QualityGate.h"

namespace qrt {

/// Figures of the teacher-forced comparison, and of the model's arm on tasks.
Result<QualityGate> parseEvalGate(const std::string &text);
bool boundsTasks(const QualityGate &gate);
bool boundsComparison(const QualityGate &gate);

using GateFigures = std::map<std::string, double, std::less<>>;
void addFigures(const Comparison &comparison, GateFigures &figures);
void addFigures(const ArmSummary &model, const Inflation &inflation, GateFigures &figures);

} // namespace qrt

#endif // QRUN_EVALGATE_H
