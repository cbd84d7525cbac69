//===- BindElementwise.cpp - Activation functions, arithmetic, Hadamard ----------------------===//
#include "Engine/Binding.h"
#include "Engine/KernelWords.h"
#include "kernels/cpu/elementwise/elementwise.h"
#include "kernels/cpu/hadamard/hadamard.h"

namespace qrt {

BoundInstruction Binder::bindGated(const Instruction &instruction) {
  BufferRef gate = buffer(instruction.inputs[0]), up = buffer(instruction.inputs[1]),
            out = buffer(instruction.outputs[0]);
  kernels::UnaryKind kind = unaryKindFromWord(instruction.getString("kind"));
  return [=](Run &run) {
    kernels::GatedArgs call = {};
    call.kind = kind;
    call.dst = out.data(run);
    call.gate = gate.data(run);
    call.up = up.data(run);
    call.dstStride = call.gateStride = call.upStride = call.width = out.width;
    call.tokens = out.rows(run);
    kernels::gatedActivation(run.pool, call);
    return Status::ok();
  };
}

BoundInstruction Binder::bindUnary(const Instruction &instruction) {
  BufferRef in = buffer(instruction.inputs[0]), out = buffer(instruction.outputs[0]);
  kernels::UnaryKind kind = unaryKindFromWord(instruction.getString("kind"));
  auto cap = static_cast<float>(instruction.getFloat("cap"));
  return [=](Run &run) {
    kernels::UnaryArgs call = {};
    call.kind = kind;
    call.dst = out.data(run);
    call.src = in.data(run);
    call.dstStride = call.srcStride = call.width = out.width;
    call.tokens = out.rows(run);
    call.parameter = cap;
    kernels::unary(run.pool, call);
    return Status::ok();
  };
}

BoundInstruction Binder::bindBinary(const Instruction &instruction) {
  BufferRef lhs = buffer(instruction.inputs[0]), out = buffer(instruction.outputs[0]), rhs;
  kernels::BinaryArgs args = {};
  args.kind = binaryKindFromWord(instruction.getString("kind"));
  args.swapped = instruction.getInt("swapped") != 0;
  const int32_t second = instruction.inputs[1];
  const bool fromBuffer = program.values[second].kind == ValueKind::Buffer;
  if (fromBuffer) {
    rhs = buffer(second);
    args.rhsStride = rhs.width;
  } else {
    args.rhs = vector(second);
    args.broadcast =
        vectorLength(second) == 1 ? kernels::Broadcast::Scalar : kernels::Broadcast::Row;
  }
  return [=](Run &run) {
    kernels::BinaryArgs call = args;
    call.dst = out.data(run);
    call.lhs = lhs.data(run);
    call.dstStride = call.lhsStride = call.width = out.width;
    if (fromBuffer)
      call.rhs = rhs.data(run);
    call.tokens = out.rows(run);
    kernels::binary(run.pool, call);
    return Status::ok();
  };
}

BoundInstruction Binder::bindHadamard(const Instruction &instruction) {
  BufferRef in = buffer(instruction.inputs[0]), out = buffer(instruction.outputs[0]);
  kernels::HadamardArgs args = {};
  args.baseOrder = 1;
  if (instruction.inputs.size() > 1 && instruction.inputs[1] >= 0) {
    args.base = vector(instruction.inputs[1]);
    args.baseOrder = program.tensors[program.values[instruction.inputs[1]].tensorIndex].shape[0];
  }
  args.block = instruction.getInt("block");
  return [=](Run &run) {
    kernels::HadamardArgs call = args;
    call.dst = out.data(run);
    call.src = in.data(run);
    call.dstStride = call.srcStride = call.width = out.width;
    call.tokens = out.rows(run);
    kernels::hadamard(run.pool, call);
    return Status::ok();
  };
}

} // namespace qrt
