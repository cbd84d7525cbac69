//===- ReasoningFlags.h - Flags that steer the thinking --------------------------------------===//
// A part of ControlFlags: marker penalty, budget, loops, FP16, early exit. Every control has its
// own switch; a flag that refines a control which is off is an error.
#ifndef QRUN_REASONINGFLAGS_H
#define QRUN_REASONINGFLAGS_H

#include "Reasoning/Options.h"

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace qrt {

struct ReasoningFlags {
  std::optional<std::string> strength; ///< a number, or "fitted"
  std::optional<float> rampStep, rampMax, entropyMin;
  std::optional<std::string> set, scope, shape;
  std::vector<std::string> words, wordList;
  std::optional<int32_t> window, period;

  std::optional<int64_t> budget, grace, minThink;
  std::optional<std::string> message, minMessage;
  bool allowEos = false;

  std::optional<std::string> loop;
  std::optional<int32_t> loopNgram, loopCount, loopWindow, loopRescues;
  std::optional<float> loopTemperature;

  std::optional<int64_t> fp16Plan, fp16Rescue, fp16EntropyTokens;
  std::optional<float> fp16Entropy;
  bool fp16Outline = false, fp16Prompt = false, fp16Answer = false;

  bool earlyExit = false;
  std::optional<float> confidence;
  std::optional<int32_t> trialTokens, every, stable;
  std::optional<std::string> trialPrompt;

  /// The object must live as long as the app and the action of its command.
  void addTo(CLI::App &command);
  /// Sets what was given over what presets have set. `ignoreEos`: text behind the end is wanted, so
  /// the end is not suppressed in the thinking.
  Status applyTo(ReasoningOptions &options, bool ignoreEos) const;
};

inline constexpr const char *reasoningFlagGroup = "Reasoning";

} // namespace qrt

#endif // QRUN_REASONINGFLAGS_H
