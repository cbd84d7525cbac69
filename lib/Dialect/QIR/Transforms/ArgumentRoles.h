//===- ArgumentRoles.h - What the inputs of a decoder graph carry -----------------------------===//
// Input names are the one interface that all exporters share ("input_ids", "attention_mask",
// "position_ids", past keys and values), so roles come from names, checked against rank and type.
#ifndef QOPT_LIB_DIALECT_QIR_TRANSFORMS_ARGUMENTROLES_H
#define QOPT_LIB_DIALECT_QIR_TRANSFORMS_ARGUMENTROLES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <string>
#include <utility>

namespace qopt::qir::raise {

enum class ArgumentRole {
  Ids,         // [B, S]
  Mask,        // [B, P + S], ones where nothing is padded
  Positions,   // [B, S] or [S]: P, P + 1, ...
  PastState,   // cached keys or values
  PastLength,  // P, a scalar or [1] or [B]
  TotalLength, // P + S
  Segments,    // token types: zeros
  Unknown,
};
ArgumentRole roleOf(mlir::func::FuncOp function, unsigned argument);

/// Number and kind (true: values) of a cache: "past_key_values.3.key" and "present.3.key" agree.
std::pair<std::string, bool> cacheIdentity(llvm::StringRef name);

} // namespace qopt::qir::raise

#endif // QOPT_LIB_DIALECT_QIR_TRANSFORMS_ARGUMENTROLES_H
