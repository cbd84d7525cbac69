//===- CudaInt8.cpp - Products of 8-bit activations on a device ------------------------------===//
// The input of such a product stays f32 and is rounded by a launch of its own, as on the CPU, into
// memory that all of them share. Products right behind one another that round one input alike (q, k
// and v; gate and up) find it there.
#include "Engine/CudaProgram.h"

#include "Engine/Binding.h"
#include "Format/AlternateSet.h"
#include "kernels/cpu/linear/Layout.h"

#include <algorithm>

namespace qrt {

bool CudaProgram::isInt8(const Instruction &instruction) const {
  return instruction.op == OpCode::Linear && cudaProductType(*program, instruction) == DType::I8;
}

/// Features that share a scale.
static int32_t blockOf(const Program &program, const Instruction &linear) {
  const Value &weight = program.values[linear.inputs[1]];
  const int32_t group = program.tensors[weight.tensorIndex].weight.groupSize;
  return group ? group : kernels::channelBlock;
}

bool CudaProgram::findsRounded(size_t index) const {
  const Instruction &linear = program->instructions[index];
  for (size_t i = index; i-- > 0;) {
    const Instruction &before = program->instructions[i];
    if (!isInt8(before) || isSelected(i) != isSelected(index))
      continue;
    // A run with the second set leaves out the rounding of those that have one.
    const bool always = !limits.alternates || alternateTensor(*program, before) < 0 ||
                        alternateTensor(*program, linear) >= 0;
    return always && before.inputs[0] == linear.inputs[0] &&
           blockOf(*program, before) == blockOf(*program, linear) &&
           activationScales(before) == activationScales(linear);
  }
  return false;
}

Status CudaProgram::planInt8() {
  for (size_t i = 0; i < program->instructions.size(); ++i) {
    const Instruction &linear = program->instructions[i];
    if (!isInt8(linear))
      continue;
    const int64_t rows = isSelected(i) ? limits.selectedRows : limits.rows;
    const int64_t bytes =
        device->table().int8Bytes(rows, place(linear.inputs[0]).width, blockOf(*program, linear));
    if (bytes < 0)
      return unsupported(instructionText(*program, i) +
                         ": 8-bit activations in groups that no kernel of the device has");
    roundedBytes = std::max(roundedBytes, bytes);
    if (std::vector<float> scales = activationScales(linear); !scales.empty())
      staticScales.emplace(std::move(scales), nullptr);
  }
  return Status::ok();
}

CudaProgram::Launcher CudaProgram::bindInt8(cuda::LinearParams params, size_t index) {
  const Instruction &linear = program->instructions[index];
  const CudaPlace from = place(linear.inputs[0]);
  params.weight = weight(linear.inputs[1]);
  params.workspace = linearScratch;
  params.src = {rounded, 0, DType::I8};
  cuda::QuantizeParams quantize;
  quantize.src = matrix(from);
  quantize.width = from.width;
  quantize.block = blockOf(*program, linear);
  quantize.dst = rounded;
  if (const std::vector<float> scales = activationScales(linear); !scales.empty())
    quantize.staticScales = staticScales.at(scales);
  return [=, this, isThere = findsRounded(index)](const CudaRun &run) {
    if (!isThere) {
      cuda::QuantizeParams call = quantize;
      call.rows = rowsOf(from, run);
      QRT_RETURN_IF_ERROR(launch(device->table().launchQuantize, call, "Quantize"));
    }
    cuda::LinearParams call = params;
    call.rows = rowsOf(from, run);
    return launch(device->table().launchLinear, call, "Linear");
  };
}

} // namespace qrt
