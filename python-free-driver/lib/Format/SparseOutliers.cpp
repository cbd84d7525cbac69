//===- SparseOutliers.cpp - Weights of a quantized linear that are kept in f16 ---------------===//
#include "Format/SparseOutliers.h"

#include "Format/Container.h"
#include "Format/VerifierParts.h"

#include <set>

namespace qrt {

std::optional<OutlierTensors> outlierTensors(const Program &program, const Instruction &linear) {
  if (linear.op != OpCode::Linear || linear.inputs.size() <= outlierOperand + 2 ||
      linear.inputs[outlierOperand] < 0)
    return std::nullopt;
  auto tensor = [&](size_t operand) {
    return program.values[size_t(linear.inputs[operand])].tensorIndex;
  };
  return OutlierTensors{tensor(outlierOperand), tensor(outlierOperand + 1),
                        tensor(outlierOperand + 2)};
}

kernels::SparseMatrix outlierMatrix(const Program &program, const Instruction &linear,
                                    std::span<const uint8_t> weights) {
  kernels::SparseMatrix matrix;
  if (auto tensors = outlierTensors(program, linear)) {
    auto at = [&](int32_t tensor) {
      return weights.data() + program.tensors[size_t(tensor)].dataOffset;
    };
    matrix.rows = reinterpret_cast<const int32_t *>(at(tensors->rows));
    matrix.columns = reinterpret_cast<const uint16_t *>(at(tensors->columns));
    matrix.values = reinterpret_cast<const uint16_t *>(at(tensors->values));
  }
  return matrix;
}

static Status verifyIndices(const kernels::SparseMatrix &matrix, int64_t n, int64_t k,
                            int64_t count, const std::string &what) {
  auto error = [&](const std::string &text) {
    return ruleError("R32 outliers", what + ": " + text);
  };
  if (matrix.rows[0] != 0 || matrix.rows[n] != count)
    return error("the rows do not start at 0 or do not end with the values");
  for (int64_t row = 0; row < n; ++row) {
    const int64_t first = matrix.rows[row], end = matrix.rows[row + 1];
    if (end < first || end > count)
      return error("row " + std::to_string(row) + " ends before it starts, or behind the values");
    for (int64_t i = first; i < end; ++i)
      if (matrix.columns[i] >= k || (i > first && matrix.columns[i] <= matrix.columns[i - 1]))
        return error("columns of row " + std::to_string(row) + " do not ascend, or do not exist");
  }
  return Status::ok();
}

Status verifyOutlierIndices(const Program &program, std::span<const uint8_t> weights) {
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction &linear = program.instructions[i];
    auto tensors = outlierTensors(program, linear);
    if (!tensors)
      continue;
    const Value &value = program.values[size_t(linear.inputs[1])];
    const kernels::WeightDesc &weight = program.tensors[size_t(value.tensorIndex)].weight;
    QRT_RETURN_IF_ERROR(verifyIndices(outlierMatrix(program, linear, weights), weight.n, weight.k,
                                      program.tensors[size_t(tensors->values)].shape[0],
                                      describeInstruction(program, i)));
  }
  return Status::ok();
}

OutlierCount countOutliers(const Program &program) {
  OutlierCount total;
  std::set<int32_t> seen;
  for (const Instruction &instruction : program.instructions) {
    auto tensors = outlierTensors(program, instruction);
    if (!tensors)
      continue;
    ++total.linears;
    if (seen.insert(tensors->values).second)
      total.weights += program.tensors[size_t(tensors->values)].shape[0];
    for (int32_t tensor : {tensors->rows, tensors->columns})
      if (seen.insert(tensor).second)
        total.bytes += int64_t(program.tensors[size_t(tensor)].dataBytes);
  }
  total.bytes += 2 * total.weights;
  return total;
}

} // namespace qrt
