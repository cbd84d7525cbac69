//===- EngineFlags.h - Flags of every command that runs a model ------------------------------===//
// -t/--threads, --kv-type, --ctk, --ctv, --kv-sink, --kv-window, --chunk, --ctx, --max-memory,
// --device: one spelling and one check for all commands.
#ifndef QRUN_ENGINEFLAGS_H
#define QRUN_ENGINEFLAGS_H

#include "qrt/Engine.h"

#include <CLI/CLI.hpp>
#include <string>

namespace qrt {

/// --device auto|cpu|cuda[:N].
struct DeviceFlag {
  std::string device = "cpu";

  /// The object must live as long as the app and the action of its command.
  void addTo(CLI::App &command);
  /// Sets the device, and the line on stderr where auto takes the CPU.
  void applyTo(EngineOptions &options) const;
};

struct EngineFlags {
  EngineOptions options; ///< types of the KV cache aside
  std::string kvTypes, keyType, valueType;
  DeviceFlag device;

  /// The object must live as long as the app and the action of its command.
  void addTo(CLI::App &command);
  /// Those of the KV cache alone.
  void addKvFlags(CLI::App &command);
  EngineOptions resolve() const;
};

} // namespace qrt

#endif // QRUN_ENGINEFLAGS_H
