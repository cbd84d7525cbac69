//===- AlternateSet.cpp - The second weight set of a program ---------------------------------===//
#include "Format/AlternateSet.h"

namespace qrt {

static constexpr size_t alternateOperand = 3;

int32_t alternateTensor(const Program &program, const Instruction &linear) {
  if (linear.op != OpCode::Linear || linear.inputs.size() <= alternateOperand ||
      linear.inputs[alternateOperand] < 0)
    return -1;
  return program.values[size_t(linear.inputs[alternateOperand])].tensorIndex;
}

AlternateSet alternateSet(const Program &program) {
  AlternateSet set;
  std::vector<bool> other(program.tensors.size(), false);
  set.onlyHere.assign(program.tensors.size(), false);
  for (const Instruction &instruction : program.instructions) {
    const int32_t alternate = alternateTensor(program, instruction);
    if (alternate >= 0) {
      ++set.linears;
      set.onlyHere[size_t(alternate)] = true;
    }
    for (size_t i = 0; i < instruction.inputs.size(); ++i) {
      if (instruction.inputs[i] < 0 || (alternate >= 0 && i == alternateOperand))
        continue;
      const Value &value = program.values[size_t(instruction.inputs[i])];
      if (value.kind != ValueKind::Tensor)
        continue;
      const TensorEntry &tensor = program.tensors[size_t(value.tensorIndex)];
      other[size_t(value.tensorIndex)] = true;
      set.quantized +=
          instruction.op == OpCode::Linear && i == 1 && kernels::isQuantized(tensor.weight.format);
    }
  }
  for (size_t i = 0; i < other.size(); ++i) {
    set.onlyHere[i] = set.onlyHere[i] && !other[i];
    if (set.onlyHere[i])
      set.bytes += int64_t(program.tensors[i].dataBytes);
  }
  return set;
}

} // namespace qrt
