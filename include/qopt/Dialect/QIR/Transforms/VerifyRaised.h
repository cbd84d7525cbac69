//===- VerifyRaised.h - Compares a raised graph with the imported one -------------------------===//
// Both functions `main` are evaluated by the tensor library on the same random token ids. The
// imported graph runs the prompt in one piece and in two pieces through its cache; the raised one
// runs once, since attention is causal: rows of the second piece must be those of the whole prompt.
//
// Contract: neither module is changed; weights must still be readable in both. A module that was
// not raised (no `qir.token_major`) is not compared. Takes one forward pass of plain loops per
// piece.
#ifndef QOPT_DIALECT_QIR_TRANSFORMS_VERIFYRAISED_H
#define QOPT_DIALECT_QIR_TRANSFORMS_VERIFYRAISED_H

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace qopt::qir {

struct VerifyRaisedOptions {
  int64_t tokens = 7;     // length of the prompt
  int64_t firstPiece = 4; // tokens of the first piece, less than `tokens`
  uint32_t seed = 1;
  double tolerance = 0; // largest error as a part of the logit range; 0: by the graph's precision
};

struct VerifyRaisedResult {
  bool compared = false;
  double maxError = 0;   // largest difference of a logit
  double logitRange = 0; // largest minus smallest logit of the imported graph
  double tolerance = 0;  // the one that was used
  std::string text;      // one line for a report or an error
};

/// Success if the logits agree or nothing was compared; failure with the reason in `result.text`.
mlir::LogicalResult verifyRaised(mlir::ModuleOp imported, mlir::ModuleOp raised,
                                 const VerifyRaisedOptions &options, VerifyRaisedResult &result);

} // namespace qopt::qir

#endif // QOPT_DIALECT_QIR_TRANSFORMS_VERIFYRAISED_H
