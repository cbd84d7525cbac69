//===- VerifyOperands.cpp - Kinds and widths of operands: R21, R22, R25, R29, R31 - R33 -----===//
#include "Format/Container.h"
#include "Format/SparseOutliers.h"
#include "Format/Verifier.h"
#include "Format/VerifierParts.h"
#include "Support/CheckedMath.h"
#include "kernels/cpu/linear/Layout.h"

#include <bit>

namespace qrt {

namespace {

/// Checks one instruction at a time; carries which values hold selected rows.
class OperandVerifier {
public:
  explicit OperandVerifier(const Program &program)
      : program(program), selected(selectedRowValues(program)),
        cacheUsed(program.caches.size(), false) {}

  Status run();

private:
  Status verifyOne();
  Status kindError(size_t operand, const std::string &expected) const {
    return ruleError("R21 operand-kind",
                     what + ": operand " + std::to_string(operand) + " must be " + expected);
  }
  Status widthError(const std::string &text) const {
    return ruleError("R22 width", what + ": " + text);
  }
  const Value &in(size_t i) const { return program.values[inst->inputs[i]]; }
  const Value &out() const { return program.values[inst->outputs[0]]; }
  bool has(size_t i) const { return i < inst->inputs.size() && inst->inputs[i] >= 0; }

  /// Activations: Buffer (TokenMajor) or Dynamic (Generic).
  Status needActivation(size_t i) const;
  Status needWeight(size_t i, const TensorEntry *&tensor) const;
  Status needVector(size_t i, int64_t &length) const;
  Status needOutWidth(int64_t width) const;

  Status verifyEmbed();
  Status verifyLinear();
  Status verifyAlternate(const TensorEntry &weight) const;
  Status verifyOutliers(const TensorEntry &weight) const;
  Status verifyActivationScales(const TensorEntry &weight) const;
  Status verifyNorm();
  Status verifyRope();
  Status verifyAttention();
  Status verifyBinary();
  Status verifySameWidth();
  Status verifyCopyColumns();
  Status verifyHadamard();
  Status verifyRows();
  Status verifyGeneric();

  const Program &program;
  std::vector<bool> selected;
  std::vector<bool> cacheUsed;
  const Instruction *inst = nullptr;
  std::string what;
};

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

Status OperandVerifier::verifyRope() {
  int64_t half = 0;
  QRT_RETURN_IF_ERROR(needActivation(0));
  if (in(1).kind != ValueKind::Positions)
    return kindError(1, "positions");
  QRT_RETURN_IF_ERROR(needVector(2, half));
  int64_t headDim = inst->getInt("head_dim");
  if (in(0).width % headDim != 0)
    return widthError("width " + std::to_string(in(0).width) + " is not a multiple of head_dim " +
                      std::to_string(headDim));
  if (half > headDim / 2)
    return widthError("more frequencies than half of head_dim");
  return needOutWidth(in(0).width);
}

Status OperandVerifier::verifyAttention() {
  for (size_t i = 0; i < 3; ++i)
    QRT_RETURN_IF_ERROR(needActivation(i));
  int64_t heads = inst->getInt("num_heads"), kvHeads = inst->getInt("kv_heads");
  int64_t headDim = inst->getInt("head_dim"), valueDim = inst->getInt("value_dim");
  if (heads % kvHeads != 0)
    return widthError("num_heads is not a multiple of kv_heads");
  const int64_t widths[3] = {heads * headDim, kvHeads * headDim, kvHeads * valueDim};
  for (size_t i = 0; i < 3; ++i)
    if (in(i).width != widths[i])
      return widthError("operand " + std::to_string(i) + " has width " +
                        std::to_string(in(i).width) + ", heads and dimensions say " +
                        std::to_string(widths[i]));
  if (has(3)) {
    int64_t length = 0;
    QRT_RETURN_IF_ERROR(needVector(3, length));
    if (length != kvHeads * headDim)
      return widthError("the balance has " + std::to_string(length) + " entries, the keys " +
                        std::to_string(kvHeads * headDim));
  }
  auto cache = static_cast<size_t>(inst->getInt("cache"));
  if (cache >= program.caches.size() || cacheUsed[cache])
    return ruleError("R27 caches",
                     what + ": cache " + std::to_string(cache) +
                         (cache < cacheUsed.size() ? " has another user" : " does not exist"));
  cacheUsed[cache] = true;
  const CacheSpec &spec = program.caches[cache];
  if (spec.kvHeads != kvHeads || spec.headDim != headDim || spec.valueDim != valueDim ||
      spec.window != inst->getInt("window"))
    return ruleError("R27 caches",
                     what + ": cache " + std::to_string(cache) + " is described differently");
  return needOutWidth(heads * valueDim);
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

} // namespace

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
