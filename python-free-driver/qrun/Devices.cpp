//===- Devices.cpp - qrun devices: what models can run on ------------------------------------===//
#include "Command.h"
#include "Output.h"

#include "Support/Memory.h"
#include "kernels/cpu/Isa.h"
#include "qrt/Device.h"

namespace qrt {

/// "12.4" of 12 and 4.
static std::string dotted(int32_t major, int32_t minor) {
  std::string text = std::to_string(major);
  text.push_back('.');
  return text.append(std::to_string(minor));
}
static std::string cudaVersion(int32_t version) {
  return dotted(version / 1000, version % 1000 / 10);
}
static std::string capabilityText(int32_t capability) {
  return dotted(capability / 10, capability % 10);
}
static std::string deviceName(const DeviceDescription &device) {
  return std::string("cuda:").append(std::to_string(device.index));
}

static OrderedJson toJson(const DeviceReport &report, const std::string &isa) {
  OrderedJson json;
  json["cpu"]["isa"] = isa;
  OrderedJson &cuda = json["cuda"];
  cuda["usable"] = report.problem == DeviceProblem::None;
  cuda["problem"] = nullptr;
  cuda["message"] = nullptr;
  if (report.problem != DeviceProblem::None) {
    cuda["problem"] = deviceProblemName(report.problem);
    cuda["message"] = report.status.message();
  }
  cuda["library"] = nullptr;
  if (!report.library.empty())
    cuda["library"] = report.library;
  cuda["architectures"] = nullptr;
  if (!report.architectures.empty())
    cuda["architectures"] = report.architectures;
  auto version = [](int32_t number) {
    return number ? OrderedJson(cudaVersion(number)) : OrderedJson(nullptr);
  };
  cuda["driver"] = version(report.driverVersion);
  cuda["toolkit"] = version(report.toolkitVersion);
  cuda["devices"] = OrderedJson::array();
  for (const DeviceDescription &device : report.devices) {
    OrderedJson entry;
    entry["device"] = deviceName(device);
    entry["name"] = device.name;
    entry["capability"] = capabilityText(device.capability);
    entry["multiprocessors"] = device.multiprocessors;
    entry["bytes"] = device.totalBytes;
    entry["problem"] = nullptr;
    if (device.problem != DeviceProblem::None)
      entry["problem"] = deviceProblemName(device.problem);
    cuda["devices"].push_back(std::move(entry));
  }
  return json;
}

static std::string toText(const DeviceReport &report, const std::string &isa) {
  std::string text = "cpu     " + isa + "\n";
  for (const DeviceDescription &device : report.devices) {
    text += deviceName(device) + "  " + device.name + ", capability " +
            capabilityText(device.capability) + ", " + std::to_string(device.multiprocessors) +
            " multiprocessors, " + formatBytes(device.totalBytes);
    if (device.problem != DeviceProblem::None)
      text += std::string(" (cannot be used: ") + deviceProblemName(device.problem) + ")";
    text += "\n";
  }
  if (report.problem != DeviceProblem::None)
    text += "cuda    not usable: " + report.status.message() + "\n";
  if (!report.library.empty())
    text += "library " + report.library +
            (report.architectures.empty() ? "" : ", " + report.architectures) + "\n";
  if (report.driverVersion)
    text += "driver  CUDA " + cudaVersion(report.driverVersion) + "\n";
  return text;
}

/// Always exit code 0: that a machine has no GPU is an answer.
static Status devices(bool json) {
  QRT_ASSIGN_OR_RETURN(kernels::Isa isa, kernels::requestedIsa());
  const DeviceReport report = findDevices();
  const std::string name(kernels::isaName(isa));
  return json ? writeJson(toJson(report, name), 2) : writeOutput(toText(report, name));
}

void addDevices(CLI::App &app, Action &action) {
  auto json = std::make_shared<bool>(false);
  CLI::App *command =
      app.add_subcommand("devices", "List what models can run on, and why a device cannot be used");
  command->add_flag("--json", *json, "Print JSON");
  command->callback([&action, json] { action = [json] { return devices(*json); }; });
}

} // namespace qrt
