//===- TokenMajorLowering.h - Raised functions to instructions on buffers --------------------===//
// Activations are [tokens, features]; whatever float type the graph gave them, a buffer is f32.
#ifndef QOPT_LIB_CONVERSION_QIRTOQEXEC_TOKENMAJORLOWERING_H
#define QOPT_LIB_CONVERSION_QIRTOQEXEC_TOKENMAJORLOWERING_H

#include "Lowering.h"

namespace qopt {

class TokenMajorLowering {
public:
  explicit TokenMajorLowering(Lowering &lowering)
      : lowering(lowering), builder(lowering.builder), values(lowering.values),
        tensors(lowering.tensors) {}

  mlir::LogicalResult run();

private:
  mlir::LogicalResult convertArguments();
  mlir::LogicalResult convertReturn(mlir::func::ReturnOp op);
  mlir::LogicalResult convert(mlir::Operation *op);

  // TokenMajorLinear.cpp
  mlir::LogicalResult convertEmbedding(mlir::Operation *op, mlir::Value weight, mlir::Value ids,
                                       int64_t offset);
  mlir::LogicalResult convertLinear(mlir::Operation *op, mlir::Value x, mlir::Value weight,
                                    mlir::Value bias, mlir::StringRef activation,
                                    mlir::Value alternate = {},
                                    mlir::Operation *quantized = nullptr);

  // TokenMajorElementwise.cpp
  mlir::LogicalResult convertBinary(mlir::Operation *op, mlir::Value a, mlir::Value b,
                                    mlir::StringRef kind);
  mlir::LogicalResult convertUnary(mlir::Operation *op, mlir::StringRef kind,
                                   mlir::FloatAttr cap = {});
  mlir::LogicalResult convertGated(mlir::Operation *op, mlir::Value gate, mlir::Value up,
                                   mlir::StringRef kind);
  mlir::LogicalResult convertHadamard(qir::HadamardOp op);
  mlir::LogicalResult convertRmsNorm(qir::RmsNormOp op);
  mlir::LogicalResult convertLayerNorm(qir::LayerNormOp op);

  // TokenMajorColumns.cpp
  mlir::LogicalResult convertSplit(qir::SplitOp op);
  mlir::LogicalResult convertConcat(qir::ConcatOp op);
  mlir::LogicalResult convertSlice(qir::SliceOp op);
  mlir::Value copyColumns(mlir::Location loc, mlir::ValueRange inputs,
                          mlir::ArrayRef<int64_t> starts, mlir::ArrayRef<int64_t> sizes);

  // TokenMajorAttention.cpp
  mlir::LogicalResult convertRope(qir::RopeOp op);
  mlir::LogicalResult convertAttention(qir::AttentionOp op);

  /// The buffer that holds `value`; null if it is none.
  mlir::Value buffer(mlir::Value value) const;

  Lowering &lowering;
  mlir::OpBuilder &builder;
  mlir::IRMapping &values;
  TensorTable &tensors;
};

} // namespace qopt

#endif // QOPT_LIB_CONVERSION_QIRTOQEXEC_TOKENMAJORLOWERING_H
