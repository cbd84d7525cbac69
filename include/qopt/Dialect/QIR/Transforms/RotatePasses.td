//===- RotatePasses.td - Passes that fold norms and rotations into weights ---------------------===//
// Alphabetical; see Passes.td for the rules. The function that is computed does not change.
#ifndef QOPT_DIALECT_QIR_TRANSFORMS_ROTATEPASSES_TD
#define QOPT_DIALECT_QIR_TRANSFORMS_ROTATEPASSES_TD

include "mlir/Pass/PassBase.td"

def FoldNormWeights : Pass<"qir-fold-norm-weights", "::mlir::func::FuncOp"> {
  let summary = "Move the gains and biases of norms into the linears that read them";
  let description = [{
    Contract: *requires* raised linears; *preserves* the function that is computed, shapes, names;
    *result*: `rms_norm` and `layer_norm` with gains of one and no bias, where only linears with
    constant float weights read them.

    W becomes W diag(gain), the bias becomes bias + W norm_bias. A weight that the linear shares with
    an embedding becomes one of its own: the file then holds both. Norms that something else reads
    (the norms of query and key heads, norms behind a block) keep their gain, with a remark of category
    `rotate`.
    ```mlir
    %n = qir.rms_norm %x, %gain {epsilon = 1.0e-6 : f64} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
    %y = qir.linear %n, %w : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
    // becomes, with %ones all 1
    %n = qir.rms_norm %x, %ones {epsilon = 1.0e-6 : f64} : ...
    %y = qir.linear %n, %w_gain : ...
    ```
  }];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def RotateDownProjection : Pass<"qir-rotate-down-projection", "::mlir::func::FuncOp"> {
  let summary = "Turn the input of each down-projection by a Hadamard matrix at run time";
  let description = [{
    Contract: *requires* a token-major function; *preserves* the function that is computed, shapes, names;
    *result*: a `hadamard` before each linear that reads a (gated) activation, whose weight expects the
    turned input. Nothing behind an activation function can take the rotation, so it is the one that
    costs something at run time (QuaRot, arXiv 2404.00456, section 4: before the down-projection).

    The matrix is R = D H of `qopt/Quantization/Hadamard.h`. The random signs D go into the rows of the
    up-projection where a linear makes that part of a gated activation alone, else into a `mul`.
    Linears that stay (quantized weights, widths without a factor of two) get a remark of category
    `rotate`; `required` makes it an error if none can be turned.
    ```mlir
    %h = qir.swiglu %gate, %up : ...
    %y = qir.linear %h, %w : (tensor<?x4864xf32>, tensor<896x4864xf32>) -> tensor<?x896xf32>
    // becomes, with the rows of what makes %up times D, w_R = w D H, and %base a Hadamard matrix
    %h = qir.swiglu %gate, %up_D : ...
    %r = qir.hadamard %h base %base {block = 4864 : i64} : (tensor<?x4864xf32>, tensor<76x76xf32>) -> ...
    %y = qir.linear %r, %w_R : ...
    ```
  }];
  let options = [
    Option<"seed", "seed", "uint64_t", "1", "of the random signs; 0: a plain Hadamard matrix">,
    Option<"required", "required", "bool", "false", "fail if no linear can be turned">
  ];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def RotateResidual : Pass<"qir-rotate-residual", "::mlir::func::FuncOp"> {
  let summary = "Turn the residual stream by a random Hadamard matrix, folded into weights";
  let description = [{
    Contract: *requires* a token-major function, qir-fold-norm-weights; *preserves* the function that is
    computed, shapes, names; *result*: every weight that writes to the residual stream (embeddings,
    linears, added constants) gives x R, every linear that reads it expects x R, with R of
    `qopt/Quantization/Hadamard.h` (QuaRot, arXiv 2404.00456, section 3).

    Layer norms become RMS norms: what writes to the stream is centred (SliceGPT, arXiv 2401.15024).
    All or nothing: where an op does not commute with R, such as a norm behind a block that keeps
    its gain, or weights that came quantized, nothing changes, and a remark of category `rotate`
    names the op; with `required` it is an error.
    ```mlir
    %x = qir.embedding %table, %ids : ...
    %n = qir.rms_norm %x, %ones {epsilon = 1.0e-6 : f64} : ...
    %y = qir.linear %n, %w : ...
    // becomes, with table_R = table R and w_R = w R
    %x = qir.embedding %table_R, %ids : ...
    %n = qir.rms_norm %x, %ones {epsilon = 1.0e-6 : f64} : ...
    %y = qir.linear %n, %w_R : ...
    ```
  }];
  let options = [
    Option<"seed", "seed", "uint64_t", "1", "of the random signs; 0: a plain Hadamard matrix">,
    Option<"required", "required", "bool", "false", "fail where the stream cannot be turned">
  ];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def RotateValues : Pass<"qir-rotate-values", "::mlir::func::FuncOp"> {
  let summary = "Turn the values of each attention head by a random Hadamard matrix";
  let description = [{
    Contract: *requires* a token-major function; *preserves* the function that is computed, shapes, names;
    *result*: the linear that makes the values gives v R per head, and the linear behind the attention
    expects it (QuaRot, arXiv 2404.00456, section 3): one R for all heads, so grouped heads need nothing
    more. The cache then holds turned values. Attentions whose values or output something else
    makes or reads stay, with a remark of category `rotate`; `required` makes it an error if none can
    be turned.
    ```mlir
    %v = qir.linear %x, %wv : ...
    %a = qir.attention %q, %k, %v {value_dim = 64 : i64, ...} : ...
    %y = qir.linear %a, %wo : ...
    // becomes
    %v = qir.linear %x, %wv_R : ...
    %a = qir.attention %q, %k, %v {value_dim = 64 : i64, ...} : ...
    %y = qir.linear %a, %wo_R : ...
    ```
  }];
  let options = [
    Option<"seed", "seed", "uint64_t", "1", "of the random signs; 0: a plain Hadamard matrix">,
    Option<"required", "required", "bool", "false", "fail if no attention can be turned">
  ];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

#endif // QOPT_DIALECT_QIR_TRANSFORMS_ROTATEPASSES_TD
