//===- Passes.h - Passes on the qir dialect ---------------------------------------------------===//
// Declares create<Def>Pass(), the option structs and registerQIRPasses() of Passes.td. Each pass is
// described there and, generated, in docs/QIRPasses.md of the build.
#ifndef QOPT_DIALECT_QIR_TRANSFORMS_PASSES_H
#define QOPT_DIALECT_QIR_TRANSFORMS_PASSES_H

#include "qopt/Dialect/QIR/IR/QIROps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace qopt::qir {

#define GEN_PASS_DECL
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"

} // namespace qopt::qir

#endif // QOPT_DIALECT_QIR_TRANSFORMS_PASSES_H
