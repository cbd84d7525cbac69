//===- CudaFusions.cpp - Linears that a device computes in one launch ------------------------===//
#include "Engine/CudaProgram.h"

#include "Engine/KernelWords.h"
#include "Engine/LinearGroups.h"
#include "Format/AlternateSet.h"

namespace qrt {

/// How many instructions read a value.
static int readers(const Program &program, int32_t value) {
  int count = 0;
  for (const Instruction &instruction : program.instructions)
    for (int32_t input : instruction.inputs)
      count += input == value;
  for (const IoDesc &output : program.outputs)
    count += output.value == value;
  return count;
}

/// Two linears of one input, whose results only the product right behind them reads.
bool CudaProgram::gatesTwoLinears(size_t index, Fusion &fusion) const {
  const auto &all = program->instructions;
  if (all[index].op != OpCode::GatedActivation || index < 2)
    return false;
  const Instruction &a = all[index - 2], &b = all[index - 1];
  if (a.op != OpCode::Linear || b.op != OpCode::Linear || a.inputs[0] != b.inputs[0])
    return false;
  const int32_t gate = all[index].inputs[0], up = all[index].inputs[1];
  const bool inOrder = a.outputs[0] == gate && b.outputs[0] == up;
  if (!inOrder && !(b.outputs[0] == gate && a.outputs[0] == up))
    return false;
  if (gate == up || readers(*program, gate) != 1 || readers(*program, up) != 1)
    return false;
  // The product's result is written while the input is still read.
  const CudaPlace &from = place(a.inputs[0]), &to = place(all[index].outputs[0]);
  if ((from.type == DType::F32) == (to.type == DType::F32) &&
      from.offset < to.offset + to.stride() && to.offset < from.offset + from.stride() &&
      !converts(index - 2))
    return false;
  fusion.gated = true;
  fusion.product = index;
  fusion.members = {inOrder ? index - 2 : index - 1, inOrder ? index - 1 : index - 2};
  return true;
}

/// Whether the product's input is converted, into memory of its own.
bool CudaProgram::converts(size_t linear) const {
  const Instruction &instruction = program->instructions[linear];
  auto type = cudaProductType(*program, instruction);
  return type && *type != place(instruction.inputs[0]).type;
}

bool CudaProgram::runsTogether(const Fusion &fusion) const {
  for (size_t i : fusion.members) {
    const Instruction &linear = program->instructions[i];
    auto type = cudaProductType(*program, linear);
    if (!type || *type != *cudaProductType(*program, program->instructions[fusion.members[0]]) ||
        (limits.alternates && alternateTensor(*program, linear) >= 0) || addsToLinear(i))
      return false;
  }
  return device->table().linearGroupWorkspaceBytes(device->launch(), groupParams(fusion)) >= 0;
}

void CudaProgram::planFusions() {
  const size_t count = program->instructions.size();
  fusionOf.assign(count, -1);
  fused.assign(count, false);
  if (!device->table().linearGroupWorkspaceBytes || !device->table().launchLinearGroup)
    return;
  auto take = [&](Fusion fusion, size_t at) {
    for (size_t i : fusion.members)
      fused[i] = true;
    fused[at] = true;
    fusionOf[at] = int(fusions.size());
    fusions.push_back(std::move(fusion));
  };
  for (size_t i = 0; i < count; ++i)
    if (Fusion fusion; gatesTwoLinears(i, fusion) && runsTogether(fusion))
      take(std::move(fusion), i);
  const std::vector<size_t> leaders = linearGroupLeaders(*program);
  for (size_t i = 0; i < count; ++i) {
    if (leaders[i] != i || fused[i] || program->instructions[i].op != OpCode::Linear)
      continue;
    Fusion fusion;
    for (size_t j = i; j < count && fusion.members.size() < 3; ++j)
      if (leaders[j] == i && !fused[j])
        fusion.members.push_back(j);
    if (fusion.members.size() > 1 && runsTogether(fusion))
      take(std::move(fusion), i);
  }
}

cuda::LinearGroupParams CudaProgram::groupParams(const Fusion &fusion) const {
  const Instruction &first = program->instructions[fusion.members[0]];
  cuda::LinearGroupParams params;
  params.src.stride = place(first.inputs[0]).stride();
  params.src.type = *cudaProductType(*program, first);
  params.count = int32_t(fusion.members.size());
  params.gated = fusion.gated;
  params.rows = cuda::maxGroupRows;
  for (size_t i = 0; i < fusion.members.size(); ++i) {
    const Instruction &linear = program->instructions[fusion.members[i]];
    params.parts[i].weight.desc =
        program->tensors[program->values[linear.inputs[1]].tensorIndex].weight;
  }
  return params;
}

CudaProgram::Launcher CudaProgram::bindFusion(const Fusion &fusion) {
  cuda::LinearGroupParams params = groupParams(fusion);
  params.workspace = linearScratch;
  std::vector<Launcher> apart;
  for (size_t i = 0; i < fusion.members.size(); ++i) {
    const Instruction &linear = program->instructions[fusion.members[i]];
    cuda::LinearPart &part = params.parts[i];
    part.weight = weight(linear.inputs[1]);
    if (linear.inputs.size() > 2 && linear.inputs[2] >= 0)
      part.bias = vector(linear.inputs[2]);
    part.dst = matrix(linear.outputs[0]);
    apart.push_back(bindLinear(linear, nullptr));
  }
  if (fusion.gated) {
    const Instruction &product = program->instructions[fusion.product];
    params.kind = unaryKindFromWord(product.getString("kind"));
    params.parts[0].dst = matrix(product.outputs[0]);
    apart.push_back(bindGated(product));
  }
  const CudaPlace from = place(program->instructions[fusion.members[0]].inputs[0]);
  cuda::CopyParams convert;
  convert.src = matrix(from);
  convert.dst = {converted, from.stride(), params.src.type};
  convert.width = from.width;
  const bool isConverted = params.src.type != from.type;
  params.src = isConverted ? convert.dst : convert.src;
  return [=, this, apart = std::move(apart)](const CudaRun &run) {
    const int64_t rows = rowsOf(from, run);
    if (rows > cuda::maxGroupRows) {
      for (const Launcher &one : apart)
        QRT_RETURN_IF_ERROR(one(run));
      return Status::ok();
    }
    if (isConverted) {
      cuda::CopyParams call = convert;
      call.rows = rows;
      QRT_RETURN_IF_ERROR(launch(device->table().launchCopy, call, "Copy"));
    }
    cuda::LinearGroupParams call = params;
    call.rows = rows;
    return launch(device->table().launchLinearGroup, call, "LinearGroup");
  };
}

} // namespace qrt
