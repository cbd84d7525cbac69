//===- Plan.h - The reasoning controls of one request, resolved against a model ---------------===//
// Checks that every control that is switched on can act on this model, and turns words, tags and
// messages into token ids once.
// Thread safety: immutable after create(); share it between requests with the same options.
#ifndef QRT_REASONING_PLAN_H
#define QRT_REASONING_PLAN_H

#include "Reasoning/Markers.h"
#include "Reasoning/Options.h"
#include "Reasoning/ThinkTags.h"
#include "Tokenizer/Tokenizer.h"
#include "qrt/Status.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qrt {

/// What the controls need to know of a model; parts may be missing.
struct ReasoningModel {
  std::shared_ptr<const Tokenizer> tokenizer;
  std::optional<ThinkTags> thinkTags;
  const MarkerTable *markers = nullptr; ///< the model's own table
  std::vector<int32_t> eosIds;
  bool secondWeightSet = false; ///< its engine takes chunks for the second weight set
};

class ReasoningPlan {
public:
  /// InvalidArgument: an option out of range, or a control that cannot act on this model, by name.
  static Result<std::shared_ptr<const ReasoningPlan>> create(const ReasoningModel &model,
                                                             const ReasoningOptions &options);

  ReasoningOptions options;
  std::shared_ptr<const Tokenizer> tokenizer; ///< may be null
  std::shared_ptr<const ThinkTags> tags;      ///< may be null
  std::vector<int32_t> eosIds;
  MarkerTable markers; ///< of the penalty and the transitions of early exit; empty if neither is on
  /// Closing message and end tag, for text that ends in the middle of a line and at its start.
  std::vector<int32_t> closing, closingAtLineStart;
  std::vector<int32_t> extension, extensionAtLineStart; ///< message of the minimum thinking
  std::vector<int32_t> trialPrompt;                     ///< early exit

  const Marker *marker(int32_t token) const; ///< null: not a marker
  std::vector<int32_t> encode(const std::string &text) const;
};

} // namespace qrt

#endif // QRT_REASONING_PLAN_H
