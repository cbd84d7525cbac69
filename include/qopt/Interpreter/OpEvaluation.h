//===- OpEvaluation.h - Evaluates qir ops with the tensor library -----------------------------===//
// A mnemonic and its attributes are the names under which lib/Tensor knows an op, so the bridge is
// generic. Tensors without data ("abstract") pass through: shapes are then computed where they can.
#ifndef QOPT_INTERPRETER_OPEVALUATION_H
#define QOPT_INTERPRETER_OPEVALUATION_H

#include "qopt/Dialect/QIR/IR/QIROps.h"

#include "Tensor/Evaluate.h"
#include "Tensor/Tensor.h"

#include "llvm/ADT/DenseMap.h"

#include <string>

namespace qopt::interpreter {

using TensorMap = llvm::DenseMap<mlir::Value, qrt::tensor::Tensor>;

std::optional<qrt::DType> dtypeOf(mlir::Type element);
mlir::Type elementTypeOf(mlir::MLIRContext *context, qrt::DType dtype);

/// The bytes of a constant, borrowed where the attribute holds them flat.
std::optional<qrt::tensor::Tensor> tensorOf(qir::ConstantOp constant);

/// Evaluates one op (constants and qir.if included) and adds its results to `values`, which holds
/// the operands. The failure's text goes to `why`.
mlir::LogicalResult evaluateOp(mlir::Operation *op, TensorMap &values, std::string &why);

} // namespace qopt::interpreter

#endif // QOPT_INTERPRETER_OPEVALUATION_H
