//===- VerifyAttributes.cpp - Operand counts and attributes: R19, R20 ------------------------===//
// One table says what each instruction takes; the engine may then read attributes without checks.
#include "Format/Container.h"
#include "Format/VerifierParts.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace qrt {

namespace {

enum class AttrType { Int, Float, Word, Ints, Floats };

struct AttrRule {
  std::string_view name;
  AttrType type;
  bool required;
  double min = 0, max = 0;     // Int, Float, and each element of lists
  std::string_view words = {}; // Word: "a|b|c"
};

constexpr double large = 1e15; // exactly representable, far beyond every real size

constexpr AttrRule embedAttrs[] = {{"offset", AttrType::Int, false, 0, 1e9}};
constexpr AttrRule linearAttrs[] = {{"activation", AttrType::Word, false, 0, 0, "f32|a16|a8"},
                                    {"activation_scales", AttrType::Floats, false, 1e-30, 1e30}};
constexpr AttrRule normAttrs[] = {{"epsilon", AttrType::Float, true, 0, 1e3}};
constexpr AttrRule ropeAttrs[] = {{"head_dim", AttrType::Int, true, 1, 65536},
                                  {"interleaved", AttrType::Int, false, 0, 1},
                                  {"scaling", AttrType::Float, false, -1e6, 1e6}};
constexpr AttrRule attentionAttrs[] = {
    {"num_heads", AttrType::Int, true, 1, 65536}, {"kv_heads", AttrType::Int, true, 1, 65536},
    {"head_dim", AttrType::Int, true, 1, 65536},  {"value_dim", AttrType::Int, true, 1, 65536},
    {"cache", AttrType::Int, true, 0, 1e6},       {"scale", AttrType::Float, true, -1e6, 1e6},
    {"softcap", AttrType::Float, false, 0, 1e9},  {"window", AttrType::Int, false, 0, large}};
constexpr AttrRule gatedAttrs[] = {
    {"kind", AttrType::Word, true, 0, 0, "silu|gelu|gelu_tanh|quick_gelu|relu|sigmoid"}};
constexpr AttrRule unaryAttrs[] = {{"kind", AttrType::Word, true, 0, 0,
                                    "gelu|gelu_tanh|quick_gelu|silu|relu|tanh|sigmoid|softcap"},
                                   {"cap", AttrType::Float, false, 1e-9, 1e9}};
constexpr AttrRule binaryAttrs[] = {{"kind", AttrType::Word, true, 0, 0, "add|sub|mul|div"},
                                    {"swapped", AttrType::Int, false, 0, 1}};
constexpr AttrRule copyAttrs[] = {{"starts", AttrType::Ints, true, 0, large},
                                  {"sizes", AttrType::Ints, true, 1, large}};
constexpr AttrRule hadamardAttrs[] = {{"block", AttrType::Int, true, 1, large}};

struct OpRule {
  int minInputs, maxInputs;
  int requiredInputs; // the first ones; later ones may be -1
  int minOutputs, maxOutputs;
  std::span<const AttrRule> attrs;
  bool openAttrs = false; // TensorOp: lib/Tensor checks its own attributes
};

const OpRule &ruleOf(OpCode op) {
  static const OpRule rules[numOpCodes] = {
      /*Embed*/ {2, 2, 2, 1, 1, embedAttrs},
      /*Linear*/ {2, 7, 2, 1, 1, linearAttrs},
      /*RmsNorm*/ {2, 2, 2, 1, 1, normAttrs},
      /*LayerNorm*/ {2, 3, 2, 1, 1, normAttrs},
      /*Rope*/ {3, 3, 3, 1, 1, ropeAttrs},
      /*Attention*/ {3, 4, 3, 1, 1, attentionAttrs},
      /*GatedActivation*/ {2, 2, 2, 1, 1, gatedAttrs},
      /*Unary*/ {1, 1, 1, 1, 1, unaryAttrs},
      /*Binary*/ {2, 2, 2, 1, 1, binaryAttrs},
      /*CopyColumns*/ {1, 1024, 1024, 1, 1, copyAttrs},
      /*SelectRows*/ {1, 1, 1, 1, 1, {}},
      /*TensorOp*/ {0, 4096, 0, 1, 4096, {}, true},
      /*Hadamard*/ {1, 2, 1, 1, 1, hadamardAttrs},
  };
  return rules[static_cast<size_t>(op)];
}

bool isWordOf(std::string_view word, std::string_view words) {
  while (true) {
    size_t bar = words.find('|');
    if (words.substr(0, bar) == word)
      return true;
    if (bar == std::string_view::npos)
      return false;
    words.remove_prefix(bar + 1);
  }
}

bool isAcceptable(const AttrRule &rule, const AttrValue &value) {
  auto inRange = [&](double x) { return x >= rule.min && x <= rule.max; };
  const int64_t *integer = std::get_if<int64_t>(&value);
  switch (rule.type) {
  case AttrType::Int:
    return integer && inRange(static_cast<double>(*integer));
  case AttrType::Float: {
    const double *number = std::get_if<double>(&value);
    return (number && inRange(*number)) || (integer && inRange(static_cast<double>(*integer)));
  }
  case AttrType::Word: {
    const std::string *word = std::get_if<std::string>(&value);
    return word && isWordOf(*word, rule.words);
  }
  case AttrType::Ints: {
    const auto *list = std::get_if<std::vector<int64_t>>(&value);
    return list && std::all_of(list->begin(), list->end(),
                               [&](int64_t x) { return inRange(static_cast<double>(x)); });
  }
  case AttrType::Floats: {
    const auto *list = std::get_if<std::vector<double>>(&value);
    return list && std::all_of(list->begin(), list->end(), inRange);
  }
  }
  return false;
}

Status verifyCounts(const Instruction &instruction, const std::string &what) {
  const OpRule &rule = ruleOf(instruction.op);
  auto between = [](size_t n, int low, int high) { return n >= size_t(low) && n <= size_t(high); };
  if (!between(instruction.inputs.size(), rule.minInputs, rule.maxInputs))
    return ruleError("R19 operands",
                     what + ": " + std::to_string(instruction.inputs.size()) + " operands");
  if (!between(instruction.outputs.size(), rule.minOutputs, rule.maxOutputs))
    return ruleError("R19 operands",
                     what + ": " + std::to_string(instruction.outputs.size()) + " results");
  for (size_t i = 0; i < instruction.inputs.size(); ++i)
    if (instruction.inputs[i] == -1 && i < size_t(rule.requiredInputs))
      return ruleError("R19 operands", what + ": operand " + std::to_string(i) + " is missing");
  return Status::ok();
}

Status verifyAttrs(const Instruction &instruction, const std::string &what) {
  const OpRule &rule = ruleOf(instruction.op);
  if (instruction.attrs.size() > 64)
    return ruleError("R20 attributes", what + ": more than 64 attributes");
  for (size_t i = 0; i < instruction.attrs.size(); ++i) {
    const Attr &attr = instruction.attrs[i];
    if (instruction.find(attr.name) != &attr.value)
      return ruleError("R20 attributes", what + ": attribute '" + attr.name + "' occurs twice");
    if (rule.openAttrs)
      continue;
    auto known = std::find_if(rule.attrs.begin(), rule.attrs.end(),
                              [&](const AttrRule &r) { return r.name == attr.name; });
    if (known == rule.attrs.end())
      return ruleError("R20 attributes", what + ": unknown attribute '" + attr.name + "'");
    if (!isAcceptable(*known, attr.value))
      return ruleError("R20 attributes",
                       what + ": attribute '" + attr.name + "' has a wrong type or value");
  }
  for (const AttrRule &attr : rule.attrs)
    if (attr.required && !instruction.find(attr.name))
      return ruleError("R20 attributes",
                       what + ": attribute '" + std::string(attr.name) + "' is missing");
  if (instruction.op == OpCode::Unary && instruction.getString("kind") == "softcap" &&
      !instruction.find("cap"))
    return ruleError("R20 attributes", what + ": attribute 'cap' is missing");
  if (instruction.op == OpCode::TensorOp && instruction.getString("op").empty())
    return ruleError("R20 attributes", what + ": attribute 'op' is missing");
  return Status::ok();
}

} // namespace

Status verifyAttributes(const Program &program) {
  const auto numValues = static_cast<int64_t>(program.values.size());
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction &instruction = program.instructions[i];
    const std::string what = describeInstruction(program, i);
    QRT_RETURN_IF_ERROR(verifyCounts(instruction, what));
    for (int32_t value : instruction.inputs)
      if (value < -1 || value >= numValues)
        return ruleError("R19 operands", what + ": no value " + std::to_string(value));
    for (int32_t value : instruction.outputs)
      if (value < 0 || value >= numValues)
        return ruleError("R19 operands", what + ": no value " + std::to_string(value));
    QRT_RETURN_IF_ERROR(verifyAttrs(instruction, what));
  }
  return Status::ok();
}

} // namespace qrt
