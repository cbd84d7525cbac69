//===- Outliers.h - Attributes of linears about outliers and activation scales ----------------===//
// Discardable attributes, so that passes which copy or move a linear carry them; those that would
// change what they mean (cutting rows, exporting) refuse.
//
//   qir.outlier_share      f64 on qir.linear: the share of its weights that quantization is to keep
//                          in f16
//   qir.outliers           [rows, columns, values] on qir.quantized_linear: a sparse matrix that is
//                          added to the weight of the codes. i32 [N + 1], ui16 [E], f16 [E], row n
//                          has the entries rows[n] to rows[n + 1], by ascending column
//   qir.activation_scales  array<f64> on both: static scales of 8-bit activations, one per group
//                          (128 features with one scale per row); without it each token has its own
//
// Thread safety: as the IR.
#ifndef QOPT_DIALECT_QIR_IR_OUTLIERS_H
#define QOPT_DIALECT_QIR_IR_OUTLIERS_H

#include "qopt/Dialect/QIR/IR/QIROps.h"

#include <optional>

namespace qopt::qir {

inline constexpr llvm::StringLiteral outlierShareAttr = "qir.outlier_share";
inline constexpr llvm::StringLiteral outliersAttr = "qir.outliers";
inline constexpr llvm::StringLiteral activationScalesAttr = "qir.activation_scales";

/// qir.outlier_share; 0: none.
double outlierShare(mlir::Operation *linear);

struct OutlierElements {
  mlir::ElementsAttr rows, columns, values;
};
/// qir.outliers of a verified op; nothing if it has none.
std::optional<OutlierElements> outliersOf(mlir::Operation *linear);

/// qir.activation_scales; null: dynamic.
mlir::DenseF64ArrayAttr activationScalesOf(mlir::Operation *linear);

/// Part of the verifier of qir.quantized_linear.
mlir::LogicalResult verifyOutliers(QuantizedLinearOp op);

} // namespace qopt::qir

#endif // QOPT_DIALECT_QIR_IR_OUTLIERS_H
