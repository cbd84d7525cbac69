//===- FakeDriver.cpp - A libcuda.so.1 that returns every error ------------------------------===//
// Built as libcuda.so.1 into a folder of its own, for tests of the library that loads the driver.
// It stands on the host's memory: allocation, copies, fills and synchronisation work, launches do
// not exist. QRT_FAKE_DRIVER says what fails, as "init=100,capability=70": the members of
// Behaviour.
#include <cstdlib>
#include <cstring>
#include <cuda.h>
#include <string>

namespace {

struct Behaviour {
  long init = 0, version = CUDA_VERSION, devices = 1, capability = 90, retain = 0, alloc = 0,
       sync = 0, capture = 0, instantiate = 0;
  long free = 1L << 30;

  Behaviour() {
    const char *environment = std::getenv("QRT_FAKE_DRIVER");
    const std::string text = "," + std::string(environment ? environment : "") + ",";
    const std::pair<const char *, long *> members[] = {{"init", &init},
                                                       {"version", &version},
                                                       {"devices", &devices},
                                                       {"retain", &retain},
                                                       {"alloc", &alloc},
                                                       {"sync", &sync},
                                                       {"capture", &capture},
                                                       {"free", &free},
                                                       {"capability", &capability},
                                                       {"instantiate", &instantiate}};
    for (auto [name, value] : members)
      if (size_t at = text.find("," + std::string(name) + "="); at != std::string::npos)
        *value = std::strtol(text.c_str() + at + std::strlen(name) + 2, nullptr, 10);
  }
};

const Behaviour &behaviour() {
  static const Behaviour instance;
  return instance;
}

CUresult result(long number) { return static_cast<CUresult>(number); }
int something; // what handles point to

} // namespace

#pragma GCC visibility push(default)
extern "C" {

CUresult cuInit(unsigned) { return result(behaviour().init); }
CUresult cuDriverGetVersion(int *version) {
  *version = int(behaviour().version);
  return CUDA_SUCCESS;
}
CUresult cuGetErrorName(CUresult error, const char **name) {
  *name = error == CUDA_ERROR_NO_DEVICE         ? "CUDA_ERROR_NO_DEVICE"
          : error == CUDA_ERROR_OUT_OF_MEMORY   ? "CUDA_ERROR_OUT_OF_MEMORY"
          : error == CUDA_ERROR_ILLEGAL_ADDRESS ? "CUDA_ERROR_ILLEGAL_ADDRESS"
                                                : nullptr;
  return *name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
CUresult cuGetErrorString(CUresult error, const char **text) {
  *text = nullptr;
  return CUDA_ERROR_INVALID_VALUE;
}
CUresult cuDeviceGetCount(int *count) {
  *count = int(behaviour().devices);
  return CUDA_SUCCESS;
}
CUresult cuDeviceGet(CUdevice *device, int ordinal) {
  *device = ordinal;
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetName(char *name, int length, CUdevice) {
  std::strncpy(name, "Fake device", size_t(length));
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice) {
  switch (attribute) {
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
    *value = int(behaviour().capability / 10);
    return CUDA_SUCCESS;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
    *value = int(behaviour().capability % 10);
    return CUDA_SUCCESS;
  case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
    *value = 4;
    return CUDA_SUCCESS;
  default:
    *value = 0;
    return CUDA_ERROR_INVALID_VALUE;
  }
}
CUresult cuDeviceTotalMem(size_t *bytes, CUdevice) {
  *bytes = size_t(1) << 30;
  return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice) {
  *context = reinterpret_cast<CUcontext>(&something);
  return result(behaviour().retain);
}
CUresult cuDevicePrimaryCtxRelease(CUdevice) { return CUDA_SUCCESS; }
CUresult cuCtxSetCurrent(CUcontext) { return CUDA_SUCCESS; }
CUresult cuMemGetInfo(size_t *free, size_t *total) {
  *free = size_t(behaviour().free);
  *total = size_t(1) << 30;
  return CUDA_SUCCESS;
}
CUresult cuMemAlloc(CUdeviceptr *pointer, size_t bytes) {
  if (behaviour().alloc)
    return result(behaviour().alloc);
  *pointer = reinterpret_cast<CUdeviceptr>(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
  return *pointer ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}
CUresult cuMemFree(CUdeviceptr pointer) {
  std::free(reinterpret_cast<void *>(pointer));
  return CUDA_SUCCESS;
}
CUresult cuMemHostAlloc(void **pointer, size_t bytes, unsigned) {
  *pointer = std::malloc(bytes);
  return *pointer ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}
CUresult cuMemFreeHost(void *pointer) {
  std::free(pointer);
  return CUDA_SUCCESS;
}
CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t bytes, CUstream) {
  std::memcpy(reinterpret_cast<void *>(to), from, bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t bytes, CUstream) {
  std::memcpy(to, reinterpret_cast<const void *>(from), bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char byte, size_t bytes, CUstream) {
  std::memset(reinterpret_cast<void *>(to), byte, bytes);
  return CUDA_SUCCESS;
}
CUresult cuStreamCreate(CUstream *stream, unsigned) {
  *stream = reinterpret_cast<CUstream>(&something);
  return CUDA_SUCCESS;
}
CUresult cuStreamDestroy(CUstream) { return CUDA_SUCCESS; }
CUresult cuStreamSynchronize(CUstream) { return result(behaviour().sync); }
CUresult cuStreamBeginCapture(CUstream, CUstreamCaptureMode) { return result(behaviour().capture); }
CUresult cuStreamEndCapture(CUstream, CUgraph *graph) {
  *graph = reinterpret_cast<CUgraph>(&something);
  return CUDA_SUCCESS;
}
CUresult cuGraphInstantiate(CUgraphExec *executable, CUgraph, unsigned long long) {
  *executable = reinterpret_cast<CUgraphExec>(&something);
  return result(behaviour().instantiate);
}
CUresult cuGraphUpload(CUgraphExec, CUstream) { return CUDA_SUCCESS; }
CUresult cuGraphLaunch(CUgraphExec, CUstream) { return CUDA_SUCCESS; }
CUresult cuGraphDestroy(CUgraph) { return CUDA_SUCCESS; }
CUresult cuGraphExecDestroy(CUgraphExec) { return CUDA_SUCCESS; }

} // extern "C"
#pragma GCC visibility pop
