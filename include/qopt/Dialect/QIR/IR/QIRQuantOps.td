//===- QIRQuantOps.td - Codes, scales and zero points ------------------------------------------===//
// The arithmetic is defined once, in docs/semantics.md: codes are unsigned, rounding is to the
// nearest, ties to even, and saturation comes before the integer cast.
#ifndef QOPT_DIALECT_QIR_IR_QIRQUANTOPS_TD
#define QOPT_DIALECT_QIR_IR_QIRQUANTOPS_TD

include "qopt/Dialect/QIR/IR/QIRDialect.td"

class QIR_QuantOp<string mnemonic, list<Trait> traits = []>
    : QIR_Op<mnemonic, !listconcat([Pure], traits)> {
  let hasVerifier = 1;
}

def QIR_DequantizeLinearOp : QIR_QuantOp<"dequantize_linear"> {
  let summary = "ONNX DequantizeLinear: (x - zero_point) * scale";
  let description = [{
    - (C1) x and y have one shape
    - (C2) scale has one element, one dimension, or (blocked) the rank of x
    - (C3) the zero point has the shape of scale and the element type of x
    - (C4) block_size is at least 0
  }];
  let arguments = (ins QIR_StoredIntTensor:$x, QIR_FloatTensor:$scale,
                       Optional<QIR_StoredIntTensor>:$zero_point, QIR_I64Default<"1">:$axis,
                       QIR_I64Default<"0">:$block_size);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = [{
    $x `,` $scale (`zero_point` $zero_point^)? attr-dict `:` functional-type(operands, results)
  }];
}

def QIR_QuantizeLinearOp : QIR_QuantOp<"quantize_linear"> {
  let summary = "ONNX QuantizeLinear: saturate(round(x / scale) + zero_point)";
  let description = [{
    - (C1) x and y have one shape
    - (C2) scale has one element, one dimension, or (blocked) the rank of x
    - (C3) the zero point has the shape of scale and the element type of y
    - (C4) block_size is at least 0
  }];
  let arguments = (ins QIR_FloatTensor:$x, QIR_FloatTensor:$scale,
                       Optional<QIR_StoredIntTensor>:$zero_point, QIR_I64Default<"1">:$axis,
                       QIR_I64Default<"0">:$block_size);
  let results = (outs QIR_StoredIntTensor:$y);
  let assemblyFormat = [{
    $x `,` $scale (`zero_point` $zero_point^)? attr-dict `:` functional-type(operands, results)
  }];
}

