//===- SamplingFlags.h - Flags that choose tokens and end a text -----------------------------===//
// A part of ControlFlags.
#ifndef QRUN_SAMPLINGFLAGS_H
#define QRUN_SAMPLINGFLAGS_H

#include "Generation/Generator.h"

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace qrt {

struct SamplingFlags {
  int64_t maxTokens = -1; ///< the command's default
  std::optional<float> temperature, topP, minP, repetition, presence, frequency;
  std::optional<int32_t> topK, window;
  std::optional<float> dryMultiplier, dryBase;
  std::optional<int32_t> dryAllowed, dryWindow;
  std::vector<int32_t> dryBreakers, stopIds;
  std::optional<uint64_t> seed;
  std::vector<std::string> logitBias, stop;
  bool ignoreEos = false;

  /// The object must live as long as the app and the action of its command.
  void addTo(CLI::App &command);
  /// Sets what was given over the defaults that are in the request. InvalidArgument names the flag
  /// that is wrong or would have no effect.
  Status applyTo(GenerationRequest &request) const;
};

inline constexpr const char *samplingFlagGroup = "Sampling";

} // namespace qrt

#endif // QRUN_SAMPLINGFLAGS_H
