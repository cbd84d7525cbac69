//===- QIRReductionOps.td - Contractions: matmul, softmax, sums --------------------------------===//
#ifndef QOPT_DIALECT_QIR_IR_QIRREDUCTIONOPS_TD
#define QOPT_DIALECT_QIR_IR_QIRREDUCTIONOPS_TD

include "qopt/Dialect/QIR/IR/QIRDialect.td"

def QIR_MatmulOp : QIR_Op<"matmul", [Pure]> {
  let summary = "Matrix product with numpy semantics";
  let hasVerifier = 1;
  let description = [{
    `y[..., m, n] = sum over k of a[..., m, k] * b[..., k, n]`; a vector is a row of a, a column of b.

    - (C1) a and b agree in K
    - (C2) batch dimensions broadcast, y is `[batch..., M, N]`
    - (C3) a, b and y have one element type
  }];
  let arguments = (ins QIR_NumberTensor:$a, QIR_NumberTensor:$b);
  let results = (outs QIR_NumberTensor:$y);
  let assemblyFormat = "$a `,` $b attr-dict `:` functional-type(operands, results)";
}

def QIR_EinsumOp : QIR_Op<"einsum", [Pure]> {
  let summary = "Einstein summation";
  let hasVerifier = 1;
  let description = [{
    - (C1) the equation has one term per operand, and a result term
    - (C2) operands and y have one element type
  }];
  let arguments = (ins Variadic<QIR_NumberTensor>:$inputs, StrAttr:$equation);
  let results = (outs QIR_NumberTensor:$y);
  let assemblyFormat = "$equation $inputs attr-dict `:` functional-type(operands, results)";
}

class QIR_SoftmaxLikeOp<string mnemonic, string formula> : QIR_Op<mnemonic, [Pure]> {
  let summary = formula # " along one axis";
  let hasVerifier = 1;
  let description = [{
    - (C1) axis is inside the rank
    - (C2) x and y have one shape and element type
  }];
  let arguments = (ins QIR_FloatTensor:$x, QIR_I64Default<"-1">:$axis);
  let results = (outs QIR_FloatTensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}
def QIR_SoftmaxOp : QIR_SoftmaxLikeOp<"softmax", "e^x / sum(e^x)">;
def QIR_LogSoftmaxOp : QIR_SoftmaxLikeOp<"log_softmax", "x - log(sum(e^x))">;

def QIR_ReduceMeanOp : QIR_ReduceOp<"reduce_mean", "mean">;
def QIR_ReduceSumOp : QIR_ReduceOp<"reduce_sum", "sum">;
def QIR_ReduceMaxOp : QIR_ReduceOp<"reduce_max", "maximum", QIR_AnyTensor>;
def QIR_ReduceMinOp : QIR_ReduceOp<"reduce_min", "minimum", QIR_AnyTensor>;
def QIR_ReduceProdOp : QIR_ReduceOp<"reduce_prod", "product">;
def QIR_ReduceL2Op : QIR_ReduceOp<"reduce_l2", "square root of the sum of squares">;

def QIR_ArgMaxOp : QIR_Op<"arg_max", [Pure]> {
  let summary = "Index of the largest element along one axis";
  let hasVerifier = 1;
  let description = [{
    - (C1) axis is inside the rank
    - (C2) y is x without the axis, or with size 1 there
    - (C3) keepdims and select_last are 0 or 1
  }];
  let arguments = (ins QIR_NumberTensor:$x, QIR_I64Default<"0">:$axis,
                       QIR_I64Default<"1">:$keepdims, QIR_I64Default<"0">:$select_last);
  let results = (outs QIR_I64Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def QIR_TopKOp : QIR_Op<"top_k", [Pure]> {
  let summary = "The k largest (smallest) elements along one axis, sorted, with their indices";
  let hasVerifier = 1;
  let description = [{
    - (C1) axis is inside the rank
    - (C2) k has one element
    - (C3) values and indices have the shape of x outside the axis
    - (C4) values have the element type of x
  }];
  let arguments = (ins QIR_NumberTensor:$x, QIR_I64Tensor:$k, QIR_I64Default<"-1">:$axis,
                       QIR_I64Default<"1">:$largest);
  let results = (outs QIR_NumberTensor:$values, QIR_I64Tensor:$indices);
  let assemblyFormat = "$x `,` $k attr-dict `:` functional-type(operands, results)";
}

def QIR_CumsumOp : QIR_Op<"cumsum", [Pure]> {
  let summary = "Running sum along one axis";
  let hasVerifier = 1;
  let description = [{
    - (C1) axis is inside the rank
    - (C2) x and y have one shape and element type
    - (C3) exclusive and reverse are 0 or 1
  }];
  let arguments = (ins QIR_NumberTensor:$x, I64Attr:$axis, QIR_I64Default<"0">:$exclusive,
                       QIR_I64Default<"0">:$reverse);
  let results = (outs QIR_NumberTensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

#endif // QOPT_DIALECT_QIR_IR_QIRREDUCTIONOPS_TD
