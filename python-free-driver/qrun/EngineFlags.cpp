//===- EngineFlags.cpp - Flags of every command that runs a model ----------------------------===//
#include "EngineFlags.h"

#include "Command.h"

namespace qrt {

void DeviceFlag::addTo(CLI::App &command) {
  command
      .add_option("--device", device,
                  "Where the model runs: cpu, cuda, cuda:N, or auto (CUDA where it can be used)")
      ->check([](const std::string &text) {
        auto parsed = parseDevice(text);
        return parsed ? std::string() : parsed.status().message();
      })
      ->capture_default_str();
}

void DeviceFlag::applyTo(EngineOptions &options) const {
  options.device = *parseDevice(device); // checked above
  options.notice = [](const std::string &text) { message(text); };
}

void EngineFlags::addTo(CLI::App &command) {
  device.addTo(command);
  command.add_option("-t,--threads", options.threads, "Threads, 0: all processors")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command.add_option("--kv-type", kvType, "Type of the KV cache: f32, f16 or bf16")
      ->check(CLI::IsMember({"f32", "f16", "bf16"}))
      ->capture_default_str();
  command
      .add_option("--chunk", options.prefillChunk, "Most prompt tokens in one run of the program")
      ->check(CLI::Range(int64_t(1), int64_t(65536)))
      ->capture_default_str();
  command
      .add_option("--ctx", options.maxContext,
                  "Tokens per sequence, 0: what the model was made for")
      ->check(CLI::Range(int64_t(0), int64_t(INT32_MAX)))
      ->capture_default_str();
  command
      .add_option("--max-memory", options.maxMemory,
                  "Most memory for activations and KV cache, as 512MiB or 2GiB; 0: what is free")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->check(CLI::Range(int64_t(0), int64_t(INT64_MAX)))
      ->capture_default_str();
}

EngineOptions EngineFlags::resolve() const {
  EngineOptions resolved = options;
  resolved.kvType = *dtypeFromName(kvType); // checked by IsMember
  device.applyTo(resolved);
  return resolved;
}

} // namespace qrt
