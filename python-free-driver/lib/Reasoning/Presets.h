//===- Presets.h - Published controls as settings of the same mechanism -----------------------===//
//   penalty       50 markers, strength 1, thinking only            arXiv 2606.00206
//   derived       the model's own table, strength 1, thinking only   after RATIO
//   (docs/reasoning.md) fitted        the same, at the strength that its table stores nowait 17
//   keywords, -inf, thinking only                 arXiv 2506.08343 tip           switch words,
//   strength 3 within 300 tokens       arXiv 2501.18585 (its alpha and beta are not
//                 known to us: these two are ours)
//   cyclicreflex  reflection words, triangle wave A 3, C 600       arXiv 2506.11077
//   dry           multiplier 0.8, base 1.75, allowed length 2      text-generation-webui pull
//   request 5677 rescue        loop roll-back, at most 3 times                  after arXiv
//   2606.02011
#ifndef QRT_REASONING_PRESETS_H
#define QRT_REASONING_PRESETS_H

#include "Reasoning/Options.h"
#include "Sampling/Options.h"

#include <span>
#include <string_view>

namespace qrt {

std::span<const std::string_view> presetNames();
/// InvalidArgument: no such preset, with the names that there are.
Status applyPreset(std::string_view name, ReasoningOptions &reasoning, SamplingOptions &sampling);

} // namespace qrt

#endif // QRT_REASONING_PRESETS_H
