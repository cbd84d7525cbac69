//===- qrt/Device.h - Which device a model runs on -------------------------------------------===//
// Devices other than the CPU are reached through a separately loaded library (docs/cuda.md). Each
// reason why one cannot be used has its own name and words; the code of them all is DeviceMissing
// (exit code 13).
// Thread safety: free functions without state of their own.
#ifndef QRT_DEVICE_H
#define QRT_DEVICE_H

#include "qrt/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qrt {

enum class DeviceKind : uint8_t {
  Cpu,
  Cuda, ///< an error where it cannot be used
  Auto, ///< CUDA where it can be used, else the CPU
};

struct DeviceRequest {
  DeviceKind kind = DeviceKind::Cpu;
  int32_t index = 0; ///< of the CUDA device
};

/// "auto", "cpu", "cuda" or "cuda:N"; InvalidArgument otherwise.
Result<DeviceRequest> parseDevice(std::string_view text);

enum class DeviceProblem : uint8_t {
  None,
  NoLibrary,        ///< libqrt_cuda.so is not there or cannot be loaded
  VersionMismatch,  ///< it belongs to another version of this program
  NoDriver,         ///< no libcuda.so.1
  DriverTooOld,     ///< for the toolkit the library was built with
  NoDevice,         ///< the driver finds none
  NoSuchDevice,     ///< fewer devices than the number asked for
  CapabilityTooLow, ///< the device is older than all code in the library
  OutOfMemory,      ///< on the device
  NotSupported,     ///< the model needs what the device's engine lacks; it is named
  InitFailed,       ///< any other error of the driver
  Failed,           ///< a call failed; others may succeed
  Lost,             ///< a fault on the device: this process cannot use it any more
};
/// "none", "no_library", "version_mismatch" ...: for scripts.
const char *deviceProblemName(DeviceProblem problem);
/// DeviceMissing: "CUDA: <the problem in words>: <detail>".
Status deviceError(DeviceProblem problem, const std::string &detail);

struct DeviceDescription {
  int32_t index = 0;
  std::string name;
  int32_t capability = 0; ///< 90 for 9.0
  int32_t multiprocessors = 0;
  int64_t totalBytes = 0;
  DeviceProblem problem = DeviceProblem::None; ///< None: it can be used
};

/// What was found on this machine.
struct DeviceReport {
  DeviceProblem problem = DeviceProblem::None; ///< why there is no usable device
  Status status;                               ///< the same with words; Ok: at least one is usable
  std::string library;                         ///< path; "" if none was found
  std::string architectures;                   ///< that the library has code for
  int32_t driverVersion = 0, toolkitVersion = 0; ///< 13000 = 13.0; 0: unknown
  std::vector<DeviceDescription> devices;
};
DeviceReport findDevices();

} // namespace qrt

#endif // QRT_DEVICE_H
