//===- RaisePasses.td - Passes that fold, fuse and raise imported graphs -----------------------===//
// Alphabetical; see Passes.td for the rules. docs/raising.md tells how they work together.
#ifndef QOPT_DIALECT_QIR_TRANSFORMS_RAISEPASSES_TD
#define QOPT_DIALECT_QIR_TRANSFORMS_RAISEPASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertToTokenMajor : Pass<"qir-convert-to-token-major", "::mlir::ModuleOp"> {
  let summary = "Rewrite a batch-major decoder to token-major model ops";
  let description = [{
    Contract: *requires* an imported function `main` whose norms, activations and linears are raised
    (the passes before it in the raise pipeline); *result*: `main` takes `ids` and `positions`, works
    on `[tokens, features]` in f32, and keeps its caches inside `qir.attention`. Logits are those of
    all tokens, whatever rows the exporter kept.

    Shapes, masks and rotation tables are not matched by syntax. The graph is evaluated on small
    inputs (see ProbeRuns.h); layouts follow from the shapes, masks are compared with causal and
    causal-window tables, rotations are solved for their frequencies. What does not fit leaves the
    function as it was, with the attribute `qir.not_raised = "reason"` and a remark of category
    `raise` at the op. Rotations that change with the length of the text (longrope) are raised for
    the length up to which they do not, given as `qir.max_context`.

    ```mlir
    func.func @main(%input_ids: tensor<?x?xi64>, %attention_mask: tensor<?x?xi64>, %past: ...)
    // becomes
    func.func @main(%ids: tensor<?xi32>, %positions: tensor<?xi32>) -> tensor<?x288xf32>
        attributes {qir.token_major}
    ```
  }];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def FoldConstants : Pass<"qir-fold-constants", "::mlir::func::FuncOp"> {
  let summary = "Evaluate ops whose operands are constants";
  let description = [{
    Contract: *requires* nothing; *preserves* the function's results bit for bit. Ops without token
    data and without inputs become constants; identities, casts to the same type and reshapes to the
    same type disappear. Transposes, casts and dequantizations of large weights stay: raising looks
    through them and keeps the stored precision. Results above `max-elements` are left alone.

    ```mlir
    %w1 = qir.add %w, %one : (tensor<64xf32>, tensor<f32>) -> tensor<64xf32>
    // becomes
    %w1 = qir.constant dense<...> : tensor<64xf32>
    ```
  }];
  let options = [Option<"maxElements", "max-elements", "int64_t", "1 << 20",
                        "largest result that is evaluated">];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def FuseActivations : Pass<"qir-fuse-activations", "::mlir::func::FuncOp"> {
  let summary = "Recognise silu, gelu, softcap and their spellings";
  let description = [{
    Contract: *requires* folded constants; *preserves* shapes. `x * sigmoid(x)`, `quick_gelu` with
    alpha 1, both forms of gelu in any order of factors, and `cap * tanh(x / cap)`.

    ```mlir
    %s = qir.sigmoid %x
    %y = qir.mul %x, %s
    // becomes
    %y = qir.silu %x
    ```
  }];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def FuseBias : Pass<"qir-fuse-bias", "::mlir::func::FuncOp"> {
  let summary = "Make the addition of a row to a linear its bias";
  let description = [{
    Contract: *requires* nothing; *preserves* shapes. Only where the linear has no other use.

    ```mlir
    %0 = qir.linear %x, %w : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
    %y = qir.add %0, %b : (tensor<?x32xf32>, tensor<32xf32>) -> tensor<?x32xf32>
    // becomes
    %y = qir.linear %x, %w bias %b : ...
    ```
  }];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def FuseGatedActivations : Pass<"qir-fuse-gated-activations", "::mlir::func::FuncOp"> {
  let summary = "Recognise swiglu and geglu";
  let description = [{
    Contract: *requires* qir-fuse-activations; *preserves* shapes. Either order of the factors.

    ```mlir
    %a = qir.silu %gate
    %y = qir.mul %a, %up
    // becomes
    %y = qir.swiglu %gate, %up
    ```
  }];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def FuseNorms : Pass<"qir-fuse-norms", "::mlir::func::FuncOp"> {
  let summary = "Recognise RMS norm and layer norm over the last axis";
  let description = [{
    Contract: *requires* folded constants; *preserves* shapes and element types. The square as `pow`
    or `mul`, the root by `sqrt` and `reciprocal`, `div` or `pow(-0.5)`, the weight on either side,
    with or without casts around and with or without epsilon; a norm without weight gets a weight of ones.

    ```mlir
    %2 = qir.pow %x, %two
    %3 = qir.reduce_mean %2 axes [-1]
    %4 = qir.add %3, %eps
    %5 = qir.sqrt %4
    %6 = qir.reciprocal %5
    %7 = qir.mul %x, %6
    %y = qir.mul %w, %7
    // becomes
    %y = qir.rms_norm %x, %w {epsilon = 1.0e-6 : f64}
    ```
  }];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def RaiseEmbeddings : Pass<"qir-raise-embeddings", "::mlir::func::FuncOp"> {
  let summary = "Turn lookups by token id into embeddings";
  let description = [{
    Contract: *requires* qir-raise-linears (so that a shared table is already turned); *preserves*
    shapes. Only lookups whose index is the ids argument; tables may be transposed, cast or
    dequantized constants.

    ```mlir
    %y = qir.gather %table, %ids {axis = 0 : i64}
    // becomes
    %y = qir.embedding %table, %ids
    ```
  }];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def RaiseLinears : Pass<"qir-raise-linears", "::mlir::func::FuncOp"> {
  let summary = "Turn products with constant matrices into linears";
  let description = [{
    Contract: *requires* nothing; *preserves* shapes. The weight becomes `[N, K]`: a constant that
    was stored `[K, N]` is turned and marked `qir.transposed`. Casts of weights are dropped (the
    stored precision stays). A dequantized weight whose blocks lie along K becomes
    `qir.quantized_linear`, if its bits and groups are those of the file format.

    ```mlir
    %y = qir.matmul %x, %w : (tensor<?x?x64xf32>, tensor<64x32xf32>) -> tensor<?x?x32xf32>
    // becomes
    %wt = qir.constant {qir.transposed} ... : tensor<32x64xf32>
    %y = qir.linear %x, %wt : (tensor<?x?x64xf32>, tensor<32x64xf32>) -> tensor<?x?x32xf32>
    ```
  }];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def ShareWeights : Pass<"qir-share-weights", "::mlir::func::FuncOp"> {
  let summary = "Store equal weights once";
  let description = [{
    Contract: *requires* weights in `[N, K]`; *preserves* everything else. Constants of equal type and
    contents become one; the names of the others are kept in its `qir.aliases`. Finds tied heads that
    an exporter copied, since ties are looked for by content and not by name.

    ```mlir
    %a = qir.constant dense_resource<embed> : tensor<288x64xf32> loc("embed")
    %b = qir.constant {qir.transposed} dense_resource<head> : tensor<288x64xf32> loc("head")
    // becomes
    %a = qir.constant {qir.aliases = [{name = "head", transposed = true} ] } dense_resource<embed>
    ```
  }];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def UnpackLinears : Pass<"qir-unpack-linears", "::mlir::func::FuncOp"> {
  let summary = "Split a linear whose result is only cut into columns";
  let description = [{
    Contract: *requires* token-major linears; *preserves* shapes. Builders pack q, k and v (or gate and
    up) into one weight, tracers do not; this makes their graphs equal. The parts keep the packed
    initializer's name, with `qir.rows = [first, total]` telling which of its rows they are. Not part
    of the raise pipeline: a packed weight stays one tensor, under its name, in the file.

    ```mlir
    %p = qir.linear %x, %w : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
    %q = qir.slice %p, %c0, %c4 axes [1] steps [1]
    %k = qir.slice %p, %c4, %c6 axes [1] steps [1]
    // becomes
    %q = qir.linear %x, %w_rows_0_4 : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    %k = qir.linear %x, %w_rows_4_6 : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32>
    ```
  }];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

#endif // QOPT_DIALECT_QIR_TRANSFORMS_RAISEPASSES_TD
