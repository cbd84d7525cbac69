//===- Passes.h - Passes on the qexec dialect -------------------------------------------------===//
// Declares create<Def>(), the option structs and registerQExecPasses() of Passes.td.
#ifndef QOPT_DIALECT_QEXEC_TRANSFORMS_PASSES_H
#define QOPT_DIALECT_QEXEC_TRANSFORMS_PASSES_H

#include "qopt/Dialect/QExec/IR/QExecOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace qopt::qexec {

#define GEN_PASS_DECL
#include "qopt/Dialect/QExec/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "qopt/Dialect/QExec/Transforms/Passes.h.inc"

} // namespace qopt::qexec

#endif // QOPT_DIALECT_QEXEC_TRANSFORMS_PASSES_H
