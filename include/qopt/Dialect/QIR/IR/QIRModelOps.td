//===- QIRModelOps.td - The ops a quantizer reasons about --------------------------------------===//
#ifndef QOPT_DIALECT_QIR_IR_QIRMODELOPS_TD
#define QOPT_DIALECT_QIR_IR_QIRMODELOPS_TD

include "qopt/Dialect/QIR/IR/QIRAttributes.td"

class QIR_ModelOp<string mnemonic> : QIR_Op<mnemonic, [Pure]> {
}

def QIR_EmbeddingOp : QIR_ModelOp<"embedding"> {
  let summary = "Rows of a table: table[ids + offset]";
  let arguments = (ins QIR_FloatTensor:$table, QIR_IndexTensor:$ids, QIR_I64Default<"0">:$offset,
                       OptionalAttr<QIR_SchemeAttr>:$scheme);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = "$table `,` $ids attr-dict `:` functional-type(operands, results)";
}

def QIR_LinearOp : QIR_ModelOp<"linear"> {
  let summary = "y = x w^T + bias";
  let arguments = (ins QIR_FloatTensor:$x, QIR_FloatTensor:$w, Optional<QIR_FloatTensor>:$bias,
                       OptionalAttr<QIR_SchemeAttr>:$scheme, OptionalAttr<StrAttr>:$role);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = [{
    $x `,` $w (`bias` $bias^)? attr-dict `:` functional-type(operands, results)
  }];
}

def QIR_RmsNormOp : QIR_ModelOp<"rms_norm"> {
  let summary = "x / sqrt(mean(x^2) + epsilon) * w over chunks of the last axis";
  let arguments = (ins QIR_FloatTensor:$x, QIR_FloatTensor:$w, F64Attr:$epsilon);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = "$x `,` $w attr-dict `:` functional-type(operands, results)";
}

def QIR_LayerNormOp : QIR_ModelOp<"layer_norm"> {
  let summary = "(x - mean) / sqrt(variance + epsilon) * w + b over the last axis";
  let arguments = (ins QIR_FloatTensor:$x, QIR_FloatTensor:$w, Optional<QIR_FloatTensor>:$b,
                       F64Attr:$epsilon);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = [{
    $x `,` $w (`bias` $b^)? attr-dict `:` functional-type(operands, results)
  }];
}

def QIR_RotaryEmbeddingOp : QIR_ModelOp<"rotary_embedding"> {
  let summary = "Rotation of feature pairs by given cosines and sines (batch-major)";
  let arguments = (ins QIR_FloatTensor:$x, QIR_FloatTensor:$cos, QIR_FloatTensor:$sin,
                       QIR_I64Default<"0">:$interleaved);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = "$x `,` $cos `,` $sin attr-dict `:` functional-type(operands, results)";
}

def QIR_SdpaOp : QIR_ModelOp<"sdpa"> {
  let summary = "softmax(q k^T scale + mask) v, batch-major, with grouped heads";
  let arguments = (ins QIR_FloatTensor:$q, QIR_FloatTensor:$k, QIR_FloatTensor:$v,
                       Optional<QIR_AnyTensor>:$mask, F64Attr:$scale,
                       QIR_F64Default<"0.0">:$softcap, QIR_I64Default<"0">:$causal);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = [{
    $q `,` $k `,` $v (`mask` $mask^)? attr-dict `:` functional-type(operands, results)
  }];
}

def QIR_RopeOp : QIR_ModelOp<"rope"> {
  let summary = "Rotary position embedding of token-major heads";
  let arguments = (ins QIR_FloatTensor:$x, QIR_IndexTensor:$positions, TensorOf<[F32]>:$inv_freq,
                       I64Attr:$head_dim, QIR_I64Default<"0">:$interleaved,
                       QIR_F64Default<"1.0">:$scaling);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = [{
    $x `,` $positions `,` $inv_freq attr-dict `:` functional-type(operands, results)
  }];
}

def QIR_AttentionOp : QIR_ModelOp<"attention"> {
  let summary = "Causal attention of token-major heads over a cache";
  let arguments = (ins QIR_FloatTensor:$q, QIR_FloatTensor:$k, QIR_FloatTensor:$v,
                       I64Attr:$num_heads, I64Attr:$kv_heads, I64Attr:$head_dim,
                       I64Attr:$value_dim, F64Attr:$scale, QIR_F64Default<"0.0">:$softcap,
                       QIR_I64Default<"0">:$window, I64Attr:$cache);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = "$q `,` $k `,` $v attr-dict `:` functional-type(operands, results)";
}

class QIR_GatedOp<string mnemonic, string formula> : QIR_ModelOp<mnemonic> {
  let summary = formula;
  let arguments = (ins QIR_FloatTensor:$gate, QIR_FloatTensor:$up);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = "$gate `,` $up attr-dict `:` functional-type(operands, results)";
}
def QIR_SwigluOp : QIR_GatedOp<"swiglu", "silu(gate) * up">;
def QIR_GegluOp : QIR_GatedOp<"geglu", "gelu(gate) * up"> {
  let arguments = (ins QIR_FloatTensor:$gate, QIR_FloatTensor:$up,
                       QIR_StrDefault<"none">:$approximate);
}

#endif // QOPT_DIALECT_QIR_IR_QIRMODELOPS_TD
