//===- StructureOps.cpp - Verifiers and folders of constant and if ---------------------------===//
#include "qopt/Dialect/QIR/IR/QIROps.h"

#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace qopt::qir;

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

/// Bytes of one element as stored in a blob: i1 and everything else take whole bytes.
static int64_t elementBytes(Type type) {
  return std::max<int64_t>(1, type.getIntOrFloatBitWidth() / 8);
}

LogicalResult ConstantOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getType());
  if (!type || !type.hasStaticShape())
    return emitOpError() << "expects a ranked tensor of static shape, got " << getType();
  if (isa<DenseElementsAttr>(getValue())) // C1
    return success();
  auto resource = dyn_cast<DenseResourceElementsAttr>(getValue());
  if (!resource)
    return emitOpError() << "expects a dense or dense_resource value";
  AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  if (!blob) // released, or elided in a dump: nothing to check
    return success();
  int64_t expected = type.getNumElements() * elementBytes(type.getElementType());
  if (static_cast<int64_t>(blob->getData().size()) != expected) // C2
    return emitOpError() << "expects a blob of " << expected << " bytes for " << type << ", got "
                         << blob->getData().size();
  return success();
}

LogicalResult IfOp::verify() {
  if (auto type = dyn_cast<RankedTensorType>(getCondition().getType()))
    if (type.hasStaticShape() && type.getNumElements() != 1) // C1
      return emitOpError() << "expects a condition of one element, got " << type;
  for (Region *region : {&getThenRegion(), &getElseRegion()}) {
    Operation *yield = region->front().getTerminator();
    if (yield->getOperandTypes() != getResultTypes()) // C2
      return emitOpError() << "expects both regions to yield the types of the results";
  }
  return success();
}
