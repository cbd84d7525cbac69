//===- QIRModelOps.td - The ops a quantizer reasons about --------------------------------------===//
#ifndef QOPT_DIALECT_QIR_IR_QIRMODELOPS_TD
#define QOPT_DIALECT_QIR_IR_QIRMODELOPS_TD

include "qopt/Dialect/QIR/IR/QIRAttributes.td"

class QIR_ModelOp<string mnemonic> : QIR_Op<mnemonic, [Pure]> {
  let hasVerifier = 1;
}

def QIR_EmbeddingOp : QIR_ModelOp<"embedding"> {
  let summary = "Rows of a table: table[ids + offset]";
  let description = [{
    | operand | shape | element type |
    |---|---|---|
    | table | `[V, H]` | float |
    | ids | any | i32, i64 |
    | y | `[ids..., H]` | float |

    - (C1) table has rank 2
    - (C2) y is `[ids..., H]`
    - (C3) offset is at least 0
  }];
  let arguments = (ins QIR_FloatTensor:$table, QIR_IndexTensor:$ids, QIR_I64Default<"0">:$offset,
                       OptionalAttr<QIR_SchemeAttr>:$scheme);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = "$table `,` $ids attr-dict `:` functional-type(operands, results)";
}

def QIR_LinearOp : QIR_ModelOp<"linear"> {
  let summary = "y = x w^T + bias";
  let description = [{
    | operand | shape | element type |
    |---|---|---|
    | x | `[..., K]` | float |
    | w | `[N, K]` | float, may differ from x |
    | bias | `[N]` | float |
    | y | `[..., N]` | float |

    `role = "head"` marks the linear that makes the logits.

    - (C1) w has rank 2
    - (C2) the last dimension of x is K
    - (C3) bias has N elements
    - (C4) y is `[..., N]`
  }];
  let arguments = (ins QIR_FloatTensor:$x, QIR_FloatTensor:$w, Optional<QIR_FloatTensor>:$bias,
                       OptionalAttr<QIR_SchemeAttr>:$scheme, OptionalAttr<StrAttr>:$role);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = [{
    $x `,` $w (`bias` $bias^)? attr-dict `:` functional-type(operands, results)
  }];
}

def QIR_RmsNormOp : QIR_ModelOp<"rms_norm"> {
  let summary = "x / sqrt(mean(x^2) + epsilon) * w over chunks of the last axis";
  let description = [{
    If the last dimension of x is c * D, each chunk of D features is normalised by itself.

    - (C1) the last dimension of x is a multiple of the length D of w
    - (C2) x and y have one shape
    - (C3) epsilon is not negative
  }];
  let arguments = (ins QIR_FloatTensor:$x, QIR_FloatTensor:$w, F64Attr:$epsilon);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = "$x `,` $w attr-dict `:` functional-type(operands, results)";
}

def QIR_LayerNormOp : QIR_ModelOp<"layer_norm"> {
  let summary = "(x - mean) / sqrt(variance + epsilon) * w + b over the last axis";
  let description = [{
    - (C1) the last dimension of x is a multiple of the length D of w
    - (C2) x and y have one shape
    - (C3) epsilon is not negative
    - (C4) b has as many elements as w
  }];
  let arguments = (ins QIR_FloatTensor:$x, QIR_FloatTensor:$w, Optional<QIR_FloatTensor>:$b,
                       F64Attr:$epsilon);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = [{
    $x `,` $w (`bias` $b^)? attr-dict `:` functional-type(operands, results)
  }];
}

def QIR_RotaryEmbeddingOp : QIR_ModelOp<"rotary_embedding"> {
  let summary = "Rotation of feature pairs by given cosines and sines (batch-major)";
  let description = [{
    | operand | shape |
    |---|---|
    | x, y | `[B, H, S, D]` |
    | cos, sin | `[B or 1, S, R / 2]` |

    The first R features of D are rotated: pairs (i, i + R / 2), or (2 i, 2 i + 1) if interleaved.

    - (C1) x has rank 4, cos and sin rank 3 and one shape
    - (C2) R is at most D
    - (C3) x and y have one shape
    - (C4) interleaved is 0 or 1
  }];
  let arguments = (ins QIR_FloatTensor:$x, QIR_FloatTensor:$cos, QIR_FloatTensor:$sin,
                       QIR_I64Default<"0">:$interleaved);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = "$x `,` $cos `,` $sin attr-dict `:` functional-type(operands, results)";
}

