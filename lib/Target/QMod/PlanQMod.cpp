//===- PlanQMod.cpp - What a file would hold -------------------------------------------------===//
#include "qopt/Target/QMod.h"

#include "Format/FileSize.h"

using namespace mlir;

namespace qopt {

qrt::Result<QModPlan> planQMod(func::FuncOp function, const QModOptions &options) {
  QModPlan plan;
  QRT_ASSIGN_OR_RETURN(plan.program, buildProgram(function));
  plan.program.maxContext = options.maxContext;
  QRT_RETURN_IF_ERROR(setKv(plan.program, options.kv));
  QRT_RETURN_IF_ERROR(checkFragments(plan.program, options.fragments));
  for (Operation &op : function.getBody().front()) {
    if (auto weight = dyn_cast<qexec::WeightOp>(op)) {
      QRT_ASSIGN_OR_RETURN(qrt::TensorEntry entry, describeWeight(weight, options.fragments));
      plan.tensors.push_back(std::move(entry));
    } else if (auto tensor = dyn_cast<qexec::TensorOp>(op)) {
      QRT_ASSIGN_OR_RETURN(qrt::TensorEntry entry, describeTensor(tensor));
      plan.tensors.push_back(std::move(entry));
    }
  }
  std::vector<int64_t> sections;
  for (const auto &[kind, bytes] : options.sections)
    sections.push_back(static_cast<int64_t>(bytes.size()));
  QRT_ASSIGN_OR_RETURN(plan.fileBytes, qrt::plannedFileBytes(plan.program, plan.tensors, sections));
  return plan;
}

} // namespace qopt
