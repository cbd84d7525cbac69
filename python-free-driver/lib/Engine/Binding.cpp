//===- Binding.cpp - Embedding, linear, norms, rows and columns ------------------------------===//
#include "Engine/Binding.h"

#include "Format/AlternateSet.h"
#include "Format/Verifier.h"
#include "kernels/cpu/embedding/embedding.h"
#include "kernels/cpu/norm/norm.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace qrt {

Binder::Binder(const Model &model)
    : model(model), program(model.program()), selected(selectedRowValues(model.program())) {}

BufferRef Binder::buffer(int32_t value) const {
  const Value &v = program.values[value];
  return {v.arenaOffset, v.width, selected[value]};
}

const float *Binder::vector(int32_t value) const {
  return reinterpret_cast<const float *>(model.plainData(program.values[value].tensorIndex).data());
}

int64_t Binder::vectorLength(int32_t value) const {
  return int64_t(model.plainData(program.values[value].tensorIndex).size() / sizeof(float));
}

kernels::Activation activationFromWord(std::string_view word) {
  if (word == "a16")
    return kernels::Activation::A16;
  return word == "a8" ? kernels::Activation::A8 : kernels::Activation::F32;
}

BoundInstruction Binder::bindEmbed(const Instruction &instruction) {
  kernels::WeightView table = model.weight(program.values[instruction.inputs[0]].tensorIndex);
  bool byPosition = program.values[instruction.inputs[1]].kind == ValueKind::Positions;
  int64_t offset = instruction.getInt("offset");
  BufferRef out = buffer(instruction.outputs[0]);
  return [=](Run &run) {
    const auto &index = byPosition ? run.positions : run.ids;
    return kernels::embeddingGather(run.pool, table, index.data(), run.tokens, offset,
                                    out.data(run), out.width);
  };
}

std::vector<float> activationScales(const Instruction &linear) {
  const AttrValue *value = linear.find("activation_scales");
  if (!value)
    return {};
  const auto &scales = std::get<std::vector<double>>(*value);
  return {scales.begin(), scales.end()};
}

/// What does not change from run to run. `scales` holds the static activation scales.
kernels::LinearArgs Binder::linearArgs(const Instruction &instruction,
                                       std::vector<float> &scales) const {
  kernels::LinearArgs args;
  args.weight = model.weight(program.values[instruction.inputs[1]].tensorIndex);
  if (instruction.inputs.size() > 2 && instruction.inputs[2] >= 0)
    args.bias = vector(instruction.inputs[2]);
  args.activation = activationFromWord(instruction.getString("activation", "f32"));
  scales = activationScales(instruction);
  if (!scales.empty())
    args.activationScales = scales.data();
  return args;
}

Status addOutliers(kernels::ThreadPool &pool, const kernels::LinearArgs &product,
                   const kernels::SparseMatrix &outliers, kernels::Workspace &workspace) {
  if (!outliers)
    return Status::ok();
  const kernels::WeightDesc &desc = product.weight.desc;
  return kernels::sparseAdd(pool,
                            {product.dst, product.dstStride, product.src, product.srcStride,
                             product.m, desc.n, desc.k, outliers},
                            workspace);
}

BoundInstruction Binder::bindLinears(const std::vector<const Instruction *> &group) {
  struct Part {
    kernels::LinearArgs args;
    kernels::SparseMatrix outliers;
    BufferRef out;
  };
  std::vector<Part> parts;
  auto scales = std::make_shared<std::vector<float>>(); // equal for all (LinearGroups.h)
  for (const Instruction *instruction : group)
    parts.push_back({linearArgs(*instruction, *scales), model.outliers(*instruction),
                     buffer(instruction->outputs[0])});
  for (Part &part : parts)
    part.args.activationScales = scales->empty() ? nullptr : scales->data();
  BufferRef in = buffer(group[0]->inputs[0]);
  return [parts = std::move(parts), scales, in](Run &run) {
    std::array<kernels::LinearArgs, kernels::maxLinearParts> calls;
    for (size_t i = 0; i < parts.size(); ++i) {
      kernels::LinearArgs &call = calls[i] = parts[i].args;
      call.m = in.rows(run);
      call.src = in.data(run);
      call.srcStride = in.width;
      call.dst = parts[i].out.data(run);
      call.dstStride = parts[i].out.width;
    }
    QRT_RETURN_IF_ERROR(kernels::linears(run.pool, {calls.data(), parts.size()}, run.workspace));
    for (size_t i = 0; i < parts.size(); ++i)
      QRT_RETURN_IF_ERROR(addOutliers(run.pool, calls[i], parts[i].outliers, run.workspace));
    return Status::ok();
  };
}

