//===- Checks.h - What the verifiers have in common ------------------------------------------===//
// Types in a graph may leave dimensions or the rank open. Every check here passes where the types
// do not say enough, and emits `expects X, got Y` where they contradict the constraint.
#ifndef QOPT_LIB_DIALECT_QIR_IR_CHECKS_H
#define QOPT_LIB_DIALECT_QIR_IR_CHECKS_H

#include "qopt/Dialect/QIR/IR/QIROps.h"

#include <optional>

namespace qopt::qir {

using Dims = llvm::SmallVector<int64_t>;
inline constexpr int64_t unknown = mlir::ShapedType::kDynamic;

/// Dimensions (unknown where dynamic); nothing for an unranked tensor.
std::optional<Dims> dimsOf(mlir::Value value);
std::optional<int64_t> rankOf(mlir::Value value);
mlir::Type elementOf(mlir::Value value);
/// May two dimensions be the same number?
inline bool agree(int64_t a, int64_t b) { return a == unknown || b == unknown || a == b; }
/// The number of elements, if the type says it.
std::optional<int64_t> countOf(mlir::Value value);

/// `value` may have the dimensions `expected`.
mlir::LogicalResult checkDims(mlir::Operation *op, const char *what, mlir::Value value,
                              const std::optional<Dims> &expected);
mlir::LogicalResult checkSameDims(mlir::Operation *op, const char *what, mlir::Value value,
                                  mlir::Value like);
mlir::LogicalResult checkSameElement(mlir::Operation *op, const char *what, mlir::Value value,
                                     mlir::Value like);
mlir::LogicalResult checkRank(mlir::Operation *op, const char *what, mlir::Value value,
                              int64_t rank);
mlir::LogicalResult checkOneElement(mlir::Operation *op, const char *what, mlir::Value value);
/// axis in [-rank, rank); an unranked value allows every axis.
mlir::LogicalResult checkAxis(mlir::Operation *op, int64_t axis, std::optional<int64_t> rank);
/// Distinct axes, each in [-rank, rank).
mlir::LogicalResult checkAxes(mlir::Operation *op, llvm::ArrayRef<int64_t> axes,
                              std::optional<int64_t> rank);
mlir::LogicalResult checkFlag(mlir::Operation *op, const char *what, int64_t flag);
mlir::LogicalResult checkWord(mlir::Operation *op, const char *what, llvm::StringRef word,
                              llvm::ArrayRef<llvm::StringRef> words);

inline int64_t fromEnd(int64_t axis, int64_t rank) { return axis < 0 ? axis + rank : axis; }
/// Dimensions of a numpy broadcast; nothing if a rank is open. Failure if they do not broadcast.
mlir::FailureOr<std::optional<Dims>> broadcast(llvm::ArrayRef<mlir::Value> values);
/// `values` broadcast, and to `result`.
mlir::LogicalResult checkBroadcast(mlir::Operation *op, llvm::ArrayRef<mlir::Value> values,
                                   mlir::Value result);
/// Dimensions of a numpy matrix product; emits if K or the batches disagree.
mlir::LogicalResult checkMatmul(mlir::Operation *op, mlir::Value a, mlir::Value b,
                                mlir::Value result);

} // namespace qopt::qir

#endif // QOPT_LIB_DIALECT_QIR_IR_CHECKS_H
