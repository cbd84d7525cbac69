//===- Probe.cpp - Which devices there are ---------------------------------------------------===//
#include "Cuda/Context.h"

#include <cstdlib>
#include <cstring>

namespace qrt::cuda {

const char *builtArchitectures() { return QRT_CUDA_BUILT_ARCHITECTURES; }
int32_t lowestCapability() { return QRT_CUDA_LOWEST_CAPABILITY; }

Code probe(DriverInfo *info, int32_t *deviceCount) {
  *deviceCount = 0;
  Code code;
  const Driver *d = driver(code, info);
  if (!d)
    return code;
  int count = 0;
  const CUresult result = d->deviceGetCount(&count);
  if (result == CUDA_ERROR_NO_DEVICE || (result == CUDA_SUCCESS && count == 0))
    return fail(Code::NoDevice, "the driver (CUDA " + std::to_string(d->version / 1000) + "." +
                                    std::to_string(d->version % 1000 / 10) + ") lists none");
  if (check(*d, result, "cuDeviceGetCount") != Code::Ok)
    return Code::InitFailed;
  *deviceCount = count;
  return Code::Ok;
}

Code deviceInfo(int32_t index, DeviceInfo *info) {
  *info = {};
  DriverInfo versions;
  int32_t count = 0;
  if (Code code = probe(&versions, &count); code != Code::Ok)
    return code;
  if (index < 0 || index >= count)
    return fail(Code::NoSuchDevice,
                "device " + std::to_string(index) + " of " + std::to_string(count));
  Code code;
  const Driver &d = *driver(code);
  CUdevice device;
  auto attribute = [&](CUdevice_attribute which) {
    int value = 0;
    return d.deviceGetAttribute(&value, which, device) == CUDA_SUCCESS ? value : 0;
  };
  size_t total = 0;
  if (check(d, d.deviceGet(&device, index), "cuDeviceGet") != Code::Ok ||
      check(d, d.deviceGetName(info->name, sizeof(info->name), device), "cuDeviceGetName") !=
          Code::Ok ||
      check(d, d.deviceTotalMem(&total, device), "cuDeviceTotalMem") != Code::Ok)
    return Code::InitFailed;
  info->name[sizeof(info->name) - 1] = 0;
  info->totalBytes = int64_t(total);
  info->capability = 10 * attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) +
                     attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  info->multiprocessors = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  info->sharedBytesPerBlock = attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
  info->l2Bytes = attribute(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
  info->usable = info->capability >= lowestCapability();
  return Code::Ok;
}

Code openContext(int32_t index, Context **out) {
  *out = nullptr;
  DeviceInfo info;
  if (Code code = deviceInfo(index, &info); code != Code::Ok)
    return code;
  if (!info.usable)
    return fail(Code::CapabilityTooLow, "device " + std::to_string(index) + " (" + info.name +
                                            ") has " + std::to_string(info.capability / 10) + "." +
                                            std::to_string(info.capability % 10) +
                                            ", the library has code for " + builtArchitectures());
  Code code;
  auto *context = new Context;
  context->driver = driver(code);
  const Driver &d = *context->driver;
  auto failed = [&](Code why) {
    closeContext(context);
    return why == Code::Failed ? Code::InitFailed : why;
  };
  if (code = check(d, d.deviceGet(&context->device, index), "cuDeviceGet"); code != Code::Ok)
    return failed(code);
  if (code =
          check(d, d.primaryRetain(&context->handle, context->device), "cuDevicePrimaryCtxRetain");
      code != Code::Ok) {
    context->handle = nullptr;
    return failed(code);
  }
  if (code = check(d, d.ctxSetCurrent(context->handle), "cuCtxSetCurrent"); code != Code::Ok)
    return failed(code);
  if (code = check(d, d.streamCreate(&context->stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
      code != Code::Ok) {
    context->stream = nullptr;
    return failed(code);
  }
  context->launch.stream = context->stream;
  context->launch.capability = info.capability;
  context->programmatic = waitsInKernels(info.capability);
  // The kernels of an older architecture on a newer device: to test them (docs/cuda.md).
  if (const char *forced = std::getenv("QRT_CUDA_ARCH"); forced && *forced) {
    const long capability = std::strtol(forced, nullptr, 10);
    if (capability < lowestCapability() || capability > info.capability) {
      fail(Code::CapabilityTooLow, std::string("QRT_CUDA_ARCH=") + forced + ": not between " +
                                       std::to_string(lowestCapability()) + " and " +
                                       std::to_string(info.capability));
      return failed(Code::CapabilityTooLow);
    }
    context->launch.capability = int32_t(capability);
  }
  context->launch.multiprocessors = info.multiprocessors;
  context->launch.sharedBytesPerBlock = info.sharedBytesPerBlock;
  *out = context;
  return Code::Ok;
}

void closeContext(Context *context) {
  const Driver &d = *context->driver;
  if (context->handle) {
    d.ctxSetCurrent(context->handle);
    if (context->stream)
      d.streamDestroy(context->stream);
    d.primaryRelease(context->device);
  }
  delete context;
}

} // namespace qrt::cuda
