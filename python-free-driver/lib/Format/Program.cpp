//===- Program.cpp - Names and attribute access ----------------------------------------------===//
#include "Format/Program.h"

namespace qrt {

const char *sectionName(SectionKind kind) {
  switch (kind) {
  case SectionKind::Program:
    return "program";
  case SectionKind::Weights:
    return "weights";
  case SectionKind::Tokenizer:
    return "tokenizer";
  case SectionKind::TokenizerConfig:
    return "tokenizer_config";
  case SectionKind::ChatTemplate:
    return "chat_template";
  case SectionKind::GenerationConfig:
    return "generation_config";
  case SectionKind::ModelConfig:
    return "config";
  case SectionKind::Recipe:
    return "recipe";
  case SectionKind::Provenance:
    return "provenance";
  case SectionKind::Markers:
    return "markers";
  }
  return "unknown";
}

const char *opCodeName(OpCode op) {
  static const char *const names[numOpCodes] = {
      "Embed", "Linear", "RmsNorm",     "LayerNorm",  "Rope",     "Attention", "GatedActivation",
      "Unary", "Binary", "CopyColumns", "SelectRows", "TensorOp", "Hadamard"};
  size_t index = static_cast<size_t>(op);
  return index < numOpCodes ? names[index] : "unknown";
}

const AttrValue *Instruction::find(std::string_view attr) const {
  for (const Attr &candidate : attrs)
    if (candidate.name == attr)
      return &candidate.value;
  return nullptr;
}

int64_t Instruction::getInt(std::string_view attr, int64_t otherwise) const {
  const AttrValue *value = find(attr);
  const int64_t *number = value ? std::get_if<int64_t>(value) : nullptr;
  return number ? *number : otherwise;
}

double Instruction::getFloat(std::string_view attr, double otherwise) const {
  const AttrValue *value = find(attr);
  if (!value)
    return otherwise;
  if (const double *number = std::get_if<double>(value))
    return *number;
  if (const int64_t *number = std::get_if<int64_t>(value))
    return static_cast<double>(*number);
  return otherwise;
}

std::string_view Instruction::getString(std::string_view attr, std::string_view otherwise) const {
  const AttrValue *value = find(attr);
  const std::string *text = value ? std::get_if<std::string>(value) : nullptr;
  return text ? std::string_view(*text) : otherwise;
}

const std::vector<int64_t> *Instruction::getInts(std::string_view attr) const {
  const AttrValue *value = find(attr);
  return value ? std::get_if<std::vector<int64_t>>(value) : nullptr;
}

} // namespace qrt
