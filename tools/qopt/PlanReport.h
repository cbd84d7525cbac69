//===- PlanReport.h - What --dry-run says ----------------------------------------------------===//
#ifndef QOPT_TOOLS_QOPT_PLANREPORT_H
#define QOPT_TOOLS_QOPT_PLANREPORT_H

#include "qopt/Pipelines/DryRun.h"

#include "llvm/Support/raw_ostream.h"

namespace qopt {

/// A line per matrix, then sums: the file, memory, time and what they rest on.
void printPlan(const CompilePlan &plan, llvm::raw_ostream &os);
/// The same as one JSON object, vectors and constants included.
void printPlanJson(const CompilePlan &plan, llvm::raw_ostream &os);

} // namespace qopt

#endif // QOPT_TOOLS_QOPT_PLANREPORT_H
