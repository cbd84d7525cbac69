//===- Devices.cpp - Names of problems, requests, and what the machine has -------------------===//
#include "Device/Loader.h"

#include <charconv>

namespace qrt {

namespace {
struct ProblemText {
  const char *name, *words;
};
} // namespace

static ProblemText problemText(DeviceProblem problem) {
  switch (problem) {
  case DeviceProblem::None:
    return {"none", "no problem"};
  case DeviceProblem::NoLibrary:
    return {"no_library", "no library"};
  case DeviceProblem::VersionMismatch:
    return {"version_mismatch", "the library is of another version"};
  case DeviceProblem::NoDriver:
    return {"no_driver", "no driver"};
  case DeviceProblem::DriverTooOld:
    return {"driver_too_old", "the driver is too old"};
  case DeviceProblem::NoDevice:
    return {"no_device", "no device"};
  case DeviceProblem::NoSuchDevice:
    return {"no_such_device", "no such device"};
  case DeviceProblem::CapabilityTooLow:
    return {"capability_too_low", "the compute capability is too low"};
  case DeviceProblem::OutOfMemory:
    return {"out_of_memory", "not enough memory on the device"};
  case DeviceProblem::NotSupported:
    return {"not_supported", "not supported on the device"};
  case DeviceProblem::InitFailed:
    return {"init_failed", "the driver failed"};
  case DeviceProblem::Failed:
    return {"failed", "a call failed"};
  case DeviceProblem::Lost:
    return {"lost", "the device is lost"};
  }
  return {"unknown", "unknown problem"};
}

const char *deviceProblemName(DeviceProblem problem) { return problemText(problem).name; }

Status deviceError(DeviceProblem problem, const std::string &detail) {
  return Status::error(StatusCode::DeviceMissing, std::string("CUDA: ") +
                                                      problemText(problem).words +
                                                      (detail.empty() ? "" : ": " + detail));
}

Result<DeviceRequest> parseDevice(std::string_view text) {
  if (text == "cpu")
    return DeviceRequest{DeviceKind::Cpu, 0};
  if (text == "auto")
    return DeviceRequest{DeviceKind::Auto, 0};
  if (text == "cuda")
    return DeviceRequest{DeviceKind::Cuda, 0};
  if (text.starts_with("cuda:")) {
    std::string_view digits = text.substr(5);
    int32_t index = -1;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error == std::errc() && end == digits.data() + digits.size() && index >= 0)
      return DeviceRequest{DeviceKind::Cuda, index};
  }
  return invalidArgument("device '" + std::string(text) +
                         "': expects auto, cpu, cuda or cuda:N with N from 0");
}

DeviceReport findDevices() {
  DeviceReport report;
  CudaLibrary library = loadCudaLibrary();
  report.library = library.path;
  auto fail = [&](DeviceProblem problem, Status status) {
    report.problem = problem;
    report.status = std::move(status);
    return report;
  };
  if (!library.table)
    return fail(library.problem, library.status);
  const cuda::Table &table = *library.table;
  report.architectures = table.architectures;
  cuda::DriverInfo driver = {};
  int32_t count = 0;
  const cuda::Code probed = table.probe(&driver, &count);
  report.driverVersion = driver.driverVersion;
  report.toolkitVersion = driver.toolkitVersion;
  if (probed != cuda::Code::Ok)
    return fail(deviceProblem(probed), deviceError(deviceProblem(probed), table.lastError()));
  bool usable = false;
  DeviceProblem worst = DeviceProblem::NoDevice;
  std::string detail;
  for (int32_t i = 0; i < count; ++i) {
    cuda::DeviceInfo info = {};
    DeviceDescription device;
    device.index = i;
    if (cuda::Code code = table.deviceInfo(i, &info); code != cuda::Code::Ok) {
      device.problem = deviceProblem(code);
      detail = table.lastError();
    } else {
      device.name = info.name;
      device.capability = info.capability;
      device.multiprocessors = info.multiprocessors;
      device.totalBytes = info.totalBytes;
      if (!info.usable) {
        device.problem = DeviceProblem::CapabilityTooLow;
        detail = "device " + std::to_string(i) + " (" + device.name + ") has " +
                 std::to_string(info.capability / 10) + "." + std::to_string(info.capability % 10) +
                 ", the library has code for " + report.architectures;
      }
    }
    usable |= device.problem == DeviceProblem::None;
    if (device.problem != DeviceProblem::None)
      worst = device.problem;
    report.devices.push_back(std::move(device));
  }
  return usable ? report : fail(worst, deviceError(worst, detail));
}

} // namespace qrt
