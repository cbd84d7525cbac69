//===- QExecOps.td - Instructions of a .qmod program -------------------------------------------===//
#ifndef QOPT_DIALECT_QEXEC_IR_QEXECOPS_TD
#define QOPT_DIALECT_QEXEC_IR_QEXECOPS_TD

include "qopt/Dialect/QExec/IR/QExecDialect.td"

// --- Tensors -----------------------------------------------------------------------------------

def QExec_WeightOp : QExec_Op<"weight"> {
  let summary = "A matrix [N, K] that is stored packed";
  let description = [{
    | attribute | shape | type |
    |---|---|---|
    | `value` | `[N, K]` | floats, or ui8 codes |
    | `scales` | `[N, G]` | f16 or f32, codes only |
    | `zero_points` | `[N, G]` | ui8, codes only, absent: 2^(bits-1) |

    `format` is the stored format: `f32`, `f16`, `bf16` (float values are rounded to it when the file
    is written), `u8`, `u4`, `u3`, `u2`. `sources` lists the initializers that it is known by in the
    ONNX file: a list of `{name, transposed}`.

    - (C1) value is `[N, K]` of the result type
    - (C2) float formats have float values and no scales; code formats ui8 values and scales
    - (C3) scales and zero points are `[N, G]`, G = ceil(K / group_size), 1 for group_size 0
  }];
  let arguments = (ins StrAttr:$name, StrAttr:$format, ElementsAttr:$value,
                       OptionalAttr<ElementsAttr>:$scales, OptionalAttr<ElementsAttr>:$zero_points,
                       DefaultValuedAttr<I64Attr, "0">:$group_size, ArrayAttr:$sources,
                       OptionalAttr<StrAttr>:$scheme, OptionalAttr<F64Attr>:$rms_error);
  let results = (outs QExec_WeightType:$result);
  let assemblyFormat = [{
    $name `format` $format `value` $value (`scales` $scales^)? (`zero_points` $zero_points^)?
    attr-dict `:` type($result)
  }];
  let hasVerifier = 1;
}

def QExec_TensorOp : QExec_Op<"tensor", [AllTypesMatch<["value", "result"]>]> {
  let summary = "A tensor that is stored as it is: norm weights, biases, tables, graph constants";
  let arguments = (ins StrAttr:$name, ElementsAttr:$value, ArrayAttr:$sources);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$name attr-dict $value";
}

// --- Instructions of both kinds of program -------------------------------------------------------