def QIR_DynamicQuantizeLinearOp : QIR_QuantOp<"dynamic_quantize_linear"> {
  let summary = "ONNX DynamicQuantizeLinear: 8-bit codes, scale and zero point of the whole tensor";
  let description = [{
    - (C1) x and y have one shape
    - (C2) scale and zero point have rank 0
  }];
  let arguments = (ins TensorOf<[F32]>:$x);
  let results = (outs QIR_CodeTensor:$y, TensorOf<[F32]>:$scale, QIR_CodeTensor:$zero_point);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def QIR_MatmulIntegerOp : QIR_QuantOp<"matmul_integer", [AttrSizedOperandSegments]> {
  let summary = "ONNX MatMulInteger: (a - a_zero_point) * (b - b_zero_point) in i32";
  let description = [{
    - (C1) a and b agree in K
    - (C2) batch dimensions broadcast, y is `[batch..., M, N]`
  }];
  let arguments = (ins QIR_StoredIntTensor:$a, QIR_StoredIntTensor:$b,
                       Optional<QIR_StoredIntTensor>:$a_zero_point,
                       Optional<QIR_StoredIntTensor>:$b_zero_point);
  let results = (outs TensorOf<[I32]>:$y);
  let assemblyFormat = [{
    $a `,` $b (`a_zero_point` $a_zero_point^)? (`b_zero_point` $b_zero_point^)? attr-dict `:`
    functional-type(operands, results)
  }];
}

def QIR_DequantizeOp : QIR_QuantOp<"dequantize"> {
  let summary = "Weights from codes: float(q - z) * scale per group of K";
  let description = [{
    | operand | shape | element type |
    |---|---|---|
    | codes | `[N, K]` | ui8, below 2^bits |
    | scales | `[N, G]` | f16, f32 |
    | zero_points | `[N, G]` | ui8; absent: 2^(bits-1) |

    - (C1) codes are `[N, K]`
    - (C2) bits is 2, 3, 4 or 8
    - (C3) group_size is 0 (one group per row), 32, 64 or 128
    - (C4) scales are `[N, G]`, G = ceil(K / group_size)
    - (C5) zero points have the shape of scales
    - (C6) y is `[N, K]`
  }];
  let arguments = (ins QIR_CodeTensor:$codes, QIR_ScaleTensor:$scales,
                       Optional<QIR_CodeTensor>:$zero_points, I64Attr:$bits,
                       QIR_I64Default<"0">:$group_size);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = [{
    $codes `scales` $scales (`zero_points` $zero_points^)? attr-dict `:`
    functional-type(operands, results)
  }];
}

def QIR_QuantizeOp : QIR_QuantOp<"quantize"> {
  let summary = "Codes from weights: clamp(roundTiesEven(x / scale) + z, 0, 2^bits - 1)";
  let description = [{
    - (C1) x and codes are `[N, K]`
    - (C2) bits is 2, 3, 4 or 8
    - (C3) group_size is 0 (one group per row), 32, 64 or 128
    - (C4) scales are `[N, G]`, G = ceil(K / group_size)
    - (C5) zero points have the shape of scales
  }];
  let arguments = (ins QIR_FloatTensor:$x, QIR_ScaleTensor:$scales,
                       Optional<QIR_CodeTensor>:$zero_points, I64Attr:$bits,
                       QIR_I64Default<"0">:$group_size);
  let results = (outs QIR_CodeTensor:$codes);
  let assemblyFormat = [{
    $x `scales` $scales (`zero_points` $zero_points^)? attr-dict `:`
    functional-type(operands, results)
  }];
}

def QIR_QuantizedLinearOp : QIR_QuantOp<"quantized_linear", [AttrSizedOperandSegments]> {
  let summary = "qir.linear with a weight of codes, scales and zero points";
  let description = [{
    | operand | shape | element type |
    |---|---|---|
    | codes | `[N, K]` | ui8, below 2^bits |
    | scales | `[N, G]` | f16, f32 |
    | zero_points | `[N, G]` | ui8; absent: 2^(bits-1) |
    | x | `[..., K]` | float |
    | bias | `[N]` | float |
    | alternate | `[N, K]` | float |

    `alternate` is the weight before it was quantized, stored beside the codes as the file's second
    weight set, in the format that the attribute `qir.alternate` names. The value of the op is that of
    the codes.

    - (C1) codes are `[N, K]`
    - (C2) bits is 2, 3, 4 or 8
    - (C3) group_size is 0 (one group per row), 32, 64 or 128
    - (C4) scales are `[N, G]`, G = ceil(K / group_size)
    - (C5) zero points have the shape of scales
    - (C6) the last dimension of x is K
    - (C7) bias has N elements
    - (C8) y is `[..., N]`
    - (C9) activation is "f32", "a16" or "a8"
    - (C10) the alternate is `[N, K]`
  }];
  let arguments = (ins QIR_FloatTensor:$x, QIR_CodeTensor:$codes, QIR_ScaleTensor:$scales,
                       Optional<QIR_CodeTensor>:$zero_points, Optional<QIR_FloatTensor>:$bias,
                       Optional<QIR_FloatTensor>:$alternate,
                       I64Attr:$bits, QIR_I64Default<"0">:$group_size,
                       QIR_StrDefault<"a16">:$activation);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = [{
    $x `,` $codes `scales` $scales (`zero_points` $zero_points^)? (`bias` $bias^)?
    (`alternate` $alternate^)? attr-dict `:` functional-type(operands, results)
  }];
}

def QIR_QuantizedEmbeddingOp : QIR_QuantOp<"quantized_embedding"> {
  let summary = "qir.embedding with a table of codes, scales and zero points";
  let description = [{
    | operand | shape | element type |
    |---|---|---|
    | codes | `[N, K]` | ui8, below 2^bits |
    | scales | `[N, G]` | f16, f32 |
    | zero_points | `[N, G]` | ui8; absent: 2^(bits-1) |

    - (C1) codes are `[N, K]`
    - (C2) bits is 2, 3, 4 or 8
    - (C3) group_size is 0 (one group per row), 32, 64 or 128
    - (C4) scales are `[N, G]`, G = ceil(K / group_size)
    - (C5) zero points have the shape of scales
    - (C6) y is `[ids..., K]`
    - (C7) offset is at least 0
  }];
  let arguments = (ins QIR_CodeTensor:$codes, QIR_ScaleTensor:$scales,
                       Optional<QIR_CodeTensor>:$zero_points, QIR_IndexTensor:$ids, I64Attr:$bits,
                       QIR_I64Default<"0">:$group_size, QIR_I64Default<"0">:$offset);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = [{
    $codes `scales` $scales (`zero_points` $zero_points^)? `ids` $ids attr-dict `:`
    functional-type(operands, results)
  }];
}

#endif // QOPT_DIALECT_QIR_IR_QIRQUANTOPS_TD
