//===- ThinkTags.cpp - Which marks open and close a model's thinking --------------------------===//
#include "Reasoning/ThinkTags.h"

namespace qrt {
namespace {

constexpr struct {
  const char *open, *close;
} families[] = {
    {"<think>", "</think>"},                        // DeepSeek-R1, Qwen3, QwQ, SmolLM3, Phi-4
    {"[THINK]", "[/THINK]"},                        // Magistral
    {"<seed:think>", "</seed:think>"},              // Seed-OSS
    {"<|START_THINKING|>", "<|END_THINKING|>"},     // Command A Reasoning
    {"<|begin_of_thought|>", "<|end_of_thought|>"}, // Sky-T1
    {"<thought>", "</thought>"},                    // EXAONE Deep
    {"<thinking>", "</thinking>"},                  //
    {"<reasoning>", "</reasoning>"},                //
};

std::optional<int32_t> oneToken(const Tokenizer &tokenizer, std::string_view text) {
  std::vector<int32_t> ids = tokenizer.encode(text);
  if (ids.size() == 1 && tokenizer.tokenBytes(ids[0]) == text)
    return ids[0];
  return std::nullopt;
}

} // namespace

std::optional<ThinkTags> findThinkTags(const Tokenizer *tokenizer,
                                       std::string_view templateSource) {
  if (!tokenizer)
    return std::nullopt;
  std::optional<ThinkTags> byTemplate;
  for (auto [open, close] : families) {
    ThinkTags tags{open, close, oneToken(*tokenizer, open), oneToken(*tokenizer, close)};
    if (tags.closeId)
      return tags;
    if (!byTemplate && templateSource.find(close) != std::string_view::npos)
      byTemplate = std::move(tags);
  }
  return byTemplate;
}

} // namespace qrt
