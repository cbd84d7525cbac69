//===- EngineFlags.cpp - Flags of every command that runs a model ----------------------------===//
#include "EngineFlags.h"

#include "Command.h"

#include <tuple>

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
  addKvFlags(command);
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

static std::string checkKvTypes(const std::string &text) {
  KvOptions parsed;
  const Status status = parseKvTypes(text, parsed);
  return status ? std::string() : status.message();
}

static std::string checkKvType(const std::string &text) {
  return kvTypeFromName(text) ? std::string()
                              : "expects f32, f16, bf16, int8 or int4, got '" + text + "'";
}

void EngineFlags::addKvFlags(CLI::App &command) {
  CLI::Option *both =
      command
          .add_option("--kv-type", kvTypes,
                      "KV cache: f32, f16, bf16, int8 or int4, or k=TYPE,v=TYPE (default: what the "
                      "file says, else f32; f16 on a device where products are not of f32)")
          ->check(CLI::Validator(checkKvTypes, "TYPE"));
  for (auto [flag, text, what] : {std::tuple("--ctk,--cache-type-k", &keyType, "keys"),
                                  std::tuple("--ctv,--cache-type-v", &valueType, "values")})
    command.add_option(flag, *text, std::string("Type of the ") + what + " alone")
        ->check(CLI::Validator(checkKvType, "TYPE"))
        ->excludes(both);
  command
      .add_option(
          "--kv-sink", options.kv.sink,
          "First tokens that an int8 or int4 cache also keeps in f16 (default: 4 with int4)")
      ->check(CLI::Range(int64_t(0), int64_t(INT32_MAX)));
  command
      .add_option(
          "--kv-window", options.kv.recent,
          "Last tokens that an int8 or int4 cache also keeps in f16 (default: 64 with int4)")
      ->check(CLI::Range(int64_t(0), int64_t(INT32_MAX)));
}

EngineOptions EngineFlags::resolve() const {
  EngineOptions resolved = options;
  if (!kvTypes.empty())
    (void)parseKvTypes(kvTypes, resolved.kv); // checked by the validator
  if (!keyType.empty())
    resolved.kv.keys = kvTypeFromName(keyType);
  if (!valueType.empty())
    resolved.kv.values = kvTypeFromName(valueType);
  device.applyTo(resolved);
  return resolved;
}

} // namespace qrt
