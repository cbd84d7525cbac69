//===- QIRDialect.td - The qir dialect and its op base classes ---------------------------------===//
// One graph dialect with two halves. Low half: ONNX-like tensor ops in one normalised version each,
// as the importer emits them. High half: the ops a quantizer reasons about (linear, attention, ...),
// as raising produces them. A mnemonic and its attribute names are also the names by which
// lib/Tensor evaluates the op, so both are part of a contract: integers are i64 attributes, floats
// f64, integer lists array<i64>, enumerations strings.
#ifndef QOPT_DIALECT_QIR_IR_QIRDIALECT_TD
#define QOPT_DIALECT_QIR_IR_QIRDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def QIR_Dialect : Dialect {
  let name = "qir";
  let cppNamespace = "::qopt::qir";
  let summary = "Graphs of language models: imported tensor ops and raised model ops";
  let description = [{
    Every value is a builtin tensor; dimensions may be dynamic, and a tensor whose rank the exporter
    did not state may be unranked. Ops are pure. Result types are given by whoever builds the op:
    the verifiers check what can be checked and leave unknown dimensions alone.

    Attributes that the dialect puts on other ops:

    | attribute | on | meaning |
    |---|---|---|
    | `qir.name` | function argument, result | name of the ONNX input or output |
    | `qir.dims` | function argument, result | dimensions as written in the file, decimal or symbolic |
    | `qir.token_major` | function | activations are `[tokens, features]`, attention owns the caches |
    | `qir.transposed` | `qir.constant` | the ONNX initializer is stored `[K, N]`, the constant is `[N, K]` |
    | `qir.aliases` | `qir.constant` | further initializers with the same contents: a list of `{name, transposed}` |
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
  }];
}

class QIR_Op<string mnemonic, list<Trait> traits = []>
    : Op<QIR_Dialect, mnemonic, traits>;

/// Element types of a qir tensor. Quantized codes are ui8, one per element; i1 is a boolean.
def QIR_Float : AnyTypeOf<[F32, F16, BF16, F64]>;
def QIR_Int : AnyTypeOf<[I64, I32, I16, I8, UI8, UI16, UI32, UI64]>;
def QIR_Number : AnyTypeOf<[QIR_Float, QIR_Int]>;
def QIR_Element : AnyTypeOf<[QIR_Float, QIR_Int, I1]>;

def QIR_AnyTensor : TensorOf<[QIR_Element]>;
def QIR_FloatTensor : TensorOf<[QIR_Float]>;
def QIR_NumberTensor : TensorOf<[QIR_Number]>;
def QIR_BoolTensor : TensorOf<[I1]>;
def QIR_I64Tensor : TensorOf<[I64]>;
def QIR_IndexTensor : TensorOf<[I64, I32]>;
def QIR_CodeTensor : TensorOf<[UI8]>;
def QIR_ScaleTensor : TensorOf<[F16, F32]>;
def QIR_StoredIntTensor : TensorOf<[I8, UI8, I16, UI16, I32]>;

class QIR_I64Default<string value> : DefaultValuedAttr<I64Attr, value>;
class QIR_F64Default<string value> : DefaultValuedAttr<F64Attr, value>;
class QIR_StrDefault<string value> : DefaultValuedStrAttr<StrAttr, value>;

/// y = f(x), element by element, same shape.
class QIR_UnaryOp<string mnemonic, string formula, Type input = QIR_NumberTensor,
                  Type output = input, list<Trait> traits = []>
    : QIR_Op<mnemonic, !listconcat([Pure], traits)> {
  let summary = "Elementwise " # formula;
  let description = [{
    - (C1) x and y have one shape and, unless y is a boolean, one element type
  }];
  let arguments = (ins input:$x);
  let results = (outs output:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

/// y = f(a, b) with numpy broadcasting; both operands have one element type.
class QIR_BinaryOp<string mnemonic, string formula, Type input = QIR_NumberTensor,
                   Type output = input, list<Trait> traits = []>
    : QIR_Op<mnemonic, !listconcat([Pure], traits)> {
  let summary = "Elementwise " # formula # ", with broadcasting";
  let description = [{
    - (C1) shapes broadcast to that of y
    - (C2) a and b have one element type
    - (C3) y has the element type of a, unless it is a boolean
  }];
  let arguments = (ins input:$a, input:$b);
  let results = (outs output:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$a `,` $b attr-dict `:` functional-type(operands, results)";
}

/// y = reduction of x over `axes` (empty: all of them).
class QIR_ReduceOp<string mnemonic, string formula, Type input = QIR_NumberTensor>
    : QIR_Op<mnemonic, [Pure]> {
  let summary = "Reduction: " # formula;
  let description = [{
    - (C1) axes are distinct and inside the rank
    - (C2) y is x without the axes, or with size 1 there
    - (C3) keepdims is 0 or 1
    - (C4) x and y have one element type
  }];
  let hasVerifier = 1;
  let arguments = (ins input:$x, DenseI64ArrayAttr:$axes, QIR_I64Default<"1">:$keepdims);
  let results = (outs input:$y);
  let assemblyFormat = "$x `axes` $axes attr-dict `:` functional-type(operands, results)";
}

#endif // QOPT_DIALECT_QIR_IR_QIRDIALECT_TD
