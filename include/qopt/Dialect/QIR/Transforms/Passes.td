//===- Passes.td - Passes on the qir dialect ---------------------------------------------------===//
// Alphabetical. One entry = one file lib/Dialect/QIR/Transforms/<Def>.cpp = one lit test; see
// docs/add-a-pass.md, or let tools/dev/new-pass.sh write all three. No `let constructor`.
// Raising passes are declared in RaisePasses.td, quantizing ones in QuantizePasses.td.
#ifndef QOPT_DIALECT_QIR_TRANSFORMS_PASSES_TD
#define QOPT_DIALECT_QIR_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"
include "qopt/Dialect/QIR/Transforms/QuantizePasses.td"
include "qopt/Dialect/QIR/Transforms/RaisePasses.td"

def StripAliases : Pass<"qir-strip-aliases", "::mlir::func::FuncOp"> {
  let summary = "Remove the names under which tied weights are known besides their own";
  let description = [{
    Contract: *requires* nothing; *preserves* everything but the `qir.aliases` attribute of constants.
    Used where a test or a reader does not care which initializers were merged.
  }];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

#endif // QOPT_DIALECT_QIR_TRANSFORMS_PASSES_TD
