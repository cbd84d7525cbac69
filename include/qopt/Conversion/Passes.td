//===- Passes.td - Conversions between dialects ------------------------------------------------===//
#ifndef QOPT_CONVERSION_PASSES_TD
#define QOPT_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertQIRToQExec : Pass<"convert-qir-to-qexec", "::mlir::func::FuncOp"> {
  let summary = "Replace graph ops by instructions of a .qmod program";
  let description = [{
    Contract: *requires* quantized weights where a scheme says so; *result*: a function of qexec ops,
    one per instruction, in the order of the graph.

    A function with `qir.token_major` becomes a token-major program: all activations are f32 buffers,
    so casts between float types vanish. Every other function becomes a generic one: linears and
    embeddings with constant weights as instructions, everything else as `qexec.tensor_op`.
    Ops that have no instruction are listed in one error, with names and counts.
    ```mlir
    %y = qir.linear %x, %w {scheme = #qir.scheme<f16>} : ...
    // becomes
    %0 = qexec.weight "w" format "f16" value dense_resource<w> : tensor<8x4xf32> ...
    %y = qexec.linear %x, %0 : (!qexec.buffer<4>, !qexec.weight<8, 4>) -> !qexec.buffer<8>
    ```
  }];
  let dependentDialects = ["::qopt::qexec::QExecDialect"];
}

#endif // QOPT_CONVERSION_PASSES_TD
