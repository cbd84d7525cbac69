//===- QIRToQExec.cpp - The convert-qir-to-qexec pass ----------------------------------------===//
// Not a DialectConversion: the target is a straight list of instructions in the order of the graph,
// types change everywhere at once, and all unsupported ops are to be named in one error. So a new
// block is written beside the old one.
#include "Lowering.h"

namespace qopt {
#define GEN_PASS_DEF_CONVERTQIRTOQEXEC
#include "qopt/Conversion/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

LogicalResult Lowering::unsupported(Operation *op, const Twine &why) {
  std::string text = (Twine(op->getName().getStringRef()) + ": " + why).str();
  auto [it, inserted] = problems.try_emplace(text, Problem{0, op->getLoc()});
  ++it->second.count;
  return success(); // go on: the others are to be listed too
}

LogicalResult Lowering::reportUnsupported() {
  if (problems.empty())
    return success();
  InFlightDiagnostic diagnostic = function.emitError()
                                  << "ops without an instruction in a .qmod program:";
  for (auto &[text, problem] : problems)
    diagnostic.attachNote(problem.first) << text << " (" << problem.count << " times)";
  return failure();
}

namespace {
struct ConvertQIRToQExecPass : qopt::impl::ConvertQIRToQExecBase<ConvertQIRToQExecPass> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isDeclaration() || function->hasAttr(qexec::kindAttr))
      return;
    if (!function.getBody().hasOneBlock()) {
      function.emitError() << "expects a function of one block";
      return signalPassFailure();
    }
    Block &oldBlock = function.getBody().front();
    auto *newBlock = new Block();
    function.getBody().push_back(newBlock);
    Lowering lowering(function, oldBlock, *newBlock);
    bool tokenMajor = function->hasAttr(qir::tokenMajorAttr);
    LogicalResult lowered = tokenMajor ? lowerTokenMajor(lowering) : lowerGeneric(lowering);
    if (failed(lowered) || failed(lowering.reportUnsupported())) {
      newBlock->dropAllDefinedValueUses();
      newBlock->erase();
      return signalPassFailure();
    }
    oldBlock.erase();
    function->removeAttr(qir::tokenMajorAttr);
  }
};
} // namespace
