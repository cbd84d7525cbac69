//===- Verify.cpp - The raised graph against the imported one --------------------------------===//
// Raising rewrites everything that a model computes, so no compilation trusts it: both graphs run
// on the same tokens, and a difference beyond the precision of the graph ends the compilation.
#include "DiagnosticCollector.h"

#include "qopt/Dialect/QIR/IR/QIRDialect.h"
#include "qopt/Dialect/QIR/Transforms/VerifyRaised.h"
#include "qopt/Pipelines/Compiler.h"

using namespace mlir;
using qrt::Status;

namespace qopt {

/// The graph before raising, if raising is to be checked. Weights are shared, not copied.
void Compiler::keepImported() {
  auto function = module->lookupSymbol<func::FuncOp>("main");
  bool raised =
      !function || function->hasAttr(qir::tokenMajorAttr) || function->hasAttr("qexec.kind");
  if (!raised && options.verify)
    imported = OwningOpRef<ModuleOp>(module->clone());
  else if (!raised)
    report.verification = "not verified: --no-verify";
}

Status Compiler::verifyRaised(Stage stage) {
  QRT_ASSIGN_OR_RETURN(func::FuncOp function, mainFunction());
  if (auto reason = function->getAttrOfType<StringAttr>("qir.not_raised"))
    report.notRaised = reason.str();
  if (!imported)
    return Status::ok();
  DiagnosticCollector diagnostics(context);
  qir::VerifyRaisedResult result;
  LogicalResult agreed = qir::verifyRaised(*imported, *module, {}, result);
  if (stage == Stage::Transform || !options.scheme.rotation.any())
    imported = {}; // lets the weights go, too
  report.verification = result.text;
  if (succeeded(agreed))
    return Status::ok();
  return Status::error(
      qrt::StatusCode::GateFailed,
      "the " + stageName(stage).str() +
          " graph does not compute what the imported one does: " + diagnostics.take(result.text));
}

} // namespace qopt
