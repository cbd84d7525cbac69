//===- CudaFusions.cpp - Instructions that a device computes in one launch -------------------===//
#include "Engine/CudaProgram.h"

#include "Engine/KernelWords.h"
#include "Engine/LinearGroups.h"
#include "Format/AlternateSet.h"
#include "Format/SparseOutliers.h"

#include <algorithm>

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
  if (place(a.inputs[0]).overlaps(place(all[index].outputs[0])) && !converts(index - 2))
    return false;
  fusion.gated = true;
  fusion.product = index;
  fusion.members = {inOrder ? index - 2 : index - 1, inOrder ? index - 1 : index - 2};
  return true;
}

/// Whether the product's input is converted or rounded, into memory of its own.
bool CudaProgram::converts(size_t linear) const {
  const Instruction &instruction = program->instructions[linear];
  return cudaProductType(*program, instruction) != place(instruction.inputs[0]).type;
}

bool CudaProgram::runsTogether(const Fusion &fusion) const {
  const DType type = cudaProductType(*program, program->instructions[fusion.members[0]]);
  for (size_t i : fusion.members) {
    const Instruction &linear = program->instructions[i];
    if (cudaProductType(*program, linear) != type ||
        (limits.alternates && alternateTensor(*program, linear) >= 0) || addsToLinear(i) ||
        (fusion.gated && outlierTensors(*program, linear))) // the gate's would come too late
      return false;
    if (type == DType::I8 && !roundAlike(program->instructions[fusion.members[0]], linear))
      return false;
  }
  return device->table().linearGroupWorkspaceBytes(device->launch(), groupParams(fusion)) >= 0;
}

/// The RmsNorm right before the linears, if nothing else reads it and no result lies where its
/// input does, which all blocks of the launch read. Norms are rounded to 8 bits by their own
/// launch.
void CudaProgram::takeNorm(Fusion &fusion) {
  const size_t first = fusion.inOrder().front();
  if (first == 0 || program->instructions[first - 1].op != OpCode::RmsNorm ||
      isInt8(program->instructions[first]))
    return;
  const Instruction &norm = program->instructions[first - 1];
  const CudaPlace &from = place(norm.inputs[0]);
  if (norm.outputs[0] != program->instructions[first].inputs[0] ||
      readers(*program, norm.outputs[0]) != int(fusion.members.size()) ||
      (norm.inputs.size() > 2 && norm.inputs[2] >= 0) || from.type != DType::F32 ||
      vectorLength(norm.inputs[1]) != from.width)
    return;
  for (size_t i : fusion.members) // which need the norm's result too
    if (outlierTensors(*program, program->instructions[i]))
      return;
  std::vector<int32_t> results;
  if (fusion.gated)
    results = {program->instructions[fusion.product].outputs[0]};
  else
    for (size_t i : fusion.members)
      results.push_back(program->instructions[i].outputs[0]);
  for (int32_t value : results)
    if (from.overlaps(place(value)))
      return;
  fusion.norm = first - 1;
  cuda::LinearGroupParams params = normedParams(fusion);
  const float unused = 0;
  params.normWeight = &unused;
  for (params.rows = 1; params.rows <= cuda::maxGroupRows; ++params.rows)
    if (device->table().linearGroupWorkspaceBytes(device->launch(), params) >= 0)
      fusion.normRows = params.rows;
  if (fusion.normRows == 0)
    return;
  fused[first - 1] = true;
}

/// The rotations of an attention's queries and keys that its own launch can do: by the same angles,
/// read by nothing else, and with inputs that are still there when the attention runs.
bool CudaProgram::rotates(size_t index, Rotation &rotation) const {
  const auto &all = program->instructions;
  const Instruction &attention = all[index];
  if (attention.op != OpCode::Attention)
    return false;
  int *found[2] = {&rotation.query, &rotation.key};
  for (size_t operand = 0; operand < 2; ++operand) {
    const int32_t value = attention.inputs[operand];
    for (size_t i = 0; i < index; ++i)
      if (all[i].op == OpCode::Rope && all[i].outputs[0] == value)
        *found[operand] = int(i);
    if (*found[operand] < 0 || readers(*program, value) != 1)
      return false;
    const Instruction &rope = all[size_t(*found[operand])];
    if (rope.getInt("head_dim") != attention.getInt("head_dim") ||
        readers(*program, rope.inputs[0]) != 1)
      return false;
  }
  const Instruction &query = all[size_t(rotation.query)], &key = all[size_t(rotation.key)];
  if (query.inputs[2] != key.inputs[2] ||
      query.getFloat("scaling", 1.0) != key.getFloat("scaling", 1.0) ||
      query.getInt("interleaved") != key.getInt("interleaved"))
    return false;
  for (int rope : {rotation.query, rotation.key}) {
    const CudaPlace &from = place(all[size_t(rope)].inputs[0]);
    for (size_t i = size_t(rope) + 1; i <= index; ++i) {
      if (int(i) == rotation.query || int(i) == rotation.key)
        continue;
      for (int32_t value : all[i].outputs)
        if (from.overlaps(place(value)))
          return false;
    }
  }
  return true;
}

