//===- VerifyElementwise.cpp - Operands of norms, arithmetic, copies and Hadamard ------------===//
#include "Format/OperandVerifier.h"

#include <bit>

namespace qrt {

Status OperandVerifier::verifyNorm() {
  int64_t length = 0, biasLength = 0;
  QRT_RETURN_IF_ERROR(needActivation(0));
  QRT_RETURN_IF_ERROR(needVector(1, length));
  if (in(0).width % length != 0)
    return widthError("width " + std::to_string(in(0).width) + " is not a multiple of " +
                      std::to_string(length) + " weights");
  if (has(2)) {
    QRT_RETURN_IF_ERROR(needVector(2, biasLength));
    if (biasLength != length)
      return widthError("bias and weight differ in length");
  }
  return needOutWidth(in(0).width);
}

Status OperandVerifier::verifyBinary() {
  QRT_RETURN_IF_ERROR(needActivation(0));
  if (in(1).kind != ValueKind::Buffer) {
    int64_t length = 0;
    QRT_RETURN_IF_ERROR(needVector(1, length));
    if (length != 1 && length != in(0).width)
      return widthError("a vector of " + std::to_string(length) + " for a width of " +
                        std::to_string(in(0).width));
  } else if (in(1).width != in(0).width) {
    return widthError("operands have widths " + std::to_string(in(0).width) + " and " +
                      std::to_string(in(1).width));
  }
  return needOutWidth(in(0).width);
}

Status OperandVerifier::verifySameWidth() {
  for (size_t i = 0; i < inst->inputs.size(); ++i) {
    QRT_RETURN_IF_ERROR(needActivation(i));
    if (in(i).width != in(0).width)
      return widthError("operands differ in width");
  }
  return needOutWidth(in(0).width);
}

Status OperandVerifier::verifyCopyColumns() {
  const std::vector<int64_t> &starts = *inst->getInts("starts"), &sizes = *inst->getInts("sizes");
  if (starts.size() != inst->inputs.size() || sizes.size() != inst->inputs.size())
    return ruleError("R20 attributes", what + ": starts and sizes need one entry per operand");
  int64_t total = 0;
  for (size_t i = 0; i < inst->inputs.size(); ++i) {
    QRT_RETURN_IF_ERROR(needActivation(i));
    if (starts[i] + sizes[i] > in(i).width)
      return widthError("columns " + std::to_string(starts[i]) + " to " +
                        std::to_string(starts[i] + sizes[i]) + " of an operand of width " +
                        std::to_string(in(i).width));
    total += sizes[i];
  }
  return needOutWidth(total);
}

Status OperandVerifier::verifyHadamard() {
  QRT_RETURN_IF_ERROR(needActivation(0));
  const int64_t block = inst->getInt("block");
  int64_t order = 1;
  if (has(1)) {
    int64_t length = 0;
    QRT_RETURN_IF_ERROR(needVector(1, length));
    const std::vector<int64_t> &shape = program.tensors[in(1).tensorIndex].shape;
    if (shape.size() != 2 || shape[0] != shape[1])
      return kindError(1, "a square matrix");
    order = shape[0];
  }
  if (in(0).width % block != 0)
    return widthError("width " + std::to_string(in(0).width) + " is not a multiple of a block of " +
                      std::to_string(block));
  if (block % order != 0 || !std::has_single_bit(uint64_t(block / order)))
    return widthError("a block of " + std::to_string(block) + " is no power of two times " +
                      std::to_string(order));
  return needOutWidth(in(0).width);
}

} // namespace qrt
