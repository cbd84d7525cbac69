//===- CudaDevice.cpp - An open device behind the table, with Status for errors --------------===//
#include "Device/CudaDevice.h"

#include "Support/Memory.h"

namespace qrt {

Result<std::unique_ptr<CudaDevice>> CudaDevice::open(int32_t index) {
  CudaLibrary library = loadCudaLibrary();
  if (!library.table)
    return library.status;
  std::unique_ptr<CudaDevice> device(new CudaDevice);
  device->functions = library.table;
  cuda::DeviceInfo info = {};
  QRT_RETURN_IF_ERROR(device->status(library.table->deviceInfo(index, &info)));
  QRT_RETURN_IF_ERROR(device->status(library.table->open(index, &device->context)));
  QRT_RETURN_IF_ERROR(
      device->status(library.table->launchInfo(device->context, &device->launchInfo)));
  device->text = "device " + std::to_string(index) + " (" + info.name + ", " +
                 std::to_string(info.capability / 10) + "." + std::to_string(info.capability % 10) +
                 ")";
  return device;
}

CudaDevice::~CudaDevice() {
  if (context)
    functions->close(context);
}

Status CudaDevice::status(cuda::Code code, const std::string &what) {
  if (code == cuda::Code::Ok)
    return Status::ok();
  const std::string words = functions->lastError();
  Status error = deviceError(deviceProblem(code),
                             what.empty() ? words : what + (words.empty() ? "" : ": ") + words);
  if (code == cuda::Code::Lost)
    lost = error;
  return error;
}

Result<CudaDevice::Memory> CudaDevice::allocate(int64_t bytes, const std::string &what) {
  QRT_RETURN_IF_ERROR(lost);
  void *pointer = nullptr;
  QRT_RETURN_IF_ERROR(status(functions->allocate(context, bytes, &pointer),
                             what + " (" + formatBytes(bytes) + ")"));
  return Memory(pointer, Free{this});
}

Result<CudaDevice::Pinned> CudaDevice::allocatePinned(int64_t bytes, const std::string &what) {
  QRT_RETURN_IF_ERROR(lost);
  void *pointer = nullptr;
  QRT_RETURN_IF_ERROR(status(functions->allocatePinned(context, bytes, &pointer),
                             what + " (" + formatBytes(bytes) + " of pinned memory)"));
  return Pinned(pointer, FreePinned{this});
}

Result<CudaDevice::FreeBytes> CudaDevice::freeMemory() {
  QRT_RETURN_IF_ERROR(lost);
  FreeBytes bytes = {};
  QRT_RETURN_IF_ERROR(status(functions->freeMemory(context, &bytes.free, &bytes.total)));
  return bytes;
}

Status CudaDevice::copyToDevice(void *device, const void *host, int64_t bytes) {
  QRT_RETURN_IF_ERROR(lost);
  return bytes == 0 ? Status::ok() : status(functions->copyToDevice(context, device, host, bytes));
}

Status CudaDevice::copyToHost(void *host, const void *device, int64_t bytes) {
  QRT_RETURN_IF_ERROR(lost);
  return bytes == 0 ? Status::ok() : status(functions->copyToHost(context, host, device, bytes));
}

Status CudaDevice::fill(void *device, uint8_t byte, int64_t bytes) {
  QRT_RETURN_IF_ERROR(lost);
  return bytes == 0 ? Status::ok() : status(functions->fill(context, device, byte, bytes));
}

Status CudaDevice::synchronize() {
  QRT_RETURN_IF_ERROR(lost);
  return status(functions->synchronize(context));
}

Result<bool> CudaDevice::isIdle() {
  QRT_RETURN_IF_ERROR(lost);
  int32_t idle = 0;
  QRT_RETURN_IF_ERROR(status(functions->query(context, &idle)));
  return idle != 0;
}

Status CudaDevice::beginCapture() {
  QRT_RETURN_IF_ERROR(lost);
  return status(functions->beginCapture(context));
}

Result<CudaDevice::Graph> CudaDevice::endCapture() {
  QRT_RETURN_IF_ERROR(lost);
  cuda::Graph *graph = nullptr;
  QRT_RETURN_IF_ERROR(status(functions->endCapture(context, &graph)));
  return Graph(graph, FreeGraph{this});
}

Status CudaDevice::launchGraph(const Graph &graph) {
  QRT_RETURN_IF_ERROR(lost);
  return status(functions->launchGraph(context, graph.get()));
}

Status CudaDevice::launched(int result, const char *operation) {
  return result == 0 ? Status::ok() : status(functions->checkLaunch(context, result, operation));
}

} // namespace qrt
