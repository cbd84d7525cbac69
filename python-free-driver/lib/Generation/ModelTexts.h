//===- ModelTexts.h - What a model brings besides its program ---------------------------------===//
#ifndef QRT_GENERATION_MODELTEXTS_H
#define QRT_GENERATION_MODELTEXTS_H

#include "Reasoning/Markers.h"
#include "Reasoning/ThinkTags.h"
#include "Sampling/Options.h"
#include "Tokenizer/Tokenizer.h"
#include "qrt/Model.h"
#include "qrt/Status.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qrt {

struct ModelTexts {
  std::shared_ptr<const Tokenizer> tokenizer; ///< null: ids only
  /// eos_token_id of generation_config.json; without it those of config.json and the tokenizer.
  std::vector<int32_t> eosIds;
  std::optional<ThinkTags> thinkTags;
  std::optional<MarkerTable> markers; ///< the MARKERS section
  /// temperature, top_k, top_p, min_p, repetition_penalty of generation_config.json; greedy where
  /// it says do_sample false.
  SamplingOptions samplingDefaults;
  std::string templateSource; ///< "" if the model has no chat template

  /// Reads the sections of a file; those that are absent leave their part empty. InvalidModel: a
  /// section that is not what it should be; Unsupported: the tokenizer needs what this build lacks.
  static Result<ModelTexts> fromModel(const Model &model);
};

} // namespace qrt

#endif // QRT_GENERATION_MODELTEXTS_H
