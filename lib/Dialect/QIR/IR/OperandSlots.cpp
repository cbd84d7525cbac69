//===- OperandSlots.cpp - Operands by position, absent ones included -------------------------===//
#include "qopt/Dialect/QIR/IR/OperandSlots.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace qopt::qir {

/// Slots of an op whose ODS operand i is a single or an optional one, for i < count.
template <typename OpType>
static SmallVector<Value> slotsOf(OpType op, unsigned count) {
  SmallVector<Value> slots;
  for (unsigned i = 0; i < count; ++i) {
    auto range = op.getODSOperands(i);
    slots.push_back(range.empty() ? Value() : *range.begin());
  }
  return slots;
}

SmallVector<Value> operandSlots(Operation *op) {
  return llvm::TypeSwitch<Operation *, SmallVector<Value>>(op)
      .Case<TriluOp, HadamardOp>([](auto op) { return slotsOf(op, 2); })
      .Case<ClipOp, DequantizeLinearOp, QuantizeLinearOp, PadOp, LinearOp, LayerNormOp,
            DequantizeOp, QuantizeOp>([](auto op) { return slotsOf(op, 3); })
      .Case<SdpaOp, MatmulIntegerOp, QuantizedEmbeddingOp>([](auto op) { return slotsOf(op, 4); })
      // Without the alternate, which takes no part in the value.
      .Case<QuantizedLinearOp>([](auto op) { return slotsOf(op, 5); })
      .Default([](Operation *op) { return llvm::to_vector(op->getOperands()); });
}

SmallVector<NamedAttribute> evaluationAttributes(Operation *op) {
  SmallVector<NamedAttribute> attributes;
  for (NamedAttribute attribute : op->getAttrs()) {
    StringRef name = attribute.getName();
    if (name.contains('.') || name == "operandSegmentSizes" || name == "scheme" || name == "role")
      continue;
    attributes.push_back(attribute);
  }
  if (Type element = elementToName(op)) {
    Builder builder(op);
    attributes.push_back(
        builder.getNamedAttr("to", builder.getStringAttr(elementTypeName(element))));
  }
  return attributes;
}

/// The element type that an op has unless told otherwise, null for ops that cannot be told.
static Type usualElement(Operation *op) {
  auto elementAt = [&](unsigned operand) {
    return cast<TensorType>(op->getOperand(operand).getType()).getElementType();
  };
  Builder builder(op);
  return llvm::TypeSwitch<Operation *, Type>(op)
      .Case<EmbeddingOp, LinearOp, RmsNormOp, LayerNormOp, RotaryEmbeddingOp, SdpaOp, RopeOp,
            AttentionOp, SwigluOp, GegluOp, HadamardOp, QuantizedLinearOp>(
          [&](Operation *) { return elementAt(0); })
      .Case<DequantizeLinearOp>([&](Operation *) { return elementAt(1); })
      .Case<QuantizeLinearOp>([&](Operation *) {
        return op->getNumOperands() > 2 ? elementAt(2)
                                        : Type(builder.getIntegerType(8, /*isSigned=*/false));
      })
      .Case<DequantizeOp, QuantizedEmbeddingOp>([&](Operation *) { return builder.getF32Type(); })
      .Default([](Operation *) { return Type(); });
}

Type elementToName(Operation *op) {
  auto type =
      op->getNumResults() == 1 ? dyn_cast<TensorType>(op->getResult(0).getType()) : TensorType();
  if (!type || isa<CastOp>(op))
    return type ? type.getElementType() : Type();
  Type usual = usualElement(op);
  return usual && usual != type.getElementType() ? type.getElementType() : Type();
}

StringRef elementTypeName(Type element) {
  if (element.isF32())
    return "f32";
  if (element.isF16())
    return "f16";
  if (element.isBF16())
    return "bf16";
  if (element.isF64())
    return "f64";
  if (element.isInteger(1))
    return "bool";
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer)
    return "";
  switch (integer.getWidth()) {
  case 8:
    return integer.isUnsigned() ? "u8" : "i8";
  case 16:
    return integer.isUnsigned() ? "u16" : "i16";
  case 32:
    return integer.isUnsigned() ? "u32" : "i32";
  case 64:
    return integer.isUnsigned() ? "u64" : "i64";
  default:
    return "";
  }
}

} // namespace qopt::qir
