//===- QIRAttributes.td - Decisions as attributes ----------------------------------------------===//
// A pass that decides puts one of these on an op, a pass that rewrites obeys it; no pass does both.
#ifndef QOPT_DIALECT_QIR_IR_QIRATTRIBUTES_TD
#define QOPT_DIALECT_QIR_IR_QIRATTRIBUTES_TD

include "qopt/Dialect/QIR/IR/QIRDialect.td"
include "mlir/IR/EnumAttr.td"

/// How a weight is stored: one of the float formats, or unsigned codes with scales.
def QIR_WeightFormat : I32Enum<"WeightFormat", "storage of a weight", [
    I32EnumCase<"F32", 0, "f32">, I32EnumCase<"F16", 1, "f16">,
    I32EnumCase<"BF16", 2, "bf16">, I32EnumCase<"Int", 3, "int">]> {
  let cppNamespace = "::qopt::qir";
}

def QIR_SchemeAttr : AttrDef<QIR_Dialect, "Scheme"> {
  let mnemonic = "scheme";
  let summary = "Storage and activation precision chosen for one weight";
  let description = [{
    `#qir.scheme<w4a16, group = 128, sym>`: 4-bit codes, 16-bit activations, one scale per 128
    elements of K, zero point implied. `group = 0`, printed `channel`, is one scale per row; `asym`
    adds a zero point per group. `#qir.scheme<f32>`, `<f16>`, `<bf16>` store the weight as floats.

    - (C1) the weight has 2, 3, 4 or 8 bits
    - (C2) the activation has 8, 16 or 32 bits; 32 computes in f32
    - (C3) the group is 0 (channel), 32, 64 or 128
  }];
  let parameters = (ins "::qopt::qir::WeightFormat":$format, "unsigned":$weightBits,
                        "unsigned":$activationBits, "int64_t":$groupSize, "bool":$symmetric);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    static SchemeAttr getDense(::mlir::MLIRContext *context, WeightFormat format);
    static SchemeAttr getInt(::mlir::MLIRContext *context, unsigned weightBits,
                             unsigned activationBits, int64_t groupSize, bool symmetric);
    /// Reads the text form of command lines, `f16` or `w4a16[-g128|-channel][-sym|-asym]`.
    /// Defaults: group 128 for weights below 8 bits, channel for 8; symmetric for 4 and 8 bits,
    /// asymmetric for 2 and 3. Null, with a reason in `error`, if the text is no scheme.
    static SchemeAttr fromText(::mlir::MLIRContext *context, ::llvm::StringRef text,
                               std::string &error);
    /// The text form, complete: `w4a16-g128-sym`, `w8a8-channel-sym`, `bf16`.
    std::string toText() const;
    bool isInt() const { return getFormat() == WeightFormat::Int; }
    /// The `activation` attribute of qir.quantized_linear: "a8", "a16" or "f32".
    ::llvm::StringRef activationName() const;
  }];
}

def QIR_CriticalAttr : AttrDef<QIR_Dialect, "Critical"> {
  let mnemonic = "critical";
  let summary = "Why an op must keep its precision";
  let description = "`#qir.critical<\"kept by --keep-fp16 lm_head\">`: the reason is for reports.";
  let parameters = (ins "::mlir::StringAttr":$reason);
  let assemblyFormat = "`<` $reason `>`";
}

#endif // QOPT_DIALECT_QIR_IR_QIRATTRIBUTES_TD
