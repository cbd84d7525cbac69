//===- CudaEngine.cpp - Executes raised programs on a CUDA device ----------------------------===//
#include "Engine/CudaEngine.h"

#include "Device/CudaDevice.h"
#include "Support/Memory.h"

namespace qrt {

Result<std::unique_ptr<Engine>> CudaEngine::create(std::shared_ptr<const Model> model,
                                                   const EngineOptions &options) {
  QRT_ASSIGN_OR_RETURN(auto device, CudaDevice::open(options.device.index));
  QRT_ASSIGN_OR_RETURN(auto memory, device->freeMemory());
  const auto weights = int64_t(model->fileBytes());
  if (weights > memory.free)
    return deviceError(DeviceProblem::OutOfMemory, model->path() + " has " + formatBytes(weights) +
                                                       " of weights, " + device->name() + " has " +
                                                       formatBytes(memory.free) + " of " +
                                                       formatBytes(memory.total) + " free");
  return unsupported("this version does not run models on " + device->name() + " yet");
}

} // namespace qrt