def QIR_SdpaOp : QIR_ModelOp<"sdpa"> {
  let summary = "softmax(q k^T scale + mask) v, batch-major, with grouped heads";
  let description = [{
    | operand | shape |
    |---|---|
    | q | `[B, Hq, Sq, D]` |
    | k | `[B, Hkv, Skv, D]` |
    | v | `[B, Hkv, Skv, Dv]` |
    | mask | broadcast to `[B, Hq, Sq, Skv]`: i1 (true = keep) or additive float |
    | y | `[B, Hq, Sq, Dv]` |

    Query head h reads key head h / (Hq / Hkv). causal: key j is visible to query i iff
    j <= i + Skv - Sq. softcap: cap * tanh(score / cap) before the mask. A row without any visible
    key is zero.

    - (C1) q, k and v have rank 4
    - (C2) Hq is a multiple of Hkv
    - (C3) q and k agree in D, k and v in Skv and Hkv
    - (C4) y is `[B, Hq, Sq, Dv]`
    - (C5) softcap is not negative
    - (C6) causal is 0 or 1
  }];
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
  let description = [{
    | operand | shape |
    |---|---|
    | x, y | `[T, heads * head_dim]` |
    | positions | `[T]` |
    | inv_freq | `[R / 2]` |

    The angle is position * inv_freq; scaling multiplies cos and sin.

    - (C1) the last dimension of x is a multiple of head_dim
    - (C2) inv_freq has at most head_dim / 2 elements
    - (C3) x and y have one shape
    - (C4) interleaved is 0 or 1
  }];
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
  let description = [{
    | operand | shape |
    |---|---|
    | q | `[T, num_heads * head_dim]` |
    | k | `[T, kv_heads * head_dim]` |
    | v | `[T, kv_heads * value_dim]` |
    | y | `[T, num_heads * value_dim]` |

    Appends k and v of each token to cache `cache` of its sequence, then attends causally over it; with
    a window, key j is visible to query i iff i - window < j <= i.

    - (C1) num_heads is a multiple of kv_heads, all sizes at least 1
    - (C2) widths are those of the table
    - (C3) window, softcap and cache are not negative
  }];
  let arguments = (ins QIR_FloatTensor:$q, QIR_FloatTensor:$k, QIR_FloatTensor:$v,
                       I64Attr:$num_heads, I64Attr:$kv_heads, I64Attr:$head_dim,
                       I64Attr:$value_dim, F64Attr:$scale, QIR_F64Default<"0.0">:$softcap,
                       QIR_I64Default<"0">:$window, I64Attr:$cache);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = "$q `,` $k `,` $v attr-dict `:` functional-type(operands, results)";
}

class QIR_GatedOp<string mnemonic, string formula> : QIR_ModelOp<mnemonic> {
  let summary = formula;
  let description = [{
    - (C1) gate, up and y have one shape
  }];
  let arguments = (ins QIR_FloatTensor:$gate, QIR_FloatTensor:$up);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = "$gate `,` $up attr-dict `:` functional-type(operands, results)";
}
def QIR_SwigluOp : QIR_GatedOp<"swiglu", "silu(gate) * up">;
def QIR_GegluOp : QIR_GatedOp<"geglu", "gelu(gate) * up"> {
  let description = [{
    - (C1) gate, up and y have one shape
    - (C2) `approximate` is "none" (exact, by erf) or "tanh"
  }];
  let arguments = (ins QIR_FloatTensor:$gate, QIR_FloatTensor:$up,
                       QIR_StrDefault<"none">:$approximate);
}

def QIR_HadamardOp : QIR_ModelOp<"hadamard"> {
  let summary = "Walsh-Hadamard transform of blocks of the last axis";
  let description = [{
    | operand | shape | element type |
    |---|---|---|
    | x, y | `[..., c * block]` | float |
    | base | `[m, m]` | float |

    Each block is a row vector that is multiplied by base (x) W / sqrt(block): W the Walsh matrix of
    order block / m in natural order, (x) the Kronecker product. With a Hadamard matrix as base, or
    none (m = 1), that is a rotation, without the random signs of `qopt/Quantization/Hadamard.h`.

    - (C1) base is `[m, m]`, and block is m times a power of two
    - (C2) the last dimension of x is a multiple of block
    - (C3) x and y have one shape
  }];
  let arguments = (ins QIR_FloatTensor:$x, Optional<QIR_FloatTensor>:$base, I64Attr:$block);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = [{
    $x (`base` $base^)? attr-dict `:` functional-type(operands, results)
  }];
}

#endif // QOPT_DIALECT_QIR_IR_QIRMODELOPS_TD
