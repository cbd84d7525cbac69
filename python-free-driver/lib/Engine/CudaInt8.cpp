//===- CudaInt8.cpp - Products of 8-bit activations on a device ------------------------------===//
// The input of such a product stays f32 and is rounded by a launch of its own, as on the CPU, into
// memory that all of them share. Products that run right behind one another, or in one launch, and
// round one input alike (q, k and v; gate and up) find it there.
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

bool CudaProgram::roundAlike(const Instruction &a, const Instruction &b) const {
  return a.inputs[0] == b.inputs[0] && blockOf(*program, a) == blockOf(*program, b) &&
         activationScales(a) == activationScales(b);
}

/// Products of 8-bit activations, or else of body or tail, in the order in which they run.
std::vector<size_t> CudaProgram::int8Order(bool selected) const {
  std::vector<size_t> order;
  auto add = [&](size_t i) {
    if (isInt8(program->instructions[i]) && isSelected(i) == selected)
      order.push_back(i);
  };
  for (size_t i = 0; i < program->instructions.size(); ++i)
    if (fusionOf[i] >= 0)
      std::ranges::for_each(fusions[size_t(fusionOf[i])].inOrder(), add);
    else if (!fused[i])
      add(i);
  return order;
}

bool CudaProgram::findsRounded(size_t index) const {
  const std::vector<size_t> order = int8Order(isSelected(index));
  const auto at = std::ranges::find(order, index);
  if (at == order.begin())
    return false;
  const Instruction &linear = program->instructions[index],
                    &before = program->instructions[*std::prev(at)];
  // A run with the second set leaves out the rounding of those that have one.
  const bool always = !limits.alternates || alternateTensor(*program, before) < 0 ||
                      alternateTensor(*program, linear) >= 0;
  return always && roundAlike(before, linear);
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

CudaProgram::Launcher CudaProgram::bindRounding(size_t index) {
  if (findsRounded(index))
    return [](const CudaRun &) { return Status::ok(); };
  const Instruction &linear = program->instructions[index];
  const CudaPlace from = place(linear.inputs[0]);
  cuda::QuantizeParams quantize;
  quantize.src = matrix(from);
  quantize.width = from.width;
  quantize.block = blockOf(*program, linear);
  quantize.dst = rounded;
  if (const std::vector<float> scales = activationScales(linear); !scales.empty())
    quantize.staticScales = staticScales.at(scales);
  return [=, this](const CudaRun &run) {
    cuda::QuantizeParams call = quantize;
    call.rows = rowsOf(from, run);
    return launch(device->table().launchQuantize, call, "Quantize");
  };
}

CudaProgram::Launcher CudaProgram::bindInt8(cuda::LinearParams params, size_t index) {
  const Instruction &linear = program->instructions[index];
  const CudaPlace from = place(linear.inputs[0]);
  params.weight = weight(linear.inputs[1]);
  params.workspace = linearScratch;
  params.src = roundedInput();
  return [=, this, round = bindRounding(index)](const CudaRun &run) {
    QRT_RETURN_IF_ERROR(round(run));
    cuda::LinearParams call = params;
    call.rows = rowsOf(from, run);
    return launch(device->table().launchLinear, call, "Linear");
  };
}

} // namespace qrt
