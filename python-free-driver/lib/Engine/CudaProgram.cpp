//===- CudaProgram.cpp - Memory, order and limits of a program on a device -------------------===//
#include "Engine/CudaProgram.h"

#include "Format/AlternateSet.h"
#include "Format/SparseOutliers.h"
#include "Format/Verifier.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace qrt {

static constexpr int64_t alignment = 256;
static int64_t alignUp(int64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

CudaProgram::CudaProgram(const Model &model, CudaDevice &device, const CudaLimits &limits)
    : model(&model), program(&model.program()), device(&device), limits(limits),
      logitsValue(model.program().outputs[0].value) {}

Result<CudaProgram> CudaProgram::create(const Model &model, CudaDevice &device,
                                        const CudaLimits &limits) {
  CudaProgram made(model, device, limits);
  if (made.program->kind != ProgramKind::TokenMajor)
    return unsupported(model.path() + " runs op by op (a graph that was not raised), which only "
                                      "the CPU can do");
  QRT_RETURN_IF_ERROR(made.checkKernels());
  made.plan = planCuda(*made.program, limits.alternates);
  QRT_ASSIGN_OR_RETURN(made.weightSizes, CudaWeights::measure(model, device, limits.alternates));
  QRT_RETURN_IF_ERROR(made.planMemory());
  return made;
}

Status CudaProgram::checkKernels() const {
  const cuda::Table &table = device->table();
  auto has = [&](OpCode op) {
    switch (op) {
    case OpCode::Embed:
      return table.launchEmbed != nullptr;
    case OpCode::Linear:
      return table.launchLinear && table.linearWorkspaceBytes && table.launchCopy &&
             table.launchQuantize && table.int8Bytes && table.launchSparseAdd;
    case OpCode::RmsNorm:
    case OpCode::LayerNorm:
      return table.launchNorm != nullptr;
    case OpCode::Rope:
      return table.launchRope && table.launchRopeTable;
    case OpCode::Attention:
      return table.launchAttention && table.launchKvAppend && table.kvPageBytes &&
             table.attentionWorkspaceBytes;
    case OpCode::GatedActivation:
      return table.launchGated != nullptr;
    case OpCode::Unary:
      return table.launchUnary != nullptr;
    case OpCode::Binary:
      return table.launchBinary != nullptr;
    case OpCode::Hadamard:
      return table.launchHadamard != nullptr;
    case OpCode::CopyColumns:
    case OpCode::SelectRows:
      return table.launchCopy != nullptr;
    default:
      return false;
    }
  };
  for (size_t i = 0; i < program->instructions.size(); ++i)
    if (!has(program->instructions[i].op))
      return unsupported(instructionText(*program, i) + " has no kernel for " + device->name());
  return Status::ok();
}

bool CudaProgram::isSelected(size_t index) const {
  return place(program->instructions[index].outputs[0]).selected;
}

/// Where keys and values of each cache lie in a block; its bytes.
Result<int64_t> CudaProgram::layOutCaches(const KvSpec &types,
                                          std::vector<std::pair<int64_t, int64_t>> &offsets) const {
  const cuda::Table &table = device->table();
  int64_t bytes = 0;
  for (const CacheSpec &cache : program->caches) {
    const int64_t keys = table.kvPageBytes(cache.kvHeads, cache.headDim, types.keys),
                  values = table.kvPageBytes(cache.kvHeads, cache.valueDim, types.values);
    if (keys < 0 || values < 0)
      return unsupported("a KV cache of " + kvText(types) + " has no kernel for " + device->name());
    offsets.emplace_back(bytes, bytes + alignUp(keys));
    bytes += alignUp(keys) + alignUp(values);
  }
  return bytes;
}

Status CudaProgram::planMemory() {
  QRT_ASSIGN_OR_RETURN(blockBytes, layOutCaches({limits.kv.keys, limits.kv.values}, kvOffsets));
  if (limits.kv.sink > 0 || limits.kv.recent > 0) {
    QRT_ASSIGN_OR_RETURN(preciseBytes, layOutCaches({DType::F16, DType::F16}, preciseOffsets));
  }
  for (const Instruction &instruction : program->instructions)
    if (instruction.op == OpCode::Rope)
      ropeTable(instruction);
  planFusions();
  QRT_RETURN_IF_ERROR(planWorkspaces());
  QRT_RETURN_IF_ERROR(planInt8());
  const int64_t rows[2] = {limits.rows, limits.selectedRows};
  for (int selected : {0, 1})
    totalBytes += alignUp(plan.floats[selected] * rows[selected] * 4) +
                  alignUp(plan.halves[selected] * rows[selected] * 2);
  totalBytes += alignUp(plan.converted * limits.rows * 2);
  for (const RopeTable &table : ropeTables)
    totalBytes += 2 * alignUp(table.half * limits.rows * 4);
  for (const auto &[scales, pointer] : staticScales)
    totalBytes += alignUp(int64_t(scales.size() * sizeof(float)));
  totalBytes += alignUp(roundedBytes) + alignUp(linearWorkspace) + alignUp(attentionWorkspace);
  return Status::ok();
}

/// The workspaces serve every run within the limits; what kernels ask for need not grow with rows.
Status CudaProgram::planWorkspaces() {
  const cuda::Table &table = device->table();
  for (const Fusion &fusion : fusions)
    linearWorkspace = std::max(
        linearWorkspace, table.linearGroupWorkspaceBytes(device->launch(), groupParams(fusion)));
  std::set<std::tuple<int64_t, int64_t, int, int, int, bool>> seen;
  for (size_t i = 0; i < program->instructions.size(); ++i) {
    const Instruction &instruction = program->instructions[i];
    if (instruction.op == OpCode::Linear) {
      auto need = [&](int32_t tensorIndex, DType type) {
        cuda::LinearParams params = linearParams(instruction, tensorIndex, type);
        const kernels::WeightDesc &desc = params.weight.desc;
        if (!seen.emplace(desc.n, desc.k, int(desc.format), desc.groupSize, int(type),
                          isSelected(i))
                 .second)
          return;
        const int64_t most = isSelected(i) ? limits.selectedRows : limits.rows;
        for (params.rows = 1; params.rows <= most; ++params.rows)
          linearWorkspace =
              std::max(linearWorkspace, table.linearWorkspaceBytes(device->launch(), params));
      };
      need(program->values[instruction.inputs[1]].tensorIndex,
           cudaProductType(*program, instruction));
      if (const int32_t second = alternateTensor(*program, instruction);
          limits.alternates && second >= 0)
        need(second, cudaAlternateType(*program, second));
    } else if (instruction.op == OpCode::Attention) {
      cuda::AttentionParams params = attentionParams(instruction);
      params.maxContext = limits.maxContext;
      for (bool decode : {false, true}) {
        params.decode = decode;
        params.rows = decode ? limits.decodeRows : limits.rows;
        const int64_t bytes = table.attentionWorkspaceBytes(device->launch(), params);
        if (bytes < 0)
          return unsupported(instructionText(*program, i) +
                             ": head sizes that no kernel of the device has");
        attentionWorkspace = std::max(attentionWorkspace, bytes);
      }
    }
  }
  return Status::ok();
}

Status CudaProgram::load(void *kvPool, void *precisePool) {
  kvBase = kvPool;
  preciseBase = precisePool;
  QRT_RETURN_IF_ERROR(weights.upload(*model, *device, limits.alternates));
  auto allocate = [&](int64_t bytes, const char *what) -> Result<char *> {
    if (bytes == 0)
      return static_cast<char *>(nullptr);
    QRT_ASSIGN_OR_RETURN(CudaDevice::Memory piece, device->allocate(bytes, what));
    // Rows that a step does not use are computed too and must be finite; the counters of the
    // products' workspace start at zero.
    QRT_RETURN_IF_ERROR(device->fill(piece.get(), 0, bytes));
    memory.push_back(std::move(piece));
    return static_cast<char *>(memory.back().get());
  };
  const int64_t rows[2] = {limits.rows, limits.selectedRows};
  for (int selected : {0, 1}) {
    QRT_ASSIGN_OR_RETURN(floats[selected],
                         allocate(plan.floats[selected] * rows[selected] * 4, "activations"));
    QRT_ASSIGN_OR_RETURN(halves[selected],
                         allocate(plan.halves[selected] * rows[selected] * 2, "activations"));
  }
  QRT_ASSIGN_OR_RETURN(converted, allocate(plan.converted * limits.rows * 2, "activations"));
  for (RopeTable &table : ropeTables) {
    QRT_ASSIGN_OR_RETURN(char *cos, allocate(table.half * limits.rows * 4, "rotary tables"));
    QRT_ASSIGN_OR_RETURN(char *sin, allocate(table.half * limits.rows * 4, "rotary tables"));
    table.cos = reinterpret_cast<float *>(cos);
    table.sin = reinterpret_cast<float *>(sin);
  }
  for (auto &[scales, pointer] : staticScales) {
    const auto bytes = int64_t(scales.size() * sizeof(float));
    QRT_ASSIGN_OR_RETURN(char *copy, allocate(bytes, "scales of activations"));
    QRT_RETURN_IF_ERROR(device->copyToDevice(copy, scales.data(), bytes));
    pointer = reinterpret_cast<const float *>(copy);
  }
  QRT_ASSIGN_OR_RETURN(rounded, allocate(roundedBytes, "8-bit activations"));
  QRT_ASSIGN_OR_RETURN(linearScratch, allocate(linearWorkspace, "workspace of the products"));
  QRT_ASSIGN_OR_RETURN(attentionScratch, allocate(attentionWorkspace, "workspace of attention"));

  for (size_t i = 0; i < program->instructions.size(); ++i) {
    std::vector<Bound> &list = isSelected(i) ? tailList : bodyList;
    if (fusionOf[i] >= 0)
      list.push_back({i, bindFusion(fusions[size_t(fusionOf[i])])});
    if (fused[i])
      continue;
    const bool both = addsToLinear(i);
    list.push_back(
        {i, both ? bindLinear(program->instructions[i], &program->instructions[i + 1]) : bind(i)});
    i += both;
  }
  return device->synchronize();
}

bool CudaProgram::addsToLinear(size_t index) const {
  const Instruction &linear = program->instructions[index];
  if (linear.op != OpCode::Linear || index + 1 == program->instructions.size())
    return false;
  const Instruction &next = program->instructions[index + 1];
  if (next.op != OpCode::Binary || next.getString("kind") != "add")
    return false;
  const int32_t result = linear.outputs[0];
  const int32_t other = next.inputs[0] == result ? next.inputs[1] : next.inputs[0];
  if ((next.inputs[0] != result && next.inputs[1] != result) || other == result ||
      program->values[other].kind != ValueKind::Buffer || result == logitsValue)
    return false;
  for (size_t i = index + 2; i < program->instructions.size(); ++i)
    for (int32_t value : program->instructions[i].inputs)
      if (value == result)
        return false;
  const CudaPlace &to = place(next.outputs[0]), &added = place(other),
                  &from = place(linear.inputs[0]);
  if (to.type != DType::F32 || added.type != DType::F32)
    return false;
  // The sum may have taken the place of the product's input, which the product still reads (or that
  // with the outliers behind it), or overlap the added value without being it.
  const DType type = cudaProductType(*program, linear);
  const int32_t second = limits.alternates ? alternateTensor(*program, linear) : -1;
  const bool readInPlace = type == DType::F32 ||
                           (type == DType::I8 && outlierTensors(*program, linear)) ||
                           (second >= 0 && cudaAlternateType(*program, second) == DType::F32);
  return !(readInPlace && to.overlaps(from)) && (!to.overlaps(added) || added.offset == to.offset);
}

Status CudaProgram::run(const std::vector<Bound> &list, const CudaRun &run) const {
  for (const Bound &bound : list)
    if (Status status = bound.launch(run); !status)
      return status.withContext(instructionText(*program, bound.index));
  return Status::ok();
}

Status CudaProgram::body(const CudaRun &run) const {
  if (run.rows > limits.rows || (run.decode && run.rows > limits.decodeRows) ||
      run.maxContext > limits.maxContext)
    return internalError("a run beyond the limits that memory was allocated for");
  for (const RopeTable &table : ropeTables) {
    cuda::RopeTableParams params;
    params.positions = run.step.positions;
    params.inverseFrequency = weights.vector(table.tensorIndex);
    params.rows = run.rows;
    params.half = table.half;
    params.scaling = table.scaling;
    params.cos = table.cos;
    params.sin = table.sin;
    QRT_RETURN_IF_ERROR(launch(device->table().launchRopeTable, params, "RopeTable"));
  }
  return this->run(bodyList, run);
}

Status CudaProgram::tail(const CudaRun &run) const {
  if (run.selectedRows > limits.selectedRows)
    return internalError("a run beyond the rows that memory was allocated for");
  return this->run(tailList, run);
}

cuda::Matrix CudaProgram::matrix(const CudaPlace &place) const {
  const bool half = place.type != DType::F32;
  char *const *arenas = half ? halves : floats;
  char *base = arenas[place.selected];
  const int64_t rows = place.selected ? limits.selectedRows : limits.rows;
  return {base + place.offset * rows * (half ? 2 : 4), place.stride(), place.type};
}

const float *CudaProgram::logitsRow(int64_t row) const {
  return static_cast<const float *>(matrix(logitsValue).data) + row * logitsStride();
}

} // namespace qrt
