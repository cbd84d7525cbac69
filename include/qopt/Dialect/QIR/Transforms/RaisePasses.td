//===- RaisePasses.td - Passes that fold, fuse and raise imported graphs -----------------------===//
// Alphabetical; see Passes.td for the rules.
#ifndef QOPT_DIALECT_QIR_TRANSFORMS_RAISEPASSES_TD
#define QOPT_DIALECT_QIR_TRANSFORMS_RAISEPASSES_TD

include "mlir/Pass/PassBase.td"

#endif // QOPT_DIALECT_QIR_TRANSFORMS_RAISEPASSES_TD
