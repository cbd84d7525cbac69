//===- QExecDialect.h - The qexec dialect -----------------------------------------------------===//
#ifndef QOPT_DIALECT_QEXEC_IR_QEXECDIALECT_H
#define QOPT_DIALECT_QEXEC_IR_QEXECDIALECT_H

#include "mlir/IR/Dialect.h"

#include "qopt/Dialect/QExec/IR/QExecDialect.h.inc"

namespace qopt::qexec {

// Attributes of functions.
inline constexpr llvm::StringLiteral kindAttr = "qexec.kind";            ///< token_major, generic
inline constexpr llvm::StringLiteral vocabSizeAttr = "qexec.vocab_size"; ///< i64
inline constexpr llvm::StringLiteral arenaAttr = "qexec.arena";          ///< i64, floats per token

} // namespace qopt::qexec

#endif // QOPT_DIALECT_QEXEC_IR_QEXECDIALECT_H
