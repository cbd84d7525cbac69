//===- QIRShapeOps.td - Shapes and rearrangement of whole axes ---------------------------------===//
#ifndef QOPT_DIALECT_QIR_IR_QIRSHAPEOPS_TD
#define QOPT_DIALECT_QIR_IR_QIRSHAPEOPS_TD

include "qopt/Dialect/QIR/IR/QIRDialect.td"

class QIR_ShapeOp<string mnemonic, list<Trait> traits = []>
    : QIR_Op<mnemonic, !listconcat([Pure], traits)> {
}

def QIR_ShapeOfOp : QIR_ShapeOp<"shape_of"> {
  let summary = "Dimensions start .. end of x";
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Default<"0">:$start, OptionalAttr<I64Attr>:$end);
  let results = (outs QIR_I64Tensor:$shape);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def QIR_SizeOfOp : QIR_ShapeOp<"size_of"> {
  let summary = "Number of elements of x, a scalar";
  let arguments = (ins QIR_AnyTensor:$x);
  let results = (outs QIR_I64Tensor:$size);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def QIR_RangeOp : QIR_ShapeOp<"range"> {
  let summary = "start, start + delta, ... below limit";
  let arguments = (ins QIR_NumberTensor:$start, QIR_NumberTensor:$limit, QIR_NumberTensor:$delta);
  let results = (outs QIR_NumberTensor:$y);
  let assemblyFormat = "$start `,` $limit `,` $delta attr-dict `:` functional-type(operands, results)";
}

def QIR_FullOp : QIR_ShapeOp<"full"> {
  let summary = "A tensor of the given shape with one value everywhere";
  let arguments = (ins QIR_I64Tensor:$shape, QIR_AnyTensor:$value);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$shape `,` $value attr-dict `:` functional-type(operands, results)";
}

def QIR_ReshapeOp : QIR_ShapeOp<"reshape"> {
  let summary = "Same elements in row-major order, another shape";
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Tensor:$shape, QIR_I64Default<"0">:$allowzero);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `,` $shape attr-dict `:` functional-type(operands, results)";
}

def QIR_FlattenOp : QIR_ShapeOp<"flatten"> {
  let summary = "A matrix: the axes before `axis` by the axes from it on";
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Default<"1">:$axis);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def QIR_TransposeOp : QIR_ShapeOp<"transpose"> {
  let summary = "Axis i of the result is axis perm[i] of x";
  let arguments = (ins QIR_AnyTensor:$x, DenseI64ArrayAttr:$perm);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `perm` $perm attr-dict `:` functional-type(operands, results)";
}

def QIR_SqueezeOp : QIR_ShapeOp<"squeeze"> {
  let summary = "Drops axes of size 1 (`axes` empty: all of them)";
  let arguments = (ins QIR_AnyTensor:$x, DenseI64ArrayAttr:$axes);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `axes` $axes attr-dict `:` functional-type(operands, results)";
}

def QIR_UnsqueezeOp : QIR_ShapeOp<"unsqueeze"> {
  let summary = "Inserts axes of size 1; `axes` are positions in the result";
  let arguments = (ins QIR_AnyTensor:$x, DenseI64ArrayAttr:$axes);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `axes` $axes attr-dict `:` functional-type(operands, results)";
}

def QIR_ExpandOp : QIR_ShapeOp<"expand"> {
  let summary = "Broadcast of x with a shape";
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Tensor:$shape);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `,` $shape attr-dict `:` functional-type(operands, results)";
}

def QIR_TileOp : QIR_ShapeOp<"tile"> {
  let summary = "x repeated along every axis";
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Tensor:$repeats);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `,` $repeats attr-dict `:` functional-type(operands, results)";
}

def QIR_ConcatOp : QIR_ShapeOp<"concat"> {
  let summary = "Tensors joined along one axis";
  let arguments = (ins Variadic<QIR_AnyTensor>:$inputs, I64Attr:$axis);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$inputs attr-dict `:` functional-type(operands, results)";
}

def QIR_SplitOp : QIR_ShapeOp<"split"> {
  let summary = "A tensor cut into pieces along one axis";
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Default<"0">:$axis, DenseI64ArrayAttr:$sizes);
  let results = (outs Variadic<QIR_AnyTensor>:$outputs);
  let assemblyFormat = "$x `sizes` $sizes attr-dict `:` functional-type(operands, results)";
}

def QIR_SliceOp : QIR_ShapeOp<"slice"> {
  let summary = "x[start:end:step] on the given axes";
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Tensor:$starts, QIR_I64Tensor:$ends,
                       DenseI64ArrayAttr:$axes, DenseI64ArrayAttr:$steps);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = [{
    $x `,` $starts `,` $ends `axes` $axes `steps` $steps attr-dict `:`
    functional-type(operands, results)
  }];
}

#endif // QOPT_DIALECT_QIR_IR_QIRSHAPEOPS_TD
