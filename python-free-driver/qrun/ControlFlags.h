//===- ControlFlags.h - Flags of every command that generates text ---------------------------===//
// complete, chat and eval take the same flags: how tokens are chosen (SamplingFlags), how the
// thinking is steered (ReasoningFlags), and presets of both. docs/reasoning.md says what they do.
#ifndef QRUN_CONTROLFLAGS_H
#define QRUN_CONTROLFLAGS_H

#include "ReasoningFlags.h"
#include "SamplingFlags.h"

namespace qrt {

struct ControlFlags {
  SamplingFlags sampling;
  ReasoningFlags reasoning;
  std::vector<std::string> presets;

  /// The object must live as long as the app and the action of its command.
  void addTo(CLI::App &command);
  /// Fills in everything of a request but the prompt: the model's own defaults, then presets in
  /// their order, then single flags. InvalidArgument names a flag that is wrong or would have no
  /// effect.
  Status applyTo(GenerationRequest &request, const ModelTexts &texts) const;
};

} // namespace qrt

#endif // QRUN_CONTROLFLAGS_H
