//===- VerifyDataFlow.cpp - Definitions, uses and the arena plan: R23, R24, R26 --------------===//
#include "Format/Container.h"
#include "Format/VerifierParts.h"

#include <algorithm>
#include <map>

namespace qrt {

static bool isComputed(const Value &value) {
  return value.kind == ValueKind::Buffer || value.kind == ValueKind::Dynamic;
}

Status verifyDataFlow(const Program &program) {
  std::vector<bool> defined(program.values.size(), false);
  if (program.kind == ProgramKind::Generic)
    for (const IoDesc &input : program.inputs)
      defined[input.value] = true;
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction &instruction = program.instructions[i];
    for (int32_t value : instruction.inputs)
      if (value >= 0 && isComputed(program.values[value]) && !defined[value])
        return ruleError("R24 use-before-definition",
                         describeInstruction(program, i) + ": value " + std::to_string(value));
    for (int32_t value : instruction.outputs) {
      if (defined[value])
        return ruleError("R23 single-definition", describeInstruction(program, i) + ": value " +
                                                      std::to_string(value) +
                                                      " is already defined");
      defined[value] = true;
    }
  }
  for (const IoDesc &output : program.outputs)
    if (isComputed(program.values[output.value]) && !defined[output.value])
      return ruleError("R24 use-before-definition",
                       "output '" + output.name + "' is never defined");
  return Status::ok();
}

/// May the kernel of `op` write its result over an operand of the same place and width?
static bool worksInPlace(OpCode op) {
  return op == OpCode::RmsNorm || op == OpCode::LayerNorm || op == OpCode::Rope ||
         op == OpCode::GatedActivation || op == OpCode::Unary || op == OpCode::Binary;
}

Status verifyArena(const Program &program) {
  if (program.kind == ProgramKind::Generic)
    return Status::ok();
  const size_t end = program.instructions.size();
  // The last instruction that reads a value (its own definition if none does).
  std::vector<size_t> lastUse(program.values.size(), 0);
  for (size_t i = 0; i < end; ++i) {
    for (int32_t value : program.instructions[i].outputs)
      lastUse[value] = i;
    for (int32_t value : program.instructions[i].inputs)
      if (value >= 0)
        lastUse[value] = i;
  }
  for (const IoDesc &output : program.outputs)
    lastUse[output.value] = end;

  // Live buffers by arena offset. They never overlap, so a new one is compared with its two
  // neighbours only.
  std::map<int64_t, int32_t> live;
  auto retire = [&](const Instruction &instruction, size_t now) {
    for (const auto *list : {&instruction.inputs, &instruction.outputs})
      for (int32_t value : *list) {
        if (value < 0 || program.values[value].kind != ValueKind::Buffer || lastUse[value] != now)
          continue;
        auto it = live.find(program.values[value].arenaOffset);
        if (it != live.end() && it->second == value)
          live.erase(it);
      }
  };
  for (size_t i = 0; i < end; ++i) {
    const Instruction &instruction = program.instructions[i];
    for (int32_t value : instruction.outputs) {
      const Value &buffer = program.values[value];
      auto next = live.lower_bound(buffer.arenaOffset);
      if (next != live.end() && next->first == buffer.arenaOffset && lastUse[next->second] == i &&
          worksInPlace(instruction.op) && program.values[next->second].width == buffer.width)
        next = live.erase(next); // the operand dies here and the result takes its place
      bool clash = next != live.end() && next->first < buffer.arenaOffset + buffer.width;
      int32_t other = clash ? next->second : -1;
      if (next != live.begin()) {
        auto before = std::prev(next);
        if (before->first + program.values[before->second].width > buffer.arenaOffset)
          clash = true, other = before->second;
      }
      if (clash)
        return ruleError("R26 arena-overlap",
                         describeInstruction(program, i) + ": value " + std::to_string(value) +
                             " would overwrite value " + std::to_string(other) + ", still needed");
      live.emplace(buffer.arenaOffset, value);
    }
    retire(instruction, i);
  }
  return Status::ok();
}

} // namespace qrt
