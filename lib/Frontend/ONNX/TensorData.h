//===- TensorData.h - ONNX tensors as MLIR constants ------------------------------------------===//
// Element types map to builtin types: signed integers are signless, unsigned ones are ui8 ... ui64,
// bool is i1. INT4, INT2, UINT4 and UINT2 are unpacked to one element per byte (i8, ui8).
#ifndef QOPT_LIB_FRONTEND_ONNX_TENSORDATA_H
#define QOPT_LIB_FRONTEND_ONNX_TENSORDATA_H

#include "ExternalData.h"

#include "mlir/IR/BuiltinAttributes.h"

namespace qopt {

/// TensorProto.DataType numbers of the specification.
enum OnnxType : int {
  OnnxFloat = 1,
  OnnxUint8 = 2,
  OnnxInt8 = 3,
  OnnxUint16 = 4,
  OnnxInt16 = 5,
  OnnxInt32 = 6,
  OnnxInt64 = 7,
  OnnxString = 8,
  OnnxBool = 9,
  OnnxFloat16 = 10,
  OnnxDouble = 11,
  OnnxUint32 = 12,
  OnnxUint64 = 13,
  OnnxBFloat16 = 16,
  OnnxUint4 = 21,
  OnnxInt4 = 22,
  OnnxUint2 = 25,
  OnnxInt2 = 26,
};

/// The element type, or null for types without one here (string, complex, float8, float4).
mlir::Type elementType(mlir::MLIRContext *context, int onnxType);
/// "FLOAT8E4M3FN": for messages.
std::string onnxTypeName(int onnxType);
/// Bits per stored element: 4 and 2 for the packed types.
int storedBits(int onnxType);

/// The value of a tensor: borrowed where its bytes can be used in place. Unsupported for element
/// types without an equivalent, InvalidModel for sizes that do not fit.
qrt::Result<mlir::ElementsAttr> tensorValue(mlir::MLIRContext *context,
                                            const onnx_ir::TensorProto &tensor,
                                            llvm::StringRef name, ExternalData &external,
                                            const std::shared_ptr<const void> &modelOwner);

} // namespace qopt

#endif // QOPT_LIB_FRONTEND_ONNX_TENSORDATA_H
