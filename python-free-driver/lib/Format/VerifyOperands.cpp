//===- VerifyOperands.cpp - Kinds and widths of operands: R21, R22, R25, R27, R30 ------------===//
#include "Format/OperandVerifier.h"
#include "Support/CheckedMath.h"

#include <algorithm>

namespace qrt {

Status OperandVerifier::needActivation(size_t i) const {
  ValueKind expected =
      program.kind == ProgramKind::TokenMajor ? ValueKind::Buffer : ValueKind::Dynamic;
  if (in(i).kind != expected)
    return kindError(i, "an activation");
  return Status::ok();
}

Status OperandVerifier::needWeight(size_t i, const TensorEntry *&tensor) const {
  if (in(i).kind != ValueKind::Tensor)
    return kindError(i, "a packed tensor");
  tensor = &program.tensors[in(i).tensorIndex];
  return tensor->packed ? Status::ok() : kindError(i, "a packed tensor");
}

Status OperandVerifier::needVector(size_t i, int64_t &length) const {
  if (in(i).kind != ValueKind::Tensor)
    return kindError(i, "a plain f32 tensor");
  const TensorEntry &tensor = program.tensors[in(i).tensorIndex];
  if (tensor.packed || tensor.dtype != DType::F32)
    return kindError(i, "a plain f32 tensor");
  length = *checkedProduct(tensor.shape); // R13 has passed
  return length > 0 ? Status::ok() : kindError(i, "a tensor that is not empty");
}

Status OperandVerifier::needOutWidth(int64_t width) const {
  if (out().width != width)
    return widthError("the result has width " + std::to_string(out().width) + ", not " +
                      std::to_string(width));
  return Status::ok();
}

/// R25: operands of one instruction have the same rows; what needs all rows gets them.
Status OperandVerifier::verifyRows() {
  bool any = false, all = true;
  for (int32_t value : inst->inputs)
    if (value >= 0 && program.values[value].kind == ValueKind::Buffer) {
      any |= selected[value];
      all &= selected[value];
    }
  bool needsAll =
      inst->op == OpCode::SelectRows || inst->op == OpCode::Attention || inst->op == OpCode::Rope;
  if (any && (needsAll || !all))
    return ruleError("R25 rows", what + ": mixes selected rows with all rows, or needs all rows");
  return Status::ok();
}

Status OperandVerifier::verifyGeneric() {
  for (size_t i = 0; i < inst->inputs.size(); ++i)
    if (has(i) && in(i).kind != ValueKind::Dynamic &&
        (in(i).kind != ValueKind::Tensor || program.tensors[in(i).tensorIndex].packed))
      return kindError(i, "a dynamic value or a plain tensor");
  return Status::ok();
}

Status OperandVerifier::verifyOne() {
  bool generic = program.kind == ProgramKind::Generic;
  bool both = inst->op == OpCode::Linear || inst->op == OpCode::Embed;
  if (!both && generic != (inst->op == OpCode::TensorOp))
    return ruleError("R30 program-kind", what + ": not an instruction of a " +
                                             (generic ? "generic" : "token-major") + " program");
  for (int32_t value : inst->outputs)
    if (program.values[value].kind != (generic ? ValueKind::Dynamic : ValueKind::Buffer))
      return ruleError("R21 operand-kind", what + ": the result must be an activation");
  if (!generic)
    QRT_RETURN_IF_ERROR(verifyRows());
  switch (inst->op) {
  case OpCode::Embed:
    return verifyEmbed();
  case OpCode::Linear:
    return verifyLinear();
  case OpCode::RmsNorm:
  case OpCode::LayerNorm:
    return verifyNorm();
  case OpCode::Rope:
    return verifyRope();
  case OpCode::Attention:
    return verifyAttention();
  case OpCode::Binary:
    return verifyBinary();
  case OpCode::GatedActivation:
  case OpCode::Unary:
  case OpCode::SelectRows:
    return verifySameWidth();
  case OpCode::CopyColumns:
    return verifyCopyColumns();
  case OpCode::Hadamard:
    return verifyHadamard();
  case OpCode::TensorOp:
    return verifyGeneric();
  }
  return internalError("unreachable");
}

Status OperandVerifier::run() {
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    inst = &program.instructions[i];
    what = describeInstruction(program, i);
    QRT_RETURN_IF_ERROR(verifyOne());
  }
  for (size_t cache = 0; cache < cacheUsed.size(); ++cache)
    if (!cacheUsed[cache])
      return ruleError("R27 caches", "cache " + std::to_string(cache) + " has no user");
  return Status::ok();
}

Status verifyOperands(const Program &program) { return OperandVerifier(program).run(); }

std::vector<bool> selectedRowValues(const Program &program) {
  std::vector<bool> selected(program.values.size(), false);
  for (const Instruction &instruction : program.instructions) {
    bool rows = instruction.op == OpCode::SelectRows;
    for (int32_t value : instruction.inputs)
      rows |= value >= 0 && selected[value];
    for (int32_t value : instruction.outputs)
      selected[value] = rows;
  }
  return selected;
}

int64_t positionLimit(const Program &program) {
  int64_t limit = 0;
  for (const Instruction &instruction : program.instructions) {
    if (instruction.op != OpCode::Embed ||
        program.values[instruction.inputs[1]].kind != ValueKind::Positions)
      continue;
    const Value &table = program.values[instruction.inputs[0]];
    int64_t rows = program.tensors[table.tensorIndex].weight.n - instruction.getInt("offset");
    limit = limit == 0 ? rows : std::min(limit, rows);
  }
  return limit;
}

} // namespace qrt
