//===- WeightMatching.h - A weight behind transposes, casts and dequantization ----------------===//
#ifndef QOPT_LIB_DIALECT_QIR_TRANSFORMS_WEIGHTMATCHING_H
#define QOPT_LIB_DIALECT_QIR_TRANSFORMS_WEIGHTMATCHING_H

#include "qopt/Dialect/QIR/IR/QIROps.h"

#include "mlir/IR/Builders.h"

namespace qopt::qir::raise {

/// A matrix that is a constant up to transposition, casts of floats and dequantization.
struct WeightSource {
  ConstantOp constant;           // floats, or the stored integers of `dequantize`
  DequantizeLinearOp dequantize; // null for float weights
  bool transposed = false;       // the matrix is the transpose of the constant
};

/// What `value`, a rank-2 tensor, is made of; nothing if it is no such matrix.
std::optional<WeightSource> matchWeight(mlir::Value value);

/// The constant itself or its transpose as a new constant, marked `qir.transposed`. Each constant
/// is turned once: the turned one is found again right behind it. Null if its bytes were released.
mlir::Value turnedConstant(mlir::OpBuilder &builder, ConstantOp constant, bool turn);

/// The operands of a quantized weight [N, K] in the form of the file: unsigned codes, scales [N,
/// G], zero points. Nothing if bits, groups or signs have no such form.
struct QuantizedWeight {
  mlir::Value codes, scales, zeroPoints;
  int64_t bits = 0, groupSize = 0;
};
std::optional<QuantizedWeight> quantizedWeight(mlir::OpBuilder &builder, const WeightSource &source,
                                               bool rowsAreOutputs);

} // namespace qopt::qir::raise

#endif // QOPT_LIB_DIALECT_QIR_TRANSFORMS_WEIGHTMATCHING_H
