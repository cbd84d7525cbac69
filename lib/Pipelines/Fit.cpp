//===- Fit.cpp - A budget for everything that running takes ----------------------------------===//
// --fit BYTES --ctx N: what the KV cache and the activations take is known from the lowered
// program; the rest is the target of the file. The runtime's own arithmetic answers
// (Engine/MemoryNeed.h). Scratch of the kernels depends on the formats that are chosen: the largest
// of the candidates' counts, and the result is checked again when it is lowered.
#include "qopt/Dialect/QExec/IR/QExecDialect.h"
#include "qopt/Dialect/QIR/Transforms/PlaceholderCodes.h"
#include "qopt/Pipelines/Compiler.h"
#include "qopt/Target/QMod.h"

#include "Support/Memory.h"

using namespace mlir;
using qrt::Status;
using qrt::StatusCode;

namespace qopt {

qrt::Result<qrt::MemoryNeed> Compiler::needOf(func::FuncOp function) {
  auto kind = function->getAttrOfType<StringAttr>(qexec::kindAttr);
  if (!kind || kind.getValue() != "token_major")
    return qrt::unsupported("--fit needs a raised, token-major graph; this one runs op by op");
  QModOptions qmod;
  QRT_RETURN_IF_ERROR(addSections(qmod));
  QRT_ASSIGN_OR_RETURN(QModPlan plan, planQMod(function, qmod));
  const calibration::FitTarget &fit = options.calibration->mixed.fit;
  const int64_t context = fit.context ? fit.context : qmod.maxContext;
  if (context <= 0)
    return qrt::invalidArgument("--fit needs --ctx N: the model does not say how many tokens it is "
                                "made for");
  report.fitContext = context;
  plan.program.tensors = std::move(plan.tensors);
  return qrt::memoryNeed(plan.program, plan.fileBytes, qrt::EngineOptions(), context);
}

static std::string describe(const qrt::MemoryNeed &need, int64_t context) {
  return "KV cache of " + std::to_string(context) + " tokens " + qrt::formatBytes(need.kv) +
         ", activations " + qrt::formatBytes(need.activations);
}

Status Compiler::prepareFit() {
  if (!options.calibration || !options.calibration->mixed.fit.bytes)
    return Status::ok();
  calibration::MixedOptions &mixed = options.calibration->mixed;
  OwningOpRef<ModuleOp> original = std::exchange(module, nullptr);
  auto lower = [&](const SchemeOptions &scheme) -> qrt::Result<qrt::MemoryNeed> {
    module = OwningOpRef<ModuleOp>(original->clone());
    QRT_RETURN_IF_ERROR(runStage(
        Stage::Assign, [&](OpPassManager &pm) { buildAssignPipeline(pm, scheme); },
        StatusCode::InvalidArgument));
    QRT_ASSIGN_OR_RETURN(func::FuncOp function, mainFunction());
    QRT_RETURN_IF_ERROR(qir::putPlaceholderCodes(function));
    QRT_RETURN_IF_ERROR(runStage(Stage::Lower, buildLowerPipeline, StatusCode::Unsupported));
    QRT_ASSIGN_OR_RETURN(function, mainFunction());
    return needOf(function);
  };
  qrt::Result<qrt::MemoryNeed> need = lower(options.scheme);
  const std::string activations =
      llvm::StringRef(options.scheme.scheme).contains_insensitive("a8") ? "a8" : "a16";
  const std::string kinds[] = {"f16", "w8" + activations, "w4" + activations, "w3" + activations,
                               "w2" + activations};
  for (const std::string &kind : kinds) {
    if (!need.status())
      break;
    SchemeOptions candidate = options.scheme;
    candidate.scheme = kind;
    candidate.fallbackGroup = true;
    candidate.alternates = false; // no kernels of their own, and f16 has none
    const qrt::Result<qrt::MemoryNeed> other = lower(candidate);
    if (other.status())
      need->activations = std::max(need->activations, other->activations);
  }
  module = std::move(original);
  QRT_RETURN_IF_ERROR(need.status());
  mixed.fitFileBytes = mixed.fit.bytes - need->kv - need->activations;
  if (*mixed.fitFileBytes <= 0)
    return Status::error(StatusCode::TargetUnreachable,
                         "--fit " + qrt::formatBytes(mixed.fit.bytes) + ": " +
                             describe(*need, report.fitContext) + " leave nothing for weights");
  return Status::ok();
}

Status Compiler::checkFit() {
  if (!options.calibration || !options.calibration->mixed.fit.bytes)
    return Status::ok();
  const int64_t limit = options.calibration->mixed.fit.bytes;
  QRT_ASSIGN_OR_RETURN(func::FuncOp function, mainFunction());
  QRT_ASSIGN_OR_RETURN(report.fitNeed, needOf(function));
  if (report.fitNeed->total() <= limit)
    return Status::ok();
  return Status::error(StatusCode::TargetUnreachable,
                       "--fit " + qrt::formatBytes(limit) + ": the file of " +
                           qrt::formatBytes(report.fitNeed->weights) + ", " +
                           describe(*report.fitNeed, report.fitContext) + " take " +
                           qrt::formatBytes(report.fitNeed->total()));
}

} // namespace qopt
