//===- QExecDialect.td - The qexec dialect, its types and op base class ------------------------===//
#ifndef QOPT_DIALECT_QEXEC_IR_QEXECDIALECT_TD
#define QOPT_DIALECT_QEXEC_IR_QEXECDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def QExec_Dialect : Dialect {
  let name = "qexec";
  let cppNamespace = "::qopt::qexec";
  let summary = "Schedules: one op is one instruction of a .qmod program";
  let description = [{
    A function of qexec ops is what a .qmod file stores: `qexec.weight` and `qexec.tensor` are its
    tensors, every other op one instruction (python-free-driver/lib/Format/Program.h), executed in
    order.

    Token-major functions take `!qexec.ids` and `!qexec.positions` and work on `!qexec.buffer<W>`,
    f32 `[T, W]` for the T tokens of a step, which `qexec-plan-memory` places in one arena: `at 64`
    after an op is the place of its result, in floats per token. A `!qexec.buffer<W, selected>` has
    only the rows whose logits were asked for. Generic functions work on builtin tensors of dynamic
    shape, one sequence at a time, mostly through `qexec.tensor_op`.

    Function attributes: `qexec.kind` ("token_major" or "generic"), `qexec.vocab_size`,
    `qexec.arena` (floats per token, set by qexec-plan-memory).
  }];
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerTypes();
  }];
}

class QExec_Type<string name, string typeMnemonic> : TypeDef<QExec_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def QExec_BufferType : QExec_Type<"Buffer", "buffer"> {
  let summary = "Activations of all tokens of a step: f32 [T, width], or [selected rows, width]";
  let parameters = (ins "int64_t":$width, DefaultValuedParameter<"bool", "false">:$selected);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}
def QExec_WeightType : QExec_Type<"Weight", "weight"> {
  let summary = "A matrix [n, k] in the layout of the kernels";
  let parameters = (ins "int64_t":$n, "int64_t":$k);
  let assemblyFormat = "`<` $n `,` $k `>`";
}
def QExec_IdsType : QExec_Type<"Ids", "ids"> {
  let summary = "Token ids of a step, i32 [T]";
}
def QExec_PositionsType : QExec_Type<"Positions", "positions"> {
  let summary = "Positions of the tokens in their sequences, i32 [T]";
}

def QExec_Activation : AnyTypeOf<[QExec_BufferType, AnyTensor], "an activation">;
def QExec_Vector : TensorOf<[F32]>;

/// One instruction. `offset` is the place of the result in the arena, unset before planning.
class QExec_Op<string mnemonic, list<Trait> traits = []>
    : Op<QExec_Dialect, mnemonic, !listconcat([Pure], traits)>;

/// The kernel may write its result over an operand that has the same width and is not needed later.
def QExec_InPlace : NativeOpTrait<"WorksInPlace"> {
  let cppNamespace = "::qopt::qexec";
}

#endif // QOPT_DIALECT_QEXEC_IR_QEXECDIALECT_TD
