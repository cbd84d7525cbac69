//===- QIRIndexingOps.td - Elements by index ---------------------------------------------------===//
#ifndef QOPT_DIALECT_QIR_IR_QIRINDEXINGOPS_TD
#define QOPT_DIALECT_QIR_IR_QIRINDEXINGOPS_TD

include "qopt/Dialect/QIR/IR/QIRDialect.td"

class QIR_IndexingOp<string mnemonic> : QIR_Op<mnemonic, [Pure]> {
  let hasVerifier = 1;
}

def QIR_GatherOp : QIR_IndexingOp<"gather"> {
  let summary = "Slices of x along one axis, chosen by indices";
  let description = [{
    `y = x[:axis] + indices + x[axis + 1:]` in shapes; negative indices count from the end.

    - (C1) axis is inside the rank
    - (C2) y has that shape
    - (C3) x and y have one element type
  }];
  let arguments = (ins QIR_AnyTensor:$x, QIR_IndexTensor:$indices, QIR_I64Default<"0">:$axis);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `,` $indices attr-dict `:` functional-type(operands, results)";
}

def QIR_GatherElementsOp : QIR_IndexingOp<"gather_elements"> {
  let summary = "One element of x per index, along one axis";
  let description = [{
    - (C1) axis is inside the rank
    - (C2) x and indices have one rank, y the shape of indices
    - (C3) x and y have one element type
  }];
  let arguments = (ins QIR_AnyTensor:$x, QIR_IndexTensor:$indices, QIR_I64Default<"0">:$axis);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `,` $indices attr-dict `:` functional-type(operands, results)";
}

def QIR_GatherNdOp : QIR_IndexingOp<"gather_nd"> {
  let summary = "Slices of x, each chosen by an index vector";
  let description = [{
    - (C1) batch_dims is at least 0 and below both ranks
    - (C2) y has rank `rank(x) + rank(indices) - batch_dims - 1 - last dimension of indices`
    - (C3) x and y have one element type
  }];
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Tensor:$indices, QIR_I64Default<"0">:$batch_dims);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `,` $indices attr-dict `:` functional-type(operands, results)";
}

def QIR_ScatterNdOp : QIR_IndexingOp<"scatter_nd"> {
  let summary = "x with the slices chosen by index vectors replaced, or combined by `reduction`";
  let description = [{
    - (C1) reduction is none, add, mul, min or max
    - (C2) x and y have one shape and element type
    - (C3) updates have the element type of x
  }];
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Tensor:$indices, QIR_AnyTensor:$updates,
                       QIR_StrDefault<"none">:$reduction);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = [{
    $x `,` $indices `,` $updates attr-dict `:` functional-type(operands, results)
  }];
}

def QIR_PadOp : QIR_IndexingOp<"pad"> {
  let description = [{
    - (C1) mode is constant, reflect, edge or wrap
    - (C2) pads has two entries per axis (of all axes, if `axes` is empty)
    - (C3) x and y have one rank and element type
    - (C4) value has one element, of the element type of x
  }];
  let summary = "x with margins; `pads` lists the begins, then the ends, of the given axes";
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Tensor:$pads, Optional<QIR_AnyTensor>:$value,
                       QIR_StrDefault<"constant">:$mode, DenseI64ArrayAttr:$axes);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = [{
    $x `,` $pads (`value` $value^)? `axes` $axes attr-dict `:` functional-type(operands, results)
  }];
}

def QIR_TriluOp : QIR_IndexingOp<"trilu"> {
  let summary = "Upper or lower triangle of the last two axes, zero elsewhere";
  let description = [{
    - (C1) x has rank 2 or more
    - (C2) x and y have one shape and element type
    - (C3) k has one element
    - (C4) upper is 0 or 1
  }];
  let arguments = (ins QIR_AnyTensor:$x, Optional<QIR_I64Tensor>:$k, QIR_I64Default<"1">:$upper);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x (`k` $k^)? attr-dict `:` functional-type(operands, results)";
}

def QIR_NonZeroOp : QIR_IndexingOp<"non_zero"> {
  let summary = "Indices of the elements that are not zero, [rank, count]";
  let description = [{
    - (C1) the result is `[rank(x), count]`
  }];
  let arguments = (ins QIR_AnyTensor:$x);
  let results = (outs QIR_I64Tensor:$indices);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

#endif // QOPT_DIALECT_QIR_IR_QIRINDEXINGOPS_TD