BoundInstruction Binder::bindLinear(const Instruction &instruction) {
  auto scales = std::make_shared<std::vector<float>>();
  kernels::LinearArgs args = linearArgs(instruction, *scales);
  const kernels::SparseMatrix outliers = model.outliers(instruction);
  // The second set computes in f32, so that its rows do not depend on what they are batched with.
  kernels::LinearArgs second = args;
  const int32_t alternate = alternateTensor(program, instruction);
  if (alternate >= 0) {
    second.weight = model.weight(alternate);
    second.activation = kernels::Activation::F32;
    second.activationScales = nullptr;
  }
  BufferRef in = buffer(instruction.inputs[0]), out = buffer(instruction.outputs[0]);
  auto multiply = [in, out](Run &run, kernels::LinearArgs call,
                            const kernels::SparseMatrix &outliers, int64_t firstRow, int64_t rows) {
    call.m = rows;
    call.src = in.data(run) + firstRow * in.width;
    call.srcStride = in.width;
    call.dst = out.data(run) + firstRow * out.width;
    call.dstStride = out.width;
    QRT_RETURN_IF_ERROR(kernels::linear(run.pool, call, run.workspace));
    return addOutliers(run.pool, call, outliers, run.workspace);
  };
  if (alternate < 0)
    return [=](Run &run) {
      (void)scales; // owned here
      return multiply(run, args, outliers, 0, in.rows(run));
    };
  return [=](Run &run) {
    (void)scales;
    for (const RowSegment &s : in.selected ? run.selectedSegments : run.segments)
      QRT_RETURN_IF_ERROR(multiply(run, s.alternate ? second : args,
                                   s.alternate ? kernels::SparseMatrix() : outliers, s.firstRow,
                                   s.rows));
    return Status::ok();
  };
}

BoundInstruction Binder::bindNorm(const Instruction &instruction) {
  BufferRef in = buffer(instruction.inputs[0]), out = buffer(instruction.outputs[0]);
  kernels::NormArgs args = {};
  args.weight = vector(instruction.inputs[1]);
  args.chunk = vectorLength(instruction.inputs[1]);
  if (instruction.inputs.size() > 2 && instruction.inputs[2] >= 0)
    args.bias = vector(instruction.inputs[2]);
  args.width = in.width;
  args.epsilon = static_cast<float>(instruction.getFloat("epsilon"));
  bool rms = instruction.op == OpCode::RmsNorm;
  return [=](Run &run) {
    kernels::NormArgs call = args;
    call.tokens = in.rows(run);
    call.src = in.data(run);
    call.srcStride = in.width;
    call.dst = out.data(run);
    call.dstStride = out.width;
    rms ? kernels::rmsNorm(run.pool, call) : kernels::layerNorm(run.pool, call);
    return Status::ok();
  };
}

BoundInstruction Binder::bindCopyColumns(const Instruction &instruction) {
  struct Piece {
    BufferRef from;
    int64_t start, size;
  };
  std::vector<Piece> pieces;
  for (size_t i = 0; i < instruction.inputs.size(); ++i)
    pieces.push_back({buffer(instruction.inputs[i]), (*instruction.getInts("starts"))[i],
                      (*instruction.getInts("sizes"))[i]});
  BufferRef out = buffer(instruction.outputs[0]);
  return [pieces = std::move(pieces), out](Run &run) {
    run.pool.parallelFor(out.rows(run), 16, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) {
        float *to = out.data(run) + row * out.width;
        for (const Piece &piece : pieces) {
          const float *from = piece.from.data(run) + row * piece.from.width + piece.start;
          std::memcpy(to, from, size_t(piece.size) * sizeof(float));
          to += piece.size;
        }
      }
    });
    return Status::ok();
  };
}

BoundInstruction Binder::bindSelectRows(const Instruction &instruction) {
  BufferRef in = buffer(instruction.inputs[0]), out = buffer(instruction.outputs[0]);
  return [=](Run &run) {
    float *to = out.data(run);
    const float *from = in.data(run);
    for (int64_t row : run.selectedRows) {
      std::memcpy(to, from + row * in.width, size_t(in.width) * sizeof(float));
      to += out.width;
    }
    return Status::ok();
  };
}

BoundInstruction Binder::bind(const Instruction &instruction) {
  switch (instruction.op) {
  case OpCode::Embed:
    return bindEmbed(instruction);
  case OpCode::Linear:
    return bindLinear(instruction);
  case OpCode::RmsNorm:
  case OpCode::LayerNorm:
    return bindNorm(instruction);
  case OpCode::Rope:
    return bindRope(instruction);
  case OpCode::Attention:
    return bindAttention(instruction);
  case OpCode::GatedActivation:
    return bindGated(instruction);
  case OpCode::Unary:
    return bindUnary(instruction);
  case OpCode::Binary:
    return bindBinary(instruction);
  case OpCode::CopyColumns:
    return bindCopyColumns(instruction);
  case OpCode::SelectRows:
    return bindSelectRows(instruction);
  case OpCode::Hadamard:
    return bindHadamard(instruction);
  case OpCode::TensorOp:
    break; // R30: never in a token-major program
  }
  return [](Run &) { return internalError("an instruction that the engine does not know"); };
}

} // namespace qrt
