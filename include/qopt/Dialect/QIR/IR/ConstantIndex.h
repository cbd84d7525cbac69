//===- ConstantIndex.h - The number that a one-element constant holds ------------------------===//
#ifndef QOPT_DIALECT_QIR_IR_CONSTANTINDEX_H
#define QOPT_DIALECT_QIR_IR_CONSTANTINDEX_H

#include "qopt/Dialect/QIR/IR/QIROps.h"

#include <cstdint>
#include <optional>

namespace qopt::qir {

/// The value of a constant of one integer (a bound of a slice, an axis); nothing for any other
/// value.
inline std::optional<int64_t> constantIndex(mlir::Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto elements = constant ? mlir::dyn_cast<mlir::DenseIntElementsAttr>(constant.getValue())
                           : mlir::DenseIntElementsAttr();
  if (!elements || elements.getNumElements() != 1)
    return std::nullopt;
  return (*elements.value_begin<llvm::APInt>()).getSExtValue();
}

} // namespace qopt::qir

#endif // QOPT_DIALECT_QIR_IR_CONSTANTINDEX_H
