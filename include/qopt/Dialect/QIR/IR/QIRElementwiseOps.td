//===- QIRElementwiseOps.td - One number in, one number out ------------------------------------===//
#ifndef QOPT_DIALECT_QIR_IR_QIRELEMENTWISEOPS_TD
#define QOPT_DIALECT_QIR_IR_QIRELEMENTWISEOPS_TD

include "qopt/Dialect/QIR/IR/QIRDialect.td"

def QIR_NegOp : QIR_UnaryOp<"neg", "-x">;
def QIR_AbsOp : QIR_UnaryOp<"abs", "|x|">;
def QIR_SignOp : QIR_UnaryOp<"sign", "-1, 0 or 1">;
def QIR_ReluOp : QIR_UnaryOp<"relu", "max(x, 0)">;
def QIR_SqrtOp : QIR_UnaryOp<"sqrt", "square root of x", QIR_FloatTensor>;
def QIR_ReciprocalOp : QIR_UnaryOp<"reciprocal", "1 / x", QIR_FloatTensor>;
def QIR_ExpOp : QIR_UnaryOp<"exp", "e^x", QIR_FloatTensor>;
def QIR_LogOp : QIR_UnaryOp<"log", "natural logarithm of x", QIR_FloatTensor>;
def QIR_ErfOp : QIR_UnaryOp<"erf", "Gauss error function", QIR_FloatTensor>;
def QIR_TanhOp : QIR_UnaryOp<"tanh", "tanh(x)", QIR_FloatTensor>;
def QIR_SigmoidOp : QIR_UnaryOp<"sigmoid", "1 / (1 + e^-x)", QIR_FloatTensor>;
def QIR_CosOp : QIR_UnaryOp<"cos", "cos(x)", QIR_FloatTensor>;
def QIR_SinOp : QIR_UnaryOp<"sin", "sin(x)", QIR_FloatTensor>;
def QIR_FloorOp : QIR_UnaryOp<"floor", "largest integer <= x", QIR_FloatTensor>;
def QIR_CeilOp : QIR_UnaryOp<"ceil", "smallest integer >= x", QIR_FloatTensor>;
def QIR_RoundOp : QIR_UnaryOp<"round", "nearest integer, ties to even", QIR_FloatTensor>;
def QIR_SoftplusOp : QIR_UnaryOp<"softplus", "log(1 + e^x)", QIR_FloatTensor>;
def QIR_SiluOp : QIR_UnaryOp<"silu", "x * sigmoid(x)", QIR_FloatTensor>;
def QIR_NotOp : QIR_UnaryOp<"not", "logical negation", QIR_BoolTensor>;
def QIR_IsNanOp : QIR_UnaryOp<"is_nan", "x is NaN", QIR_FloatTensor, QIR_BoolTensor>;
def QIR_IsInfOp : QIR_UnaryOp<"is_inf", "x is +Inf or -Inf", QIR_FloatTensor, QIR_BoolTensor>;
def QIR_IdentityOp : QIR_UnaryOp<"identity", "x", QIR_AnyTensor>;

def QIR_GeluOp : QIR_UnaryOp<"gelu", "x * Phi(x)", QIR_FloatTensor> {
  let description = [{
    - (C1) x and y have one shape and element type
    - (C2) `approximate` is "none" (exact, by erf) or "tanh"
  }];
  let arguments = (ins QIR_FloatTensor:$x, QIR_StrDefault<"none">:$approximate);
}
def QIR_QuickGeluOp : QIR_UnaryOp<"quick_gelu", "x * sigmoid(alpha * x)", QIR_FloatTensor> {
  let arguments = (ins QIR_FloatTensor:$x, QIR_F64Default<"1.702">:$alpha);
}
def QIR_SoftcapOp : QIR_UnaryOp<"softcap", "cap * tanh(x / cap)", QIR_FloatTensor> {
  let description = [{
    - (C1) x and y have one shape and element type
    - (C2) cap is positive
  }];
  let arguments = (ins QIR_FloatTensor:$x, F64Attr:$cap);
}
def QIR_CastOp : QIR_UnaryOp<"cast", "conversion to the result's element type", QIR_AnyTensor> {
  let description = [{
    Float to integer truncates and saturates; to i1 is `x != 0`.

    - (C1) x and y have one shape
  }];
}

