//===- ExportONNX.h - From imported qir back to .onnx -----------------------------------------===//
// Writes `func.func @main` of low-half ops (as importONNX makes them) as one self-contained .onnx
// file of opset 23, IR 11: sdpa, rms_norm and rotary_embedding become operators of that opset or
// are taken apart; quantized_linear and quantized_embedding become com.microsoft MatMulNBits and
// GatherBlockQuantized where their layout allows.
//
// Importing the file gives a module that computes the same function. Errors: Unsupported, listing
// every op that cannot be exported; ResourceExhausted above protobuf's 2 GiB; CannotWrite.
#ifndef QOPT_FRONTEND_EXPORTONNX_H
#define QOPT_FRONTEND_EXPORTONNX_H

#include "qrt/Status.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace qopt {

/// The bytes of the .onnx file.
qrt::Result<std::string> exportONNXToBytes(mlir::ModuleOp module);

/// Written under a temporary name and renamed: no half file is left behind.
qrt::Status exportONNX(mlir::ModuleOp module, const std::string &path);

} // namespace qopt

#endif // QOPT_FRONTEND_EXPORTONNX_H
