//===- Outliers.cpp - Attributes of linears about outliers and activation scales --------------===//
#include "qopt/Dialect/QIR/IR/Outliers.h"

using namespace mlir;

namespace qopt::qir {

double outlierShare(Operation *linear) {
  auto share = linear->getAttrOfType<FloatAttr>(outlierShareAttr);
  return share ? share.getValueAsDouble() : 0;
}

std::optional<OutlierElements> outliersOf(Operation *linear) {
  auto parts = linear->getAttrOfType<ArrayAttr>(outliersAttr);
  if (!parts)
    return std::nullopt;
  return OutlierElements{cast<ElementsAttr>(parts[0]), cast<ElementsAttr>(parts[1]),
                         cast<ElementsAttr>(parts[2])};
}

DenseF64ArrayAttr activationScalesOf(Operation *linear) {
  return linear->getAttrOfType<DenseF64ArrayAttr>(activationScalesAttr);
}

static LogicalResult verifyMatrix(QuantizedLinearOp op, Attribute attribute) {
  auto parts = dyn_cast<ArrayAttr>(attribute);
  ElementsAttr elements[3];
  for (unsigned i = 0; i < 3; ++i) {
    elements[i] = parts && parts.size() == 3 ? dyn_cast<ElementsAttr>(parts[i]) : ElementsAttr();
    if (!elements[i] || elements[i].getShapedType().getRank() != 1)
      return op.emitOpError() << "expects " << outliersAttr
                              << " to be vectors of rows, columns and values";
  }
  Type row = elements[0].getElementType(), column = elements[1].getElementType(),
       value = elements[2].getElementType();
  if (!row.isSignlessInteger(32) || !column.isUnsignedInteger(16) || !value.isF16())
    return op.emitOpError() << "expects outliers of i32, ui16 and f16, got " << row << ", "
                            << column << " and " << value;
  const int64_t entries = elements[2].getNumElements();
  if (entries < 1 || elements[1].getNumElements() != entries)
    return op.emitOpError() << "expects as many columns as values of outliers, at least one, got "
                            << elements[1].getNumElements() << " and " << entries;
  auto codes = dyn_cast<RankedTensorType>(op.getCodes().getType());
  if (!codes || !codes.hasStaticShape())
    return success();
  if (elements[0].getNumElements() != codes.getDimSize(0) + 1)
    return op.emitOpError() << "expects " << codes.getDimSize(0) + 1 << " rows of outliers, got "
                            << elements[0].getNumElements();
  if (codes.getDimSize(1) > 65536)
    return op.emitOpError() << "expects at most 65536 columns with outliers, got "
                            << codes.getDimSize(1);
  return success();
}

static LogicalResult verifyScales(QuantizedLinearOp op, Attribute attribute) {
  auto scales = dyn_cast<DenseF64ArrayAttr>(attribute);
  if (!scales || !llvm::all_of(scales.asArrayRef(), [](double s) { return s > 0 && s <= 1e30; }))
    return op.emitOpError() << "expects " << activationScalesAttr
                            << " to be an array of positive f64";
  if (op.getActivation() != "a8")
    return op.emitOpError() << "expects " << activationScalesAttr << " only with activation \"a8\"";
  auto codes = dyn_cast<RankedTensorType>(op.getCodes().getType());
  if (!codes || codes.isDynamicDim(1))
    return success();
  const int64_t block = op.getGroupSize() ? op.getGroupSize() : 128;
  const int64_t blocks = (codes.getDimSize(1) + block - 1) / block;
  if (scales.size() != blocks)
    return op.emitOpError() << "expects " << blocks << " of " << activationScalesAttr << ", got "
                            << scales.size();
  return success();
}

LogicalResult verifyOutliers(QuantizedLinearOp op) {
  if (Attribute outliers = op->getAttr(outliersAttr))
    if (failed(verifyMatrix(op, outliers)))
      return failure();
  Attribute scales = op->getAttr(activationScalesAttr);
  return scales ? verifyScales(op, scales) : success();
}

} // namespace qopt::qir
