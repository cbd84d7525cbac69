//===- QIRDialect.h - The qir dialect ---------------------------------------------------------===//
// Names of the attributes that the dialect puts on functions, arguments and constants, in one
// place.
#ifndef QOPT_DIALECT_QIR_IR_QIRDIALECT_H
#define QOPT_DIALECT_QIR_IR_QIRDIALECT_H

#include "mlir/IR/Dialect.h"

#include "qopt/Dialect/QIR/IR/QIRDialect.h.inc"

namespace qopt::qir {

inline constexpr llvm::StringLiteral nameAttr = "qir.name"; ///< StringAttr
inline constexpr llvm::StringLiteral dimsAttr = "qir.dims"; ///< ArrayAttr of StringAttr
inline constexpr llvm::StringLiteral tokenMajorAttr = "qir.token_major"; ///< UnitAttr
inline constexpr llvm::StringLiteral transposedAttr = "qir.transposed";  ///< UnitAttr
inline constexpr llvm::StringLiteral keyBalanceAttr = "qir.key_balance"; ///< DenseF32ArrayAttr
inline constexpr llvm::StringLiteral aliasesAttr = "qir.aliases";        ///< [{name, transposed}]
/// StringAttr "f16" or "bf16" on a linear: its weight, in this format, also enters the second
/// weight set (docs/reasoning.md, FP16 planning).
inline constexpr llvm::StringLiteral alternateAttr = "qir.alternate";

} // namespace qopt::qir

#endif // QOPT_DIALECT_QIR_IR_QIRDIALECT_H
