//===- ThinkTags.h - Which marks open and close a model's thinking ----------------------------===//
// The marks are data of the model: they come from its chat template or its tokenizer, never from
// user flags. Families known (docs/reasoning.md): <think> </think> (DeepSeek-R1, Qwen3, QwQ,
// SmolLM3, Phi-4), [THINK] [/THINK] (Magistral), <|begin_of_thought|> ... (Sky-T1), <thinking>,
// <thought>, <seed:think> (Seed-OSS), <reasoning>. Tags that are one token are matched by id, so
// that the letters "</think>" written by the model do not end its thinking; other tags are matched
// in the decoded bytes.
#ifndef QRT_REASONING_THINKTAGS_H
#define QRT_REASONING_THINKTAGS_H

#include "Tokenizer/Tokenizer.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qrt {

struct ThinkTags {
  std::string open, close;
  std::optional<int32_t> openId, closeId; ///< where the tag is one token
};

/// The first known pair whose close tag is a token of the tokenizer or stands in the template's
/// source; nothing if the model does not think. `tokenizer` may be null: nothing.
std::optional<ThinkTags> findThinkTags(const Tokenizer *tokenizer, std::string_view templateSource);

} // namespace qrt

#endif // QRT_REASONING_THINKTAGS_H
