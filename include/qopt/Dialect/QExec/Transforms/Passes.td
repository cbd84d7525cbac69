//===- Passes.td - Passes on the qexec dialect -------------------------------------------------===//
// Alphabetical; the rules are those of the qir passes (docs/add-a-pass.md).
#ifndef QOPT_DIALECT_QEXEC_TRANSFORMS_PASSES_TD
#define QOPT_DIALECT_QEXEC_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def PlanMemory : Pass<"qexec-plan-memory", "::mlir::func::FuncOp"> {
  let summary = "Give every buffer its place in the arena";
  let description = [{
    Contract: *requires* a function of qexec ops; *preserves* everything but the `arena` attributes;
    *result*: every buffer has an offset, a multiple of 16 floats, no two live buffers overlap, and
    `qexec.arena` on the function is the size. Buffers are placed in program order into the smallest
    gap that holds them (best fit); an elementwise op takes over the place of an operand that dies in
    it. Generic functions, which have no arena, are left alone.
    Emits a remark of category `plan-memory` with the size and the lower bound given by liveness.
  }];
  let dependentDialects = ["::qopt::qexec::QExecDialect"];
}

def SelectRows : Pass<"qexec-select-rows", "::mlir::func::FuncOp"> {
  let summary = "Compute the head only for rows whose logits were asked for";
  let description = [{
    Contract: *requires* a token-major function of qexec ops; *preserves* the logits of the selected
    rows; *result*: one `qexec.select_rows` before the chain of row-wise ops with one activation
    operand that ends in the logits (usually: last norm, head, softcap).
  }];
  let dependentDialects = ["::qopt::qexec::QExecDialect"];
}

#endif // QOPT_DIALECT_QEXEC_TRANSFORMS_PASSES_TD
