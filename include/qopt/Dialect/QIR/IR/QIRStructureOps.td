//===- QIRStructureOps.td - constant, if, yield ------------------------------------------------===//
#ifndef QOPT_DIALECT_QIR_IR_QIRSTRUCTUREOPS_TD
#define QOPT_DIALECT_QIR_IR_QIRSTRUCTUREOPS_TD

include "qopt/Dialect/QIR/IR/QIRDialect.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def QIR_ConstantOp : QIR_Op<"constant", [Pure, ConstantLike, AllTypesMatch<["value", "result"]>]> {
  let summary = "A tensor known at compile time";
  let description = [{
    Tensors of more than 64 elements are `dense_resource` blobs that borrow the mapped model file
    (see WeightStore); smaller ones are `dense`. The location is the name of the ONNX initializer.

    - (C1) the value is `dense` or `dense_resource`
    - (C2) a blob holds exactly the bytes of its type
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs QIR_AnyTensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def QIR_IfOp : QIR_Op<"if", [RecursiveMemoryEffects, RecursivelySpeculatable, NoRegionArguments,
                             SingleBlockImplicitTerminator<"::qopt::qir::YieldOp">]> {
  let summary = "One of two graphs, chosen by a condition";
  let description = [{
    Both regions may use values from outside.

    - (C1) the condition has one element
    - (C2) each region yields the types of the results
  }];
  let arguments = (ins QIR_BoolTensor:$condition);
  let results = (outs Variadic<QIR_AnyTensor>:$outputs);
  let regions = (region SizedRegion<1>:$thenRegion, SizedRegion<1>:$elseRegion);
  let assemblyFormat = [{
    $condition attr-dict `:` functional-type(operands, results) $thenRegion `else` $elseRegion
  }];
  let hasVerifier = 1;
}

def QIR_YieldOp : QIR_Op<"yield", [Pure, Terminator, ReturnLike, HasParent<"::qopt::qir::IfOp">]> {
  let summary = "Ends a region of qir.if";
  let arguments = (ins Variadic<QIR_AnyTensor>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
}

#endif // QOPT_DIALECT_QIR_IR_QIRSTRUCTUREOPS_TD
