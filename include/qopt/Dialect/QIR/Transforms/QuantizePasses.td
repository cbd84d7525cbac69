//===- QuantizePasses.td - Passes that assign schemes and quantize weights ---------------------===//
// Alphabetical; see Passes.td for the rules.
#ifndef QOPT_DIALECT_QIR_TRANSFORMS_QUANTIZEPASSES_TD
#define QOPT_DIALECT_QIR_TRANSFORMS_QUANTIZEPASSES_TD

include "mlir/Pass/PassBase.td"

def AssignAlternates : Pass<"qir-assign-alternates", "::mlir::func::FuncOp"> {
  let summary = "Keep every weight that will be quantized as the second weight set, too";
  let description = [{
    Contract: *requires* a token-major function and qir-assign-scheme; *preserves* everything else;
    *result*: `qir.alternate` with the 16-bit format of its source on every `qir.linear` with an integer
    scheme, which makes the passes that quantize keep its weight as the alternate of the quantized
    linear (as it is then: smoothed or rotated, if it was). f32 becomes f16, or bf16 where f16 does not
    hold the values. A function that is not token-major, or without such a linear, is an error.
    Emits remarks of category `assign`.
    ```mlir
    %y = qir.linear %x, %w {scheme = #qir.scheme<w2a16, group = 64, sym>} : ...
    // becomes
    %y = qir.linear %x, %w {qir.alternate = "f16", scheme = #qir.scheme<w2a16, group = 64, sym>} : ...
    ```
  }];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def AssignScheme : Pass<"qir-assign-scheme", "::mlir::func::FuncOp"> {
  let summary = "Decide how each weight is stored";
  let description = [{
    Contract: *requires* raised linears and embeddings; *preserves* everything else; *result*: a
    `scheme` on every `qir.linear` and `qir.embedding` with a constant weight that is not ignored,
    and `qir.critical` on those kept in f16.

    The first rule that fits decides, by the names of the weight (its own and those of tied ones):
    `tensor-type`, `keep-fp16`, `ignore`, then `head-scheme` and `embed-scheme`, then `scheme`. Below
    8 bits, head and embedding get 8 bits per channel unless told otherwise. A weight shared by
    embedding and head gets one scheme, that of the head, unless `embed-scheme` is given. A pattern
    that matches no weight is an error, since its user thinks that it did something.
    Emits remarks of category `assign`.
    ```mlir
    %y = qir.linear %x, %w : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
    // becomes, with scheme=w4a16-g32-sym
    %y = qir.linear %x, %w {scheme = #qir.scheme<w4a16, group = 32, sym>} : ...
    ```
  }];
  let options = [
    Option<"scheme", "scheme", "std::string", "\"\"", "scheme text of all linears; empty: none">,
    Option<"headScheme", "head-scheme", "std::string", "\"\"", "scheme text of the output head">,
    Option<"embedScheme", "embed-scheme", "std::string", "\"\"", "scheme text of embeddings">,
    ListOption<"tensorType", "tensor-type", "std::string", "REGEX=SCHEME by weight name">,
    ListOption<"keepFp16", "keep-fp16", "std::string", "regexes of weight names kept in f16">,
    ListOption<"ignore", "ignore", "std::string", "names, or re:REGEX, left as they are">,
    Option<"fallbackGroup", "fallback-group", "bool", "false",
           "take a smaller group where that of `scheme` does not divide K">
  ];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def QuantizeWeights : Pass<"qir-quantize-weights", "::mlir::func::FuncOp"> {
  let summary = "Replace float weights by codes, scales and zero points";
  let description = [{
    Contract: *requires* qir-assign-scheme; *preserves* shapes, names and locations; *result*: every
    linear and embedding with an integer scheme has become quantized, by rounding to nearest
    (docs/semantics.md) or, with `half-quadratic`, by HQQ; float schemes stay for lowering. A weight with several users of one scheme
    is quantized once. Float weights without further users are freed. `qir.rms_error` on the new op is
    the relative RMS error of the weight, `qir.scheme_text` its scheme.
    A weight that is NaN or infinite is an error. Emits remarks of category `quantize`.
    ```mlir
    %y = qir.linear %x, %w {scheme = #qir.scheme<w4a16, group = 32, sym>} : ...
    // becomes
    %y = qir.quantized_linear %x, %codes scales %scales {bits = 4 : i64, group_size = 32 : i64} : ...
    ```
  }];
  let options = [
    Option<"searchScale", "search-scale", "bool", "false",
           "search the scale of each group that minimises the squared error">,
    Option<"halfQuadratic", "half-quadratic", "bool", "false",
           "HQQ below 8 bits (qopt/Quantization/HalfQuadratic.h)">,
    Option<"exceptCalibrated", "except-calibrated", "bool", "false",
           "leave the linears that qir-quantize-calibrated quantizes">
  ];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

#endif // QOPT_DIALECT_QIR_TRANSFORMS_QUANTIZEPASSES_TD
