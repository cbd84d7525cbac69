//===- ImportONNX.h - From an .onnx file to qir -----------------------------------------------===//
// Reads an ONNX model (opset 11 and later, plus the com.microsoft operators of language models) and
// builds `func.func @main` from the tensor ops of qir. Fused operators are taken apart; weights
// stay in the mapped file and are borrowed through the WeightStore. Nothing in the file is trusted:
// sizes, offsets, names and nesting are checked before use.
//
// Errors: CannotRead (file or external data), InvalidModel (not a well-formed ONNX graph; names the
// node), Unsupported (one message that lists every operator, type and attribute that is not
// supported, with counts and the first node). No diagnostics are emitted.
// The module borrows the mapped files, which live as long as its blobs. Thread safety: one import
// per context at a time.
#ifndef QOPT_FRONTEND_IMPORTONNX_H
#define QOPT_FRONTEND_IMPORTONNX_H

#include "qrt/Status.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <cstdint>
#include <string>

namespace qopt {

struct ImportOptions {
  /// Largest .onnx file; external data is mapped and not counted. Protobuf itself ends at 2 GiB.
  uint64_t maxModelBytes = (uint64_t(2) << 30) - 1;
  /// Most nodes after model-local functions have been expanded.
  uint64_t maxNodes = 1000000;
};

qrt::Result<mlir::OwningOpRef<mlir::ModuleOp>>
importONNX(mlir::MLIRContext &context, const std::string &path, const ImportOptions &options = {});

/// The same for bytes in memory. External data is looked up in `directory`; an empty directory
/// refuses it.
qrt::Result<mlir::OwningOpRef<mlir::ModuleOp>>
importONNXFromBytes(mlir::MLIRContext &context, std::string_view bytes,
                    const std::string &directory, const ImportOptions &options = {});

} // namespace qopt

#endif // QOPT_FRONTEND_IMPORTONNX_H
