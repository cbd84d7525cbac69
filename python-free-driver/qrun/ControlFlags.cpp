//===- ControlFlags.cpp - Flags of every command that generates text -------------------------===//
#include "ControlFlags.h"

#include "FlagChecks.h"
#include "Reasoning/Presets.h"

namespace qrt {

void ControlFlags::addTo(CLI::App &command) {
  sampling.addTo(command);
  command
      .add_option("--preset", presets,
                  "penalty, nowait, tip, cyclicreflex, dry or rescue; repeatable, single flags win")
      ->allow_extra_args(false)
      ->group(reasoningFlagGroup);
  reasoning.addTo(command);
}

Status ControlFlags::applyTo(GenerationRequest &request, const ModelTexts &texts) const {
  request.sampling = texts.samplingDefaults;
  request.reasoning = {};
  for (const std::string &name : presets)
    QRT_RETURN_IF_ERROR(applyPreset(name, request.reasoning, request.sampling));
  QRT_RETURN_IF_ERROR(sampling.applyTo(request));
  QRT_RETURN_IF_ERROR(reasoning.applyTo(request.reasoning, sampling.ignoreEos));
  // A roll-back draws at a higher temperature, also behind greedy decoding.
  const LoopOptions &loop = request.reasoning.loop;
  const bool rollsBack =
      loop.action == LoopOptions::Action::Rollback || loop.action == LoopOptions::Action::Fp16;
  const bool draws = request.sampling.temperature > 0 || (rollsBack && loop.temperature > 0);
  return needs({{sampling.topK.has_value(), "--top-k"},
                {sampling.topP.has_value(), "--top-p"},
                {sampling.minP.has_value(), "--min-p"},
                {sampling.seed.has_value(), "--seed"}},
               draws, "a temperature above 0: greedy decoding draws nothing");
}

} // namespace qrt