def QIR_AddOp : QIR_BinaryOp<"add", "a + b">;
def QIR_SubOp : QIR_BinaryOp<"sub", "a - b">;
def QIR_MulOp : QIR_BinaryOp<"mul", "a * b">;
def QIR_DivOp : QIR_BinaryOp<"div", "a / b; integers truncate towards zero">;
def QIR_MinOp : QIR_BinaryOp<"min", "minimum">;
def QIR_MaxOp : QIR_BinaryOp<"max", "maximum">;
def QIR_ModOp : QIR_BinaryOp<"mod", "remainder; sign of b, of a with fmod"> {
  let description = [{
    - (C1) shapes broadcast to that of y
    - (C2) a and b have one element type
    - (C3) y has the element type of a
    - (C4) fmod is 0 or 1
  }];
  let arguments = (ins QIR_NumberTensor:$a, QIR_NumberTensor:$b, QIR_I64Default<"0">:$fmod);
}
def QIR_PowOp : QIR_BinaryOp<"pow", "a ^ b; b may have another element type"> {
  let description = [{
    - (C1) shapes broadcast to that of y
    - (C2) y has the element type of a
  }];
}

def QIR_EqualOp : QIR_BinaryOp<"equal", "a == b", QIR_AnyTensor, QIR_BoolTensor>;
def QIR_LessOp : QIR_BinaryOp<"less", "a < b", QIR_NumberTensor, QIR_BoolTensor>;
def QIR_LessEqualOp : QIR_BinaryOp<"less_equal", "a <= b", QIR_NumberTensor, QIR_BoolTensor>;
def QIR_GreaterOp : QIR_BinaryOp<"greater", "a > b", QIR_NumberTensor, QIR_BoolTensor>;
def QIR_GreaterEqualOp : QIR_BinaryOp<"greater_equal", "a >= b", QIR_NumberTensor, QIR_BoolTensor>;
def QIR_AndOp : QIR_BinaryOp<"and", "logical and", QIR_BoolTensor>;
def QIR_OrOp : QIR_BinaryOp<"or", "logical or", QIR_BoolTensor>;
def QIR_XorOp : QIR_BinaryOp<"xor", "logical exclusive or", QIR_BoolTensor>;

def QIR_WhereOp : QIR_Op<"where", [Pure]> {
  let summary = "condition ? a : b, element by element, with broadcasting";
  let hasVerifier = 1;
  let description = [{
    | operand | shape | element type |
    |---|---|---|
    | condition | broadcast to y | i1 |
    | a, b | broadcast to y | that of y |

    - (C1) shapes broadcast to that of y
    - (C2) a, b and y have one element type
  }];
  let arguments = (ins QIR_BoolTensor:$condition, QIR_AnyTensor:$a, QIR_AnyTensor:$b);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$condition `,` $a `,` $b attr-dict `:` functional-type(operands, results)";
}

def QIR_ClipOp : QIR_Op<"clip", [Pure, AttrSizedOperandSegments]> {
  let summary = "min(max(x, lower), upper)";
  let hasVerifier = 1;
  let description = [{
    - (C1) x and y have one shape and element type
    - (C2) bounds have one element, of the element type of x
  }];
  let arguments = (ins QIR_NumberTensor:$x, Optional<QIR_NumberTensor>:$min,
                       Optional<QIR_NumberTensor>:$max);
  let results = (outs QIR_NumberTensor:$y);
  let assemblyFormat = [{
    $x (`min` $min^)? (`max` $max^)? attr-dict `:` functional-type(operands, results)
  }];
}

#endif // QOPT_DIALECT_QIR_IR_QIRELEMENTWISEOPS_TD