void CudaProgram::planFusions() {
  const size_t count = program->instructions.size();
  fusionOf.assign(count, -1);
  fused.assign(count, false);
  rotations.assign(count, {});
  for (size_t i = 0; i < count; ++i)
    if (Rotation rotation; rotates(i, rotation)) {
      rotations[i] = rotation;
      fused[size_t(rotation.query)] = fused[size_t(rotation.key)] = true;
    }
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
  for (Fusion &fusion : fusions)
    takeNorm(fusion);
}

cuda::LinearGroupParams CudaProgram::groupParams(const Fusion &fusion) const {
  const Instruction &first = program->instructions[fusion.members[0]];
  cuda::LinearGroupParams params;
  params.src.stride = place(first.inputs[0]).stride();
  params.src.type = cudaProductType(*program, first);
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

cuda::LinearGroupParams CudaProgram::normedParams(const Fusion &fusion) const {
  cuda::LinearGroupParams params = groupParams(fusion);
  const Instruction &norm = program->instructions[fusion.norm];
  params.src = {nullptr, place(norm.inputs[0]).stride(), DType::F32};
  return params;
}

std::vector<size_t> CudaProgram::Fusion::inOrder() const {
  std::vector<size_t> order = members;
  std::ranges::sort(order);
  return order;
}

/// The launch that gives a fusion the input that it multiplies, `src`; null where there is none.
CudaProgram::Launcher CudaProgram::bindInput(const Fusion &fusion, cuda::Matrix &src) {
  const CudaPlace from = place(program->instructions[fusion.members[0]].inputs[0]);
  if (src.type == DType::I8) {
    src = roundedInput();
    return bindRounding(fusion.inOrder().front());
  }
  if (src.type == from.type) {
    src = matrix(from);
    return nullptr;
  }
  cuda::CopyParams convert;
  convert.src = matrix(from);
  convert.dst = src = {converted, from.stride(), src.type};
  convert.width = from.width;
  return [=, this](const CudaRun &run) {
    cuda::CopyParams call = convert;
    call.rows = rowsOf(from, run);
    return launch(device->table().launchCopy, call, "Copy");
  };
}

CudaProgram::Launcher CudaProgram::bindFusion(const Fusion &fusion) {
  cuda::LinearGroupParams params = groupParams(fusion);
  params.workspace = linearScratch;
  const CudaPlace from = place(program->instructions[fusion.members[0]].inputs[0]);
  Launcher input = bindInput(fusion, params.src);
  std::vector<Launcher> apart, outliers;
  for (size_t i = 0; i < fusion.members.size(); ++i) {
    const Instruction &linear = program->instructions[fusion.members[i]];
    cuda::LinearPart &part = params.parts[i];
    part.weight = weight(linear.inputs[1]);
    if (linear.inputs.size() > 2 && linear.inputs[2] >= 0)
      part.bias = vector(linear.inputs[2]);
    part.dst = matrix(linear.outputs[0]);
    if (outlierTensors(*program, linear)) // of 8-bit activations those before the rounding
      outliers.push_back(
          bindOutliers(linear, params.src.type == DType::I8 ? matrix(from) : params.src, part.dst));
  }
  for (size_t i : fusion.inOrder())
    apart.push_back(bindLinear(program->instructions[i], nullptr));
  if (fusion.gated) {
    const Instruction &product = program->instructions[fusion.product];
    params.kind = unaryKindFromWord(product.getString("kind"));
    params.parts[0].dst = matrix(product.outputs[0]);
    apart.push_back(bindGated(product));
  }
  cuda::LinearGroupParams normed = params;
  Launcher norm;
  if (fusion.normRows > 0) {
    const Instruction &instruction = program->instructions[fusion.norm];
    norm = bindNorm(instruction);
    normed.src = matrix(instruction.inputs[0]);
    normed.normWeight = vector(instruction.inputs[1]);
    normed.epsilon = static_cast<float>(instruction.getFloat("epsilon"));
  }
  return [=, this, normRows = fusion.normRows, input = std::move(input), apart = std::move(apart),
          outliers = std::move(outliers)](const CudaRun &run) {
    const int64_t rows = rowsOf(from, run);
    if (rows <= normRows) {
      cuda::LinearGroupParams call = normed;
      call.rows = rows;
      return launch(device->table().launchLinearGroup, call, "LinearGroup");
    }
    if (norm)
      QRT_RETURN_IF_ERROR(norm(run));
    if (rows > cuda::maxGroupRows) {
      for (const Launcher &one : apart)
        QRT_RETURN_IF_ERROR(one(run));
      return Status::ok();
    }
    if (input)
      QRT_RETURN_IF_ERROR(input(run));
    cuda::LinearGroupParams call = params;
    call.rows = rows;
    QRT_RETURN_IF_ERROR(launch(device->table().launchLinearGroup, call, "LinearGroup"));
    for (const Launcher &one : outliers)
      QRT_RETURN_IF_ERROR(one(run));
    return Status::ok();
  };
}

} // namespace qrt
