//===- ResidualStream.h - What writes to and reads from the hidden state ----------------------===//
// The values that a rotation of the residual stream turns: embeddings, what is added to them, and
// norms of them, up to the linears that make something else of it.
#ifndef QOPT_LIB_DIALECT_QIR_TRANSFORMS_RESIDUALSTREAM_H
#define QOPT_LIB_DIALECT_QIR_TRANSFORMS_RESIDUALSTREAM_H

#include "qopt/Dialect/QIR/IR/QIROps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <string>

namespace qopt::qir {

struct ResidualStream {
  int64_t width = 0;
  llvm::SmallVector<EmbeddingOp> embeddings;      ///< rows of their tables enter the stream
  llvm::SmallVector<LinearOp> writers;            ///< outputs enter it
  llvm::SmallVector<LinearOp> readers;            ///< read it, with or without a norm
  llvm::SmallVector<mlir::Operation *> norms;     ///< over the whole width, of uniform gain
  llvm::SmallVector<mlir::OpOperand *> constants; ///< rows that are added to it
  /// The norms are layer norms, and nothing but them sees the mean: what writes may be centred.
  bool layerNorms = false;
};

/// Finds the stream that starts at the embeddings of `function`. Failure if an op on it does not
/// commute with a rotation: `op` is that op, `why` says what is wrong with it.
mlir::LogicalResult findResidualStream(mlir::func::FuncOp function, ResidualStream &stream,
                                       mlir::Operation *&op, std::string &why);

} // namespace qopt::qir

#endif // QOPT_LIB_DIALECT_QIR_TRANSFORMS_RESIDUALSTREAM_H
