//===- ControlFlags.h - Flags of sampling and of the reasoning controls
//--------------------------===//
// One spelling for every command that generates text; what they mean is in docs/reasoning.md.
#ifndef QRUN_CONTROLFLAGS_H
#define QRUN_CONTROLFLAGS_H

#include "Reasoning/Options.h"
#include "Sampling/Options.h"
#include "qrt/Status.h"

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace qrt {

class ControlFlags {
public:
  /// The object must live as long as the app and the action of its command.
  void addTo(CLI::App &command);
  /// Sets what was given on the command line, over the defaults that are there. InvalidArgument
  /// names the flag.
  Status resolve(SamplingOptions &sampling, ReasoningOptions &reasoning) const;

private:
  std::optional<float> temperature, topP, minP, repetition, presence, frequency, dryMultiplier,
      dryBase;
  std::optional<int32_t> topK, dryAllowed, repetitionWindow;
  std::optional<uint64_t> seed;
  std::vector<std::string> bias, words, presets;
  std::optional<float> strength, ramp, rampMax, entropyMin, confidence, loopTemperature;
  std::optional<std::string> set, scope, shape, loopAction, message;
  std::optional<int32_t> window, period, maxRescues;
  std::optional<int64_t> budget, grace, minThink;
  bool allowEos = false, earlyExit = false;
};

} // namespace qrt

#endif // QRUN_CONTROLFLAGS_H
