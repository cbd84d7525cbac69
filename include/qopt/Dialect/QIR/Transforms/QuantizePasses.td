//===- QuantizePasses.td - Passes that assign schemes and quantize weights ---------------------===//
// Alphabetical; see Passes.td for the rules.
#ifndef QOPT_DIALECT_QIR_TRANSFORMS_QUANTIZEPASSES_TD
#define QOPT_DIALECT_QIR_TRANSFORMS_QUANTIZEPASSES_TD

include "mlir/Pass/PassBase.td"

#endif // QOPT_DIALECT_QIR_TRANSFORMS_QUANTIZEPASSES_TD
