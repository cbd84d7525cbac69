//===- Verifier.cpp - Order of the rules, and those about values and interfaces --------------===//
#include "Format/Verifier.h"

#include "Format/Container.h"
#include "Format/VerifierParts.h"
#include "Support/CheckedMath.h"

#include <algorithm>
#include <unordered_set>

namespace qrt {

/// More features per token than any model has; keeps every later product far from overflow.
static constexpr int64_t maxWidth = int64_t(1) << 26;
static constexpr int64_t maxArena = int64_t(1) << 36;

std::string describeInstruction(const Program &program, size_t index) {
  const Instruction &instruction = program.instructions[index];
  std::string op = opCodeName(instruction.op);
  if (instruction.op == OpCode::TensorOp)
    op += " " + std::string(instruction.getString("op", "?").substr(0, 64));
  std::string text = "instruction " + std::to_string(index) + " (" + op;
  if (!instruction.location.empty())
    text += ", '" + instruction.location.substr(0, 200) + "'";
  return text + ")";
}

static Status verifyBuffer(const Program &program, const Value &value, const std::string &what) {
  if (program.kind != ProgramKind::TokenMajor || value.dtype != DType::F32)
    return ruleError("R17 value", what + " is a buffer; those are f32 and of token-major programs");
  if (value.width < 1 || value.width > maxWidth)
    return ruleError("R17 value", what + " has width " + std::to_string(value.width));
  if (value.arenaOffset < 0 || value.arenaOffset % 16 != 0 ||
      !fitsInside(uint64_t(value.arenaOffset), uint64_t(value.width),
                  uint64_t(program.arenaFloatsPerToken)))
    return ruleError("R18 arena-bounds", what + " lies at " + std::to_string(value.arenaOffset) +
                                             ", outside the arena or not aligned to 16 floats");
  return Status::ok();
}

static Status verifyValues(const Program &program) {
  if (program.arenaFloatsPerToken < 0 || program.arenaFloatsPerToken > maxArena)
    return ruleError("R18 arena-bounds", "the arena has an impossible size");
  for (size_t i = 0; i < program.values.size(); ++i) {
    const Value &value = program.values[i];
    const std::string what = "value " + std::to_string(i);
    switch (value.kind) {
    case ValueKind::Buffer:
      QRT_RETURN_IF_ERROR(verifyBuffer(program, value, what));
      break;
    case ValueKind::Tensor:
      if (value.tensorIndex < 0 || size_t(value.tensorIndex) >= program.tensors.size())
        return ruleError("R17 value", what + " names no tensor");
      break;
    case ValueKind::Ids:
    case ValueKind::Positions:
      if (program.kind != ProgramKind::TokenMajor || value.dtype != DType::I32)
        return ruleError("R17 value",
                         what + ": ids and positions are i32 and of token-major programs");
      break;
    case ValueKind::Dynamic:
      if (program.kind != ProgramKind::Generic)
        return ruleError("R17 value", what + " is dynamic in a token-major program");
      break;
    }
  }
  return Status::ok();
}

static Status verifyCaches(const Program &program) {
  if (program.kind == ProgramKind::Generic && !program.caches.empty())
    return ruleError("R27 caches", "a generic program has no caches");
  const KvSpec &kv = program.kv;
  if (!KvSpec::isCacheType(kv.keys) || !KvSpec::isCacheType(kv.values) || kv.sink < 0 ||
      kv.sink > INT32_MAX || kv.recent < 0 || kv.recent > INT32_MAX ||
      (!kv.isCoded() && (kv.sink > 0 || kv.recent > 0)) ||
      (program.kind == ProgramKind::Generic && kv != KvSpec()))
    return ruleError("R27 caches", "the stored form of keys and values is impossible");
  for (size_t i = 0; i < program.caches.size(); ++i) {
    const CacheSpec &cache = program.caches[i];
    auto inRange = [](int64_t n) { return n >= 1 && n <= 65536; };
    if (!inRange(cache.kvHeads) || !inRange(cache.headDim) || !inRange(cache.valueDim) ||
        cache.kvHeads * std::max(cache.headDim, cache.valueDim) > maxWidth || cache.window < 0)
      return ruleError("R27 caches", "cache " + std::to_string(i) + " has an impossible shape");
  }
  return Status::ok();
}

static Status verifyInterface(const Program &program) {
  const bool generic = program.kind == ProgramKind::Generic;
  auto isValue = [&](const IoDesc &io) {
    return io.value >= 0 && size_t(io.value) < program.values.size();
  };
  if (program.vocabSize < 1 || program.vocabSize > maxWidth || program.maxContext < 0)
    return ruleError("R28 interface", "impossible vocabulary size or context length");
  bool hasIds = false;
  std::unordered_set<std::string_view> names;
  std::unordered_set<int32_t> inputValues;
  for (const IoDesc &input : program.inputs) {
    if (!isValue(input) || !names.insert(input.name).second ||
        !inputValues.insert(input.value).second)
      return ruleError("R28 interface", "input '" + input.name + "': no such value, or twice");
    ValueKind kind = program.values[input.value].kind;
    hasIds |= kind == ValueKind::Ids;
    if (generic ? kind != ValueKind::Dynamic
                : kind != ValueKind::Ids && kind != ValueKind::Positions)
      return ruleError("R28 interface", "input '" + input.name + "' has a wrong kind of value");
  }
  names.clear();
  for (const IoDesc &output : program.outputs) {
    if (!isValue(output) || !names.insert(output.name).second)
      return ruleError("R28 interface", "output '" + output.name + "': no such value, or twice");
    const Value &value = program.values[output.value];
    if (generic ? value.kind != ValueKind::Dynamic && value.kind != ValueKind::Tensor
                : value.kind != ValueKind::Buffer)
      return ruleError("R28 interface", "output '" + output.name + "' has a wrong kind of value");
  }
  if (generic)
    return Status::ok();
  if (!hasIds || program.outputs.size() != 1 || program.outputs[0].name != "logits" ||
      program.values[program.outputs[0].value].width != program.vocabSize)
    return ruleError("R28 interface", "a token-major program reads ids and has one output, "
                                      "'logits', as wide as the vocabulary");
  return Status::ok();
}

Status verifyProgram(const Program &program, uint64_t weightsBytes) {
  QRT_RETURN_IF_ERROR(verifyTensors(program, weightsBytes));
  QRT_RETURN_IF_ERROR(verifyValues(program));
  QRT_RETURN_IF_ERROR(verifyCaches(program));
  QRT_RETURN_IF_ERROR(verifyInterface(program));
  QRT_RETURN_IF_ERROR(verifyAttributes(program));
  QRT_RETURN_IF_ERROR(verifyOperands(program));
  QRT_RETURN_IF_ERROR(verifyDataFlow(program));
  return verifyArena(program);
}

} // namespace qrt
