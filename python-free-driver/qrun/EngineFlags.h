//===- EngineFlags.h - Flags of every command that runs a model ------------------------------===//
// -t/--threads, --kv-type, --chunk, --ctx, --max-memory: one spelling and one check for all
// commands.
#ifndef QRUN_ENGINEFLAGS_H
#define QRUN_ENGINEFLAGS_H

#include "qrt/Engine.h"

#include <CLI/CLI.hpp>
#include <string>

namespace qrt {

struct EngineFlags {
  EngineOptions options; ///< kvType aside
  std::string kvType = "f32";

  /// The object must live as long as the app and the action of its command.
  void addTo(CLI::App &command);
  EngineOptions resolve() const;
};

} // namespace qrt

#endif // QRUN_ENGINEFLAGS_H
