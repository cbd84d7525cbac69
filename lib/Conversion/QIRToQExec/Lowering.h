//===- Lowering.h - State shared by the two lowerings ----------------------------------------===//
#ifndef QOPT_LIB_CONVERSION_QIRTOQEXEC_LOWERING_H
#define QOPT_LIB_CONVERSION_QIRTOQEXEC_LOWERING_H

#include "TensorTable.h"

#include "mlir/IR/IRMapping.h"

#include <map>

namespace qopt {

/// One function on its way from qir to qexec: a new block is filled in the order of the old one.
struct Lowering {
  Lowering(mlir::func::FuncOp function, mlir::Block &oldBlock, mlir::Block &newBlock)
      : function(function), oldBlock(oldBlock), builder(mlir::OpBuilder::atBlockEnd(&newBlock)),
        tensors(builder) {}

  /// Counts an op without an instruction; reportUnsupported() names them all at once.
  mlir::LogicalResult unsupported(mlir::Operation *op, const llvm::Twine &why);
  mlir::LogicalResult reportUnsupported();

  mlir::func::FuncOp function;
  mlir::Block &oldBlock;
  mlir::OpBuilder builder;
  TensorTable tensors;
  mlir::IRMapping values;

private:
  struct Problem {
    unsigned count = 0;
    mlir::Location first;
  };
  std::map<std::string, Problem> problems;
};

/// Fill the new block; function type and attributes are set by them.
mlir::LogicalResult lowerTokenMajor(Lowering &lowering);
mlir::LogicalResult lowerGeneric(Lowering &lowering);

} // namespace qopt

#endif // QOPT_LIB_CONVERSION_QIRTOQEXEC_LOWERING_H
