//===- Passes.td - Passes on the qir dialect ---------------------------------------------------===//
// Alphabetical. One entry = one file lib/Dialect/QIR/Transforms/<Def>.cpp = one lit test; see
// docs/add-a-pass.md, or let tools/dev/new-pass.sh write all three. No `let constructor`.
// Raising passes are declared in RaisePasses.td, quantizing ones in QuantizePasses.td, rotations in
// RotatePasses.td.
#ifndef QOPT_DIALECT_QIR_TRANSFORMS_PASSES_TD
#define QOPT_DIALECT_QIR_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"
include "qopt/Dialect/QIR/Transforms/QuantizePasses.td"
include "qopt/Dialect/QIR/Transforms/RaisePasses.td"
include "qopt/Dialect/QIR/Transforms/RotatePasses.td"

def BalanceKeys : Pass<"qir-balance-keys", "::mlir::func::FuncOp"> {
  let summary = "Find factors that even out keys with outlier features";
  let description = [{
    Contract: *requires* raised attention, float weights; *preserves* the function that the graph
    computes; *result*: `qir.key_balance`, one positive factor per kv head and feature, on every
    `qir.attention` whose key features differ by `min-spread` or more in size. Caches of codes store
    k / balance and multiply q by it (docs/semantics.md); caches of floats ignore it. Sizes are told
    from the weights that make the keys (qopt/Quantization/KeyBalance.h): a linear with its bias, as
    in Qwen2, or a norm per head, as in Qwen3. Emits remarks of category `kv`.
    ```mlir
    %y = qir.attention %q, %k, %v {num_heads = 14 : i64, ...}
    // becomes
    %y = qir.attention %q, %k, %v {num_heads = 14 : i64, ..., qir.key_balance = array<f32: 0.2, 9.1, ...>}
    ```
  }];
  let options = [
    Option<"minSpread", "min-spread", "double", "4.0",
           "largest factor of a head over its median from which factors are used">
  ];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def StripAliases : Pass<"qir-strip-aliases", "::mlir::func::FuncOp"> {
  let summary = "Remove the names under which tied weights are known besides their own";
  let description = [{
    Contract: *requires* nothing; *preserves* everything but the `qir.aliases` attribute of constants.
    Used where a test or a reader does not care which initializers were merged.
  }];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

#endif // QOPT_DIALECT_QIR_TRANSFORMS_PASSES_TD
