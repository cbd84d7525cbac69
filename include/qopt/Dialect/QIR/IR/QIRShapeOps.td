//===- QIRShapeOps.td - Shapes and rearrangement of whole axes ---------------------------------===//
#ifndef QOPT_DIALECT_QIR_IR_QIRSHAPEOPS_TD
#define QOPT_DIALECT_QIR_IR_QIRSHAPEOPS_TD

include "qopt/Dialect/QIR/IR/QIRDialect.td"

class QIR_ShapeOp<string mnemonic, list<Trait> traits = []>
    : QIR_Op<mnemonic, !listconcat([Pure], traits)> {
  let hasVerifier = 1;
}

def QIR_ShapeOfOp : QIR_ShapeOp<"shape_of"> {
  let summary = "Dimensions start .. end of x";
  let description = [{
    Negative start and end count from the rank; without `end`, up to the last.

    - (C1) the result is `[end - start]`
  }];
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Default<"0">:$start, OptionalAttr<I64Attr>:$end);
  let results = (outs QIR_I64Tensor:$shape);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def QIR_SizeOfOp : QIR_ShapeOp<"size_of"> {
  let summary = "Number of elements of x, a scalar";
  let description = [{
    - (C1) the result has rank 0
  }];
  let arguments = (ins QIR_AnyTensor:$x);
  let results = (outs QIR_I64Tensor:$size);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def QIR_RangeOp : QIR_ShapeOp<"range"> {
  let summary = "start, start + delta, ... below limit";
  let description = [{
    - (C1) operands have one element each
    - (C2) y has rank 1
    - (C3) operands and y have one element type
  }];
  let arguments = (ins QIR_NumberTensor:$start, QIR_NumberTensor:$limit, QIR_NumberTensor:$delta);
  let results = (outs QIR_NumberTensor:$y);
  let assemblyFormat = "$start `,` $limit `,` $delta attr-dict `:` functional-type(operands, results)";
}

def QIR_FullOp : QIR_ShapeOp<"full"> {
  let summary = "A tensor of the given shape with one value everywhere";
  let description = [{
    - (C1) shape has rank 1 and as many entries as y has dimensions
    - (C2) value has one element, of the element type of y
  }];
  let arguments = (ins QIR_I64Tensor:$shape, QIR_AnyTensor:$value);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$shape `,` $value attr-dict `:` functional-type(operands, results)";
}

def QIR_ReshapeOp : QIR_ShapeOp<"reshape"> {
  let summary = "Same elements in row-major order, another shape";
  let description = [{
    An entry of -1 is computed; 0 copies the dimension of x, unless allowzero.

    - (C1) shape has rank 1 and as many entries as y has dimensions
    - (C2) x and y have as many elements
    - (C3) allowzero is 0 or 1
    - (C4) x and y have one element type
  }];
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Tensor:$shape, QIR_I64Default<"0">:$allowzero);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `,` $shape attr-dict `:` functional-type(operands, results)";
}

def QIR_FlattenOp : QIR_ShapeOp<"flatten"> {
  let summary = "A matrix: the axes before `axis` by the axes from it on";
  let description = [{
    - (C1) axis is inside the rank, or equal to it
    - (C2) y is the matrix of that cut
    - (C3) x and y have one element type
  }];
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Default<"1">:$axis);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def QIR_TransposeOp : QIR_ShapeOp<"transpose"> {
  let summary = "Axis i of the result is axis perm[i] of x";
  let description = [{
    - (C1) perm is a permutation of the axes
    - (C2) y has the dimensions of x in that order
    - (C3) x and y have one element type
  }];
  let arguments = (ins QIR_AnyTensor:$x, DenseI64ArrayAttr:$perm);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `perm` $perm attr-dict `:` functional-type(operands, results)";
}

def QIR_SqueezeOp : QIR_ShapeOp<"squeeze"> {
  let summary = "Drops axes of size 1 (`axes` empty: all of them)";
  let description = [{
    - (C1) axes are distinct, inside the rank, and of size 1
    - (C2) y is x without them
    - (C3) x and y have one element type
  }];
  let arguments = (ins QIR_AnyTensor:$x, DenseI64ArrayAttr:$axes);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `axes` $axes attr-dict `:` functional-type(operands, results)";
}

def QIR_UnsqueezeOp : QIR_ShapeOp<"unsqueeze"> {
  let description = [{
    - (C1) axes are distinct and inside the rank of y
    - (C2) y is x with size 1 there
    - (C3) x and y have one element type
  }];
  let summary = "Inserts axes of size 1; `axes` are positions in the result";
  let arguments = (ins QIR_AnyTensor:$x, DenseI64ArrayAttr:$axes);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `axes` $axes attr-dict `:` functional-type(operands, results)";
}

def QIR_ExpandOp : QIR_ShapeOp<"expand"> {
  let summary = "Broadcast of x with a shape";
  let description = [{
    - (C1) shape has rank 1
    - (C2) y has the larger of both ranks, and dimensions of x that are not 1 keep their size
    - (C3) x and y have one element type
  }];
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Tensor:$shape);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `,` $shape attr-dict `:` functional-type(operands, results)";
}

def QIR_TileOp : QIR_ShapeOp<"tile"> {
  let summary = "x repeated along every axis";
  let description = [{
    - (C1) repeats has one entry per axis
    - (C2) x and y have one rank and element type
  }];
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Tensor:$repeats);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `,` $repeats attr-dict `:` functional-type(operands, results)";
}

def QIR_ConcatOp : QIR_ShapeOp<"concat"> {
  let summary = "Tensors joined along one axis";
  let description = [{
    - (C1) at least one operand, all of one rank and element type
    - (C2) axis is inside the rank
    - (C3) operands agree outside the axis, and y is their sum along it
  }];
  let arguments = (ins Variadic<QIR_AnyTensor>:$inputs, I64Attr:$axis);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$inputs attr-dict `:` functional-type(operands, results)";
}

def QIR_SplitOp : QIR_ShapeOp<"split"> {
  let summary = "A tensor cut into pieces along one axis";
  let description = [{
    - (C1) one size per result, each at least 0
    - (C2) axis is inside the rank
    - (C3) the sizes add up to the axis
    - (C4) results are x with their size along the axis
  }];
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Default<"0">:$axis, DenseI64ArrayAttr:$sizes);
  let results = (outs Variadic<QIR_AnyTensor>:$outputs);
  let assemblyFormat = "$x `sizes` $sizes attr-dict `:` functional-type(operands, results)";
}

def QIR_SliceOp : QIR_ShapeOp<"slice"> {
  let summary = "x[start:end:step] on the given axes";
  let description = [{
    Negative indices count from the end and out-of-range ones are clamped, as in ONNX.

    - (C1) starts and ends have rank 1 and one entry per axis
    - (C2) axes are distinct and inside the rank
    - (C3) one step per axis, none of them 0
    - (C4) y has the dimensions of x outside the axes
    - (C5) x and y have one element type
  }];
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Tensor:$starts, QIR_I64Tensor:$ends,
                       DenseI64ArrayAttr:$axes, DenseI64ArrayAttr:$steps);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = [{
    $x `,` $starts `,` $ends `axes` $axes `steps` $steps attr-dict `:`
    functional-type(operands, results)
  }];
}

#endif // QOPT_DIALECT_QIR_IR_QIRSHAPEOPS_TD
