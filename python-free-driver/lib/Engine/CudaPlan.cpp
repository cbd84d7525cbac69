//===- CudaPlan.cpp - Where the values of a program lie on a device --------------------------===//
#include "Engine/CudaPlan.h"

#include "Format/AlternateSet.h"
#include "Format/Verifier.h"

#include <algorithm>
#include <optional>

namespace qrt {

std::string instructionText(const Program &program, size_t index) {
  const Instruction &instruction = program.instructions[index];
  return "instruction " + std::to_string(index) + " (" + opCodeName(instruction.op) + ", '" +
         instruction.location + "')";
}

DType cudaProductType(const Program &program, const Instruction &instruction) {
  const std::string_view activation = instruction.getString("activation", "f32");
  if (activation == "a8")
    return DType::I8;
  const Value &weight = program.values[instruction.inputs[1]];
  const kernels::WeightFormat format = program.tensors[weight.tensorIndex].weight.format;
  if (activation == "f32" || format == kernels::WeightFormat::F32)
    return DType::F32;
  return format == kernels::WeightFormat::BF16 ? DType::BF16 : DType::F16;
}

DType cudaAlternateType(const Program &program, int32_t tensorIndex) {
  switch (program.tensors[tensorIndex].weight.format) {
  case kernels::WeightFormat::F32:
    return DType::F32;
  case kernels::WeightFormat::BF16:
    return DType::BF16;
  default:
    return DType::F16;
  }
}

KvOptions cudaKvOptions(const Program &program, const KvOptions &options) {
  KvOptions wanted = options;
  const bool exact = std::ranges::all_of(program.instructions, [&](const Instruction &each) {
    return each.op != OpCode::Linear || cudaProductType(program, each) == DType::F32;
  });
  if (!exact && program.kv == KvSpec() && !options.keys && !options.values)
    wanted.keys = wanted.values = DType::F16;
  return wanted;
}

/// Kernels of these can store their result in 16 bits.
static bool storesHalves(OpCode op) {
  switch (op) {
  case OpCode::Embed:
  case OpCode::RmsNorm:
  case OpCode::LayerNorm:
  case OpCode::Attention:
  case OpCode::GatedActivation:
  case OpCode::Unary:
  case OpCode::Binary:
  case OpCode::Hadamard:
  case OpCode::CopyColumns:
  case OpCode::SelectRows:
    return true;
  default:
    return false;
  }
}

namespace {

/// First free place for values whose lives overlap.
class HalfArena {
public:
  int64_t place(int64_t width, size_t from, size_t to) {
    int64_t offset = 0;
    std::vector<Piece> alive;
    for (const Piece &piece : pieces)
      if (piece.from <= to && from <= piece.to)
        alive.push_back(piece);
    std::sort(alive.begin(), alive.end(),
              [](const Piece &a, const Piece &b) { return a.offset < b.offset; });
    for (const Piece &piece : alive) {
      if (offset + width <= piece.offset)
        break;
      offset = std::max(offset, piece.offset + piece.width);
    }
    pieces.push_back({offset, width, from, to});
    return offset;
  }

private:
  struct Piece {
    int64_t offset, width;
    size_t from, to; ///< instructions
  };
  std::vector<Piece> pieces;
};

} // namespace

CudaPlan planCuda(const Program &program, bool alternates) {
  struct Use {
    std::optional<DType> product; ///< what all reading products want
    bool half = false;            ///< some product wants 16 bits
    bool other = false;           ///< read by something else
    size_t definition = 0, last = 0;
    bool definedAsHalf = false;
  };
  std::vector<Use> uses(program.values.size());
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction &instruction = program.instructions[i];
    for (size_t operand = 0; operand < instruction.inputs.size(); ++operand) {
      const int32_t value = instruction.inputs[operand];
      if (value < 0 || program.values[value].kind != ValueKind::Buffer)
        continue;
      Use &use = uses[value];
      use.last = i;
      if (instruction.op != OpCode::Linear || operand != 0) {
        use.other = true;
        continue;
      }
      auto wants = [&](DType type) {
        if (use.product && *use.product != type)
          use.other = true;
        use.product = type;
        use.half |= type != DType::F32 && type != DType::I8;
      };
      wants(cudaProductType(program, instruction));
      if (const int32_t second = alternateTensor(program, instruction); alternates && second >= 0)
        wants(cudaAlternateType(program, second));
    }
    for (int32_t value : instruction.outputs) {
      uses[value].definition = uses[value].last = i;
      uses[value].definedAsHalf = storesHalves(instruction.op);
    }
  }
  for (const IoDesc &output : program.outputs)
    uses[output.value].other = true;
  // What gate and up read lives on until their product is there, so that one launch may read the
  // one and write the other (CudaFusions.cpp).
  for (size_t i = 2; i < program.instructions.size(); ++i) {
    const Instruction &linear = program.instructions[i - 1];
    if (program.instructions[i].op == OpCode::GatedActivation && linear.op == OpCode::Linear)
      uses[linear.inputs[0]].last = std::max(uses[linear.inputs[0]].last, i);
  }

  const std::vector<bool> selected = selectedRowValues(program);
  CudaPlan plan;
  plan.places.resize(program.values.size());
  HalfArena arenas[2];
  for (size_t i = 0; i < program.values.size(); ++i) {
    const Value &value = program.values[i];
    if (value.kind != ValueKind::Buffer)
      continue;
    const Use &use = uses[i];
    CudaPlace &place = plan.places[i];
    place.selected = selected[i];
    place.width = value.width;
    if (use.half && !use.other && use.definedAsHalf) {
      place.type = *use.product;
      place.offset = arenas[place.selected].place(place.stride(), use.definition, use.last);
      int64_t &size = plan.halves[place.selected];
      size = std::max(size, place.offset + place.stride());
      continue;
    }
    place.offset = value.arenaOffset;
    int64_t &size = plan.floats[place.selected];
    size = std::max(size, place.offset + place.stride());
    if (use.half)
      plan.converted = std::max(plan.converted, place.stride());
  }
  return plan;
}

} // namespace qrt
