//===- TensorVerifiers.cpp - Constraints of stored tensors and generic ops -------------------===//
#include "qopt/Dialect/QExec/IR/QExecOps.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace qopt::qexec;

/// Bits of a code format, 0 for float formats, nothing for unknown words.
static std::optional<unsigned> codeBits(StringRef format) {
  return llvm::StringSwitch<std::optional<unsigned>>(format)
      .Cases({"f32", "f16", "bf16"}, 0)
      .Case("u8", 8)
      .Case("u4", 4)
      .Case("u3", 3)
      .Case("u2", 2)
      .Default(std::nullopt);
}

LogicalResult WeightOp::verify() {
  auto matrix = cast<WeightType>(getType());
  ShapedType value = getValue().getShapedType();
  SmallVector<int64_t> shape = {matrix.getN(), matrix.getK()};
  if (ArrayRef<int64_t>(shape) != value.getShape()) // C1
    return emitOpError() << "expects a value of shape [" << shape << "], got " << value;
  std::optional<unsigned> bits = codeBits(getFormat());
  if (!bits)
    return emitOpError() << "expects format f32, f16, bf16, u8, u4, u3 or u2, got '" << getFormat()
                         << "'";
  Type element = value.getElementType();
  if (*bits == 0) { // C2
    if (!isa<FloatType>(element) || getScales() || getZeroPoints())
      return emitOpError() << "expects float values without scales for format " << getFormat();
    return success();
  }
  if (!element.isUnsignedInteger(8) || !getScales()) // C2
    return emitOpError() << "expects ui8 codes with scales for format " << getFormat();
  int64_t group = getGroupSize() == 0 ? matrix.getK() : getGroupSize();
  SmallVector<int64_t> groups = {matrix.getN(),
                                 group > 0 ? (matrix.getK() + group - 1) / group : 0};
  ShapedType scales = getScales()->getShapedType();
  if (scales.getShape() != ArrayRef<int64_t>(groups) ||
      !(scales.getElementType().isF16() || scales.getElementType().isF32())) // C3
    return emitOpError() << "expects f16 or f32 scales of shape [" << groups << "], got " << scales;
  if (std::optional<ElementsAttr> zeroPoints = getZeroPoints()) {
    ShapedType type = zeroPoints->getShapedType();
    if (type.getShape() != ArrayRef<int64_t>(groups) ||
        !type.getElementType().isUnsignedInteger(8)) // C3
      return emitOpError() << "expects ui8 zero points of shape [" << groups << "], got " << type;
  }
  return success();
}

LogicalResult TensorInstructionOp::verify() {
  int64_t previous = -1;
  int64_t count = getInputs().size() + getAbsent().size();
  for (int64_t position : getAbsent()) {
    if (position <= previous || position >= count) // C1
      return emitOpError() << "expects ascending absent positions below " << count << ", got "
                           << position;
    previous = position;
  }
  return success();
}
