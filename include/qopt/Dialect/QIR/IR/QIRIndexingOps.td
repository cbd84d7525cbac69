//===- QIRIndexingOps.td - Elements by index ---------------------------------------------------===//
#ifndef QOPT_DIALECT_QIR_IR_QIRINDEXINGOPS_TD
#define QOPT_DIALECT_QIR_IR_QIRINDEXINGOPS_TD

include "qopt/Dialect/QIR/IR/QIRDialect.td"

class QIR_IndexingOp<string mnemonic> : QIR_Op<mnemonic, [Pure]> {
}

def QIR_GatherOp : QIR_IndexingOp<"gather"> {
  let summary = "Slices of x along one axis, chosen by indices";
  let arguments = (ins QIR_AnyTensor:$x, QIR_IndexTensor:$indices, QIR_I64Default<"0">:$axis);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `,` $indices attr-dict `:` functional-type(operands, results)";
}

def QIR_GatherElementsOp : QIR_IndexingOp<"gather_elements"> {
  let summary = "One element of x per index, along one axis";
  let arguments = (ins QIR_AnyTensor:$x, QIR_IndexTensor:$indices, QIR_I64Default<"0">:$axis);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `,` $indices attr-dict `:` functional-type(operands, results)";
}

def QIR_GatherNdOp : QIR_IndexingOp<"gather_nd"> {
  let summary = "Slices of x, each chosen by an index vector";
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Tensor:$indices, QIR_I64Default<"0">:$batch_dims);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x `,` $indices attr-dict `:` functional-type(operands, results)";
}

def QIR_ScatterNdOp : QIR_IndexingOp<"scatter_nd"> {
  let summary = "x with the slices chosen by index vectors replaced, or combined by `reduction`";
  let arguments = (ins QIR_AnyTensor:$x, QIR_I64Tensor:$indices, QIR_AnyTensor:$updates,
                       QIR_StrDefault<"none">:$reduction);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = [{
    $x `,` $indices `,` $updates attr-dict `:` functional-type(operands, results)
  }];
}

def QIR_PadOp : QIR_IndexingOp<"pad"> {
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
  let arguments = (ins QIR_AnyTensor:$x, Optional<QIR_I64Tensor>:$k, QIR_I64Default<"1">:$upper);
  let results = (outs QIR_AnyTensor:$y);
  let assemblyFormat = "$x (`k` $k^)? attr-dict `:` functional-type(operands, results)";
}

def QIR_NonZeroOp : QIR_IndexingOp<"non_zero"> {
  let summary = "Indices of the elements that are not zero, [rank, count]";
  let arguments = (ins QIR_AnyTensor:$x);
  let results = (outs QIR_I64Tensor:$indices);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

#endif // QOPT_DIALECT_QIR_IR_QIRINDEXINGOPS_TD
