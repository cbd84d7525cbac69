//===- CudaWeights.cpp - The weights of a model in device memory -----------------------------===//
#include "Engine/CudaWeights.h"

#include "Format/AlternateSet.h"

#include <algorithm>

namespace qrt {

static constexpr int64_t alignment = 256; // of device memory

static int64_t alignUp(int64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

/// Tensors that instructions read, in the order of the file.
static std::vector<int32_t> usedTensors(const Program &program, bool alternates) {
  std::vector<bool> used(program.tensors.size(), false);
  for (const Instruction &instruction : program.instructions)
    for (int32_t value : instruction.inputs)
      if (value >= 0 && program.values[value].kind == ValueKind::Tensor)
        used[program.values[value].tensorIndex] = true;
  const AlternateSet second = alternateSet(program);
  std::vector<int32_t> list;
  for (size_t i = 0; i < used.size(); ++i)
    if (used[i] && (alternates || !second.onlyHere[i]))
      list.push_back(int32_t(i));
  return list;
}

Result<CudaWeights::Sizes> CudaWeights::measure(const Model &model, const CudaDevice &device,
                                                bool alternates) {
  const Program &program = model.program();
  const cuda::Table &table = device.table();
  Sizes sizes;
  for (int32_t index : usedTensors(program, alternates)) {
    const TensorEntry &entry = program.tensors[index];
    if (!entry.packed) {
      sizes.bytes += alignUp(int64_t(model.plainData(index).size()));
      continue;
    }
    const int64_t bytes = table.repackedBytes ? table.repackedBytes(entry.weight) : -1;
    if (bytes < 0 || !table.launchRepack)
      return unsupported("tensor '" + entry.name + "' (" + entry.scheme +
                         "): no kernel of the device reads this format");
    sizes.bytes += alignUp(bytes) + alignUp(int64_t(entry.scalesBytes)) +
                   alignUp(int64_t(entry.zeroPointsBytes));
    if (!entry.fragments)
      sizes.staging = std::max(sizes.staging, int64_t(entry.dataBytes));
  }
  return sizes;
}

Status CudaWeights::upload(const Model &model, CudaDevice &device, bool alternates) {
  const Program &program = model.program();
  const cuda::Table &table = device.table();
  QRT_ASSIGN_OR_RETURN(const Sizes sizes, measure(model, device, alternates));
  weights.resize(program.tensors.size());
  plains.resize(program.tensors.size());
  std::optional<CudaDevice::Memory> staging;
  if (sizes.staging > 0) {
    QRT_ASSIGN_OR_RETURN(staging, device.allocate(sizes.staging, "the largest weight"));
  }
  auto stream = [&](const void *host, uint64_t bytes, const std::string &name) -> Result<void *> {
    if (bytes == 0)
      return static_cast<void *>(nullptr);
    QRT_ASSIGN_OR_RETURN(CudaDevice::Memory piece, device.allocate(int64_t(bytes), name));
    QRT_RETURN_IF_ERROR(device.copyToDevice(piece.get(), host, int64_t(bytes)));
    memory.push_back(std::move(piece));
    return memory.back().get();
  };
  for (int32_t index : usedTensors(program, alternates)) {
    const TensorEntry &entry = program.tensors[index];
    const std::string name = "tensor '" + entry.name + "'";
    if (!entry.packed) {
      QRT_ASSIGN_OR_RETURN(plains[index], stream(model.plainData(index).data(),
                                                 model.plainData(index).size(), name));
      continue;
    }
    const kernels::WeightView file = model.weight(index);
    cuda::Weight &weight = weights[index];
    weight.desc = file.desc;
    QRT_ASSIGN_OR_RETURN(CudaDevice::Memory data,
                         device.allocate(table.repackedBytes(file.desc), name));
    weight.data = data.get();
    memory.push_back(std::move(data));
    if (entry.fragments) {
      void *to = memory.back().get();
      const auto bytes = int64_t(entry.dataBytes);
      QRT_RETURN_IF_ERROR(device.copyToDevice(to, file.data, bytes));
      QRT_RETURN_IF_ERROR(
          device.fill(static_cast<char *>(to) + bytes, 0, table.repackedBytes(file.desc) - bytes));
    } else {
      // The stream orders the copy into the staging buffer behind the last use of it.
      QRT_RETURN_IF_ERROR(device.copyToDevice(staging->get(), file.data, int64_t(entry.dataBytes)));
      const cuda::RepackParams repack = {file.desc, staging->get(),
                                         const_cast<void *>(weight.data)};
      QRT_RETURN_IF_ERROR(
          device.launched(table.launchRepack(device.launch(), repack), "Repack").withContext(name));
    }
    QRT_ASSIGN_OR_RETURN(weight.scales, stream(file.scales, entry.scalesBytes, name));
    QRT_ASSIGN_OR_RETURN(void *zeroPoints, stream(file.zeroPoints, entry.zeroPointsBytes, name));
    weight.zeroPoints = static_cast<const uint8_t *>(zeroPoints);
  }
  return device.synchronize();
}

} // namespace qrt
