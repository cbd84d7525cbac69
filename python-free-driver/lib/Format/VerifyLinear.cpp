//===- VerifyLinear.cpp - Operands of embeddings and linears: R29, R31 - R33 -----------------===//
#include "Format/OperandVerifier.h"
#include "Format/SparseOutliers.h"
#include "kernels/cpu/linear/Layout.h"

namespace qrt {

Status OperandVerifier::verifyEmbed() {
  const TensorEntry *table = nullptr;
  QRT_RETURN_IF_ERROR(needWeight(0, table));
  int64_t offset = inst->getInt("offset");
  if (program.kind == ProgramKind::Generic)
    return needActivation(1);
  if (in(1).kind == ValueKind::Ids) {
    if (table->weight.n - offset < program.vocabSize)
      return ruleError("R29 vocabulary", what + ": the table has " +
                                             std::to_string(table->weight.n) +
                                             " rows, fewer than vocabulary and offset need");
  } else if (in(1).kind == ValueKind::Positions) {
    if (table->weight.n <= offset)
      return ruleError("R29 vocabulary", what + ": the offset is behind the end of the table");
  } else {
    return kindError(1, "ids or positions");
  }
  return needOutWidth(table->weight.k);
}

/// R31: the second weight set is of dense weights, and of token-major programs.
Status OperandVerifier::verifyAlternate(const TensorEntry &weight) const {
  const TensorEntry *alternate = nullptr;
  QRT_RETURN_IF_ERROR(needWeight(3, alternate));
  auto error = [&](const char *text) { return ruleError("R31 alternate", what + ": " + text); };
  if (program.kind == ProgramKind::Generic)
    return error("only linears of token-major programs have an alternate weight");
  if (kernels::isQuantized(alternate->weight.format))
    return error("the alternate weight is quantized");
  if (alternate->shape != weight.shape)
    return error("the alternate weight has another shape than the weight");
  return Status::ok();
}

/// R32, but for what the tensors hold (SparseOutliers.h).
Status OperandVerifier::verifyOutliers(const TensorEntry &weight) const {
  auto error = [&](const std::string &text) {
    return ruleError("R32 outliers", what + ": " + text);
  };
  const TensorEntry *parts[3];
  constexpr DType types[3] = {DType::I32, DType::U16, DType::F16};
  for (size_t i = 0; i < 3; ++i) {
    const size_t operand = outlierOperand + i;
    if (!has(operand))
      return error("outliers need rows, columns and values");
    if (in(operand).kind != ValueKind::Tensor)
      return kindError(operand, "a plain tensor");
    parts[i] = &program.tensors[in(operand).tensorIndex];
    if (parts[i]->packed || parts[i]->dtype != types[i] || parts[i]->shape.size() != 1)
      return kindError(operand, "a plain vector of " + std::string(name(types[i])));
  }
  if (!kernels::isQuantized(weight.weight.format))
    return error("the weight is not quantized");
  if (weight.weight.k > maxOutlierColumns)
    return error("the weight has more than " + std::to_string(maxOutlierColumns) + " columns");
  if (parts[0]->shape[0] != weight.weight.n + 1 || parts[1]->shape[0] < 1 ||
      parts[1]->shape[0] > INT32_MAX || parts[1]->shape != parts[2]->shape)
    return error("the lengths of rows, columns and values do not fit the weight and each other");
  return Status::ok();
}

/// R33.
Status OperandVerifier::verifyActivationScales(const TensorEntry &weight) const {
  const AttrValue *value = inst->find("activation_scales");
  if (!value)
    return Status::ok();
  auto error = [&](const std::string &text) {
    return ruleError("R33 activation-scales", what + ": " + text);
  };
  if (inst->getString("activation") != "a8")
    return error("only 8-bit activations have static scales");
  const size_t scales = std::get<std::vector<double>>(*value).size();
  const int64_t blocks = kernels::panelGeometry(weight.weight).blocks;
  if (int64_t(scales) != blocks)
    return error(std::to_string(scales) + " scales for " + std::to_string(blocks) + " blocks");
  return Status::ok();
}

Status OperandVerifier::verifyLinear() {
  const TensorEntry *weight = nullptr;
  QRT_RETURN_IF_ERROR(needActivation(0));
  QRT_RETURN_IF_ERROR(needWeight(1, weight));
  if (inst->getString("activation") == "a8" && !kernels::isQuantized(weight->weight.format))
    return ruleError("R21 operand-kind",
                     what + ": 8-bit activations need quantized weights in operand 1");
  if (has(2)) {
    int64_t length = 0;
    QRT_RETURN_IF_ERROR(needVector(2, length));
    if (length != weight->weight.n)
      return widthError("the bias has " + std::to_string(length) + " entries, the weight " +
                        std::to_string(weight->weight.n) + " rows");
  }
  if (has(3))
    QRT_RETURN_IF_ERROR(verifyAlternate(*weight));
  if (has(outlierOperand) || has(outlierOperand + 1) || has(outlierOperand + 2))
    QRT_RETURN_IF_ERROR(verifyOutliers(*weight));
  QRT_RETURN_IF_ERROR(verifyActivationScales(*weight));
  if (program.kind == ProgramKind::Generic)
    return Status::ok();
  if (in(0).width != weight->weight.k)
    return widthError("the operand has width " + std::to_string(in(0).width) + ", the weight " +
                      std::to_string(weight->weight.k) + " columns");
  return needOutWidth(weight->weight.n);
}

} // namespace qrt
