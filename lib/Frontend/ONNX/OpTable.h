//===- OpTable.h - {domain, operator, versions} -> importer -----------------------------------===//
// Every family registers its rows here; adding an operator is one row and one function.
#ifndef QOPT_LIB_FRONTEND_ONNX_OPTABLE_H
#define QOPT_LIB_FRONTEND_ONNX_OPTABLE_H

#include "Node.h"

namespace qopt {

using OpFunction = Outcome (*)(Node &);

struct OpRow {
  const char *domain; ///< "" or "com.microsoft"
  const char *name;
  int minOpset;  ///< first version of the domain that this row reads
  int minInputs; ///< the first so many inputs must be present
  int maxInputs; ///< -1: any number
  int maxOutputs;
  OpFunction import;
};

/// Null if the operator is unknown, or unknown in this version.
const OpRow *findOp(llvm::StringRef domain, llvm::StringRef name, int64_t opset);

llvm::ArrayRef<OpRow> elementwiseOps();
llvm::ArrayRef<OpRow> reductionOps();
llvm::ArrayRef<OpRow> shapeOps();
llvm::ArrayRef<OpRow> indexingOps();
llvm::ArrayRef<OpRow> matrixOps();
llvm::ArrayRef<OpRow> normOps();
llvm::ArrayRef<OpRow> rotaryOps();
llvm::ArrayRef<OpRow> attentionOps();
llvm::ArrayRef<OpRow> contribAttentionOps();
llvm::ArrayRef<OpRow> groupQueryAttentionOps();
llvm::ArrayRef<OpRow> quantizationOps();
llvm::ArrayRef<OpRow> blockQuantizedOps();
llvm::ArrayRef<OpRow> controlOps();

} // namespace qopt

#endif // QOPT_LIB_FRONTEND_ONNX_OPTABLE_H