def QExec_EmbedOp : QExec_Op<"embed"> {
  let summary = "Rows of a weight: table[ids + offset]";
  let description = [{
    - (C1) a buffer result is as wide as the table's rows
    - (C2) buffers need ids or positions, tensors need a tensor of ids
  }];
  let arguments = (ins QExec_WeightType:$table,
                       AnyTypeOf<[QExec_IdsType, QExec_PositionsType, AnyTensor]>:$ids,
                       DefaultValuedAttr<I64Attr, "0">:$offset, OptionalAttr<I64Attr>:$arena);
  let results = (outs QExec_Activation:$result);
  let assemblyFormat = [{
    $table `,` $ids (`at` $arena^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QExec_LinearOp : QExec_Op<"linear", [AttrSizedOperandSegments]> {
  let summary = "x w^T + bias";
  let description = [{
    `activation`: `f32`, or `a16`/`a8` for 16- and 8-bit fixed point inputs. `alternate`: the weight of
    the second set, which the runtime reads instead, with f32 activations, for tokens that ask for it.
    `outliers`: rows, columns and values of a sparse matrix that is added to the weight.
    `activation_scales`: static scales of `a8`.

    - (C1) x is K wide, the result N wide, for a weight of [N, K]
    - (C2) the bias has N entries
    - (C3) activation is "f32", "a16" or "a8"
    - (C4) x and result are both buffers over the same rows, or both tensors
    - (C5) the alternate has the shape of the weight, and x is a buffer
    - (C6) outliers are none, or three tensors
    - (C7) only `a8` has activation_scales
  }];
  let arguments = (ins QExec_Activation:$x, QExec_WeightType:$weight, Optional<QExec_Vector>:$bias,
                       Optional<QExec_WeightType>:$alternate, Variadic<AnyTensor>:$outliers,
                       DefaultValuedStrAttr<StrAttr, "f32">:$activation,
                       OptionalAttr<DenseF64ArrayAttr>:$activation_scales,
                       OptionalAttr<I64Attr>:$arena);
  let results = (outs QExec_Activation:$result);
  let assemblyFormat = [{
    $x `,` $weight (`bias` $bias^)? (`alternate` $alternate^)? (`outliers` $outliers^)?
    (`at` $arena^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

// --- Token-major instructions ----------------------------------------------------------------------

def QExec_RmsNormOp : QExec_Op<"rms_norm", [QExec_InPlace]> {
  let summary = "x / sqrt(mean(x^2) + epsilon) * weight over chunks of len(weight) features";
  let description = [{
    - (C1) the width is a multiple of the length of the weight
    - (C2) the result has the type of x
  }];
  let arguments = (ins QExec_BufferType:$x, QExec_Vector:$weight, F64Attr:$epsilon,
                       OptionalAttr<I64Attr>:$arena);
  let results = (outs QExec_BufferType:$result);
  let assemblyFormat = [{
    $x `,` $weight (`at` $arena^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QExec_LayerNormOp : QExec_Op<"layer_norm", [QExec_InPlace]> {
  let summary = "(x - mean) / sqrt(variance + epsilon) * weight + bias";
  let description = [{
    - (C1) the width is a multiple of the length of the weight
    - (C2) the result has the type of x
    - (C3) bias and weight have one length
  }];
  let arguments = (ins QExec_BufferType:$x, QExec_Vector:$weight, Optional<QExec_Vector>:$bias,
                       F64Attr:$epsilon, OptionalAttr<I64Attr>:$arena);
  let results = (outs QExec_BufferType:$result);
  let assemblyFormat = [{
    $x `,` $weight (`bias` $bias^)? (`at` $arena^)? attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QExec_RopeOp : QExec_Op<"rope", [QExec_InPlace]> {
  let summary = "Rotates the first 2 len(inv_freq) features of each head by position * inv_freq";
  let description = [{
    - (C1) the width is a multiple of head_dim
    - (C2) inv_freq has at most head_dim / 2 entries
    - (C3) x has all rows, and the result the type of x
  }];
  let arguments = (ins QExec_BufferType:$x, QExec_PositionsType:$positions, QExec_Vector:$inv_freq,
                       I64Attr:$head_dim, DefaultValuedAttr<I64Attr, "0">:$interleaved,
                       DefaultValuedAttr<F64Attr, "1.0">:$scaling, OptionalAttr<I64Attr>:$arena);
  let results = (outs QExec_BufferType:$result);
  let assemblyFormat = [{
    $x `,` $positions `,` $inv_freq (`at` $arena^)? attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QExec_AttentionOp : QExec_Op<"attention"> {
  let summary = "Appends k and v to a cache, then attends causally over it";
  let description = [{
    | operand | width |
    |---|---|
    | q | num_heads * head_dim |
    | k | kv_heads * head_dim |
    | v | kv_heads * value_dim |
    | balance | kv_heads * head_dim, optional |
    | result | num_heads * value_dim |

    balance: caches of codes store k / balance and multiply q by it (kernels/cpu/attention/attention.h).

    - (C1) widths as in the table, all rows
    - (C2) num_heads is a multiple of kv_heads
    - (C3) no other attention of the function uses the cache
  }];
  let arguments = (ins QExec_BufferType:$q, QExec_BufferType:$k, QExec_BufferType:$v,
                       Optional<QExec_Vector>:$balance, I64Attr:$num_heads, I64Attr:$kv_heads, I64Attr:$head_dim,
                       I64Attr:$value_dim, I64Attr:$cache, F64Attr:$scale,
                       DefaultValuedAttr<F64Attr, "0.0">:$softcap,
                       DefaultValuedAttr<I64Attr, "0">:$window, OptionalAttr<I64Attr>:$arena);
  let results = (outs QExec_BufferType:$result);
  let assemblyFormat = [{
    $q `,` $k `,` $v (`balance` $balance^)? `cache` $cache (`at` $arena^)? attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QExec_GatedActivationOp : QExec_Op<"gated_activation", [QExec_InPlace]> {
  let summary = "kind(gate) * up";
  let description = [{
    - (C1) kind is silu, gelu, gelu_tanh, quick_gelu, relu or sigmoid
    - (C2) gate, up and result have one type
  }];
  let arguments = (ins QExec_BufferType:$gate, QExec_BufferType:$up, StrAttr:$kind,
                       OptionalAttr<I64Attr>:$arena);
  let results = (outs QExec_BufferType:$result);
  let assemblyFormat = [{
    $kind $gate `,` $up (`at` $arena^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QExec_UnaryOp : QExec_Op<"unary", [QExec_InPlace]> {
  let summary = "kind(x), element by element";
  let description = [{
    - (C1) kind is gelu, gelu_tanh, quick_gelu, silu, relu, tanh, sigmoid or softcap
    - (C2) softcap, and only it, has a positive `cap`: cap * tanh(x / cap)
    - (C3) x and result have one type
  }];
  let arguments = (ins QExec_BufferType:$x, StrAttr:$kind, OptionalAttr<F64Attr>:$cap,
                       OptionalAttr<I64Attr>:$arena);
  let results = (outs QExec_BufferType:$result);
  let assemblyFormat = [{
    $kind $x (`at` $arena^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QExec_BinaryOp : QExec_Op<"binary", [QExec_InPlace]> {
  let summary = "kind(a, b), element by element; b may be a row or a scalar";
  let description = [{
    With `swapped`, kind(b, a): for `1 - x` and the like.

    - (C1) kind is add, sub, mul or div
    - (C2) b has the type of a, or is a tensor with 1 or `width` elements
    - (C3) the result has the type of a
    - (C4) swapped is 0 or 1
  }];
  let arguments = (ins QExec_BufferType:$a, AnyTypeOf<[QExec_BufferType, QExec_Vector]>:$b,
                       StrAttr:$kind, DefaultValuedAttr<I64Attr, "0">:$swapped,
                       OptionalAttr<I64Attr>:$arena);
  let results = (outs QExec_BufferType:$result);
  let assemblyFormat = [{
    $kind $a `,` $b (`at` $arena^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QExec_CopyColumnsOp : QExec_Op<"copy_columns"> {
  let summary = "Columns [start, start + size) of each operand side by side: slice and concat";
  let description = [{
    - (C1) one start and one size per operand
    - (C2) the columns lie inside their operand
    - (C3) the result is as wide as the sizes together, over the rows of the operands
  }];
  let arguments = (ins Variadic<QExec_BufferType>:$inputs, DenseI64ArrayAttr:$starts,
                       DenseI64ArrayAttr:$sizes, OptionalAttr<I64Attr>:$arena);
  let results = (outs QExec_BufferType:$result);
  let assemblyFormat = [{
    $inputs `starts` $starts `sizes` $sizes (`at` $arena^)? attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def QExec_SelectRowsOp : QExec_Op<"select_rows"> {
  let summary = "Keeps the rows whose logits were asked for";
  let description = "- (C1) from all rows to selected rows of the same width";
  let arguments = (ins QExec_BufferType:$x, OptionalAttr<I64Attr>:$arena);
  let results = (outs QExec_BufferType:$result);
  let assemblyFormat = "$x (`at` $arena^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def QExec_HadamardOp : QExec_Op<"hadamard"> {
  let summary = "Each block of features times base (x) W / sqrt(block), W a Walsh matrix";
  let description = [{
    Kernel and formula: `kernels/cpu/hadamard/hadamard.h`. Without base, W alone.

    - (C1) base is `[m, m]`, and block is m times a power of two
    - (C2) the width is a multiple of block
    - (C3) x and result have one type
  }];
  let arguments = (ins QExec_BufferType:$x, Optional<QExec_Vector>:$base, I64Attr:$block,
                       OptionalAttr<I64Attr>:$arena);
  let results = (outs QExec_BufferType:$result);
  let assemblyFormat = [{
    $x (`base` $base^)? (`at` $arena^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

// --- Generic instruction ---------------------------------------------------------------------------

def QExec_TensorInstructionOp : QExec_Op<"tensor_op"> {
  let summary = "One op of the low half of qir, evaluated by the runtime's tensor library";
  let description = [{
    `op` is the qir mnemonic, `attrs` its attributes; `absent` lists the operand positions of optional
    operands that are not there.

    - (C1) positions of absent operands are ascending and inside the operand list
  }];
  let arguments = (ins StrAttr:$op, Variadic<AnyTensor>:$inputs, DictionaryAttr:$attrs,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$absent);
  let results = (outs Variadic<AnyTensor>:$outputs);
  let assemblyFormat = [{
    $op `(` $inputs `)` $attrs attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // QOPT_DIALECT_QEXEC_IR_QEXECOPS_TD
