//===- SamplingFlags.h - Flags that choose tokens and end a text -----------------------------===//
// Flags of complete and chat. What is not given comes from the model's generation_config.json,
// else from SamplingOptions' defaults.
#ifndef QRUN_SAMPLINGFLAGS_H
#define QRUN_SAMPLINGFLAGS_H

#include "Generation/Generator.h"

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace qrt {

struct SamplingFlags {
  int64_t maxTokens = -1;
  std::optional<float> temperature, topP, minP, repetition, presence, frequency;
  std::optional<int32_t> topK, window;
  std::optional<uint64_t> seed;
  std::vector<std::string> logitBias, stop;
  bool ignoreEos = false;

  /// The object must live as long as the app and the action of its command.
  void addTo(CLI::App &command);
  /// Fills in everything of a request but prompt and reasoning. InvalidArgument names the flag that
  /// is wrong or would have no effect (--top-k with --temp 0).
  Status applyTo(GenerationRequest &request, const ModelTexts &texts) const;
};

} // namespace qrt

#endif // QRUN_SAMPLINGFLAGS_H
