//===- SamplingFlags.cpp - Flags that choose tokens and end a text ---------------------------===//
#include "SamplingFlags.h"

#include "FlagChecks.h"

#include <charconv>

namespace qrt {

void SamplingFlags::addTo(CLI::App &command) {
  auto option = [&](const char *names, auto &value, const char *text) {
    return command.add_option(names, value, text)->group(samplingFlagGroup);
  };
  auto repeatable = [&](const char *names, auto &values, const char *text) {
    option(names, values, text)->allow_extra_args(false);
  };
  option("-n,--max-tokens", maxTokens,
         "Most tokens to generate, thinking included; -1: up to the context")
      ->check(CLI::Range(int64_t(-1), int64_t(INT32_MAX)))
      ->capture_default_str();
  option("--temp,--temperature", temperature, "Temperature; 0: greedy");
  option("--top-k", topK, "Only the K likeliest tokens; 0: off");
  option("--top-p", topP, "Only the likeliest tokens with this probability; 1: off");
  option("--min-p", minP, "Only tokens this likely against the likeliest; 0: off");
  option("--seed", seed, "Seed of the draws");
  option("--repeat-penalty,--repetition-penalty", repetition,
         "Penalty of tokens seen before, prompt included; 1: off");
  option("--repeat-last-n,--repetition-window", window,
         "Tokens that --repeat-penalty looks at; 0: all");
  option("--presence-penalty", presence, "Subtracted from tokens generated before");
  option("--frequency-penalty", frequency, "Subtracted per time a token was generated");
  option("--dry-multiplier", dryMultiplier, "Penalty of repeated sequences (DRY); 0: off");
  option("--dry-base", dryBase, "Its growth per token of the repetition (1.75)");
  option("--dry-allowed-length", dryAllowed, "Tokens that may repeat unpunished (2)");
  option("--dry-window,--dry-penalty-last-n", dryWindow, "Tokens that DRY looks at; 0: all");
  repeatable("--dry-breaker", dryBreakers, "Token id over which no repetition reaches; repeatable");
  repeatable("--logit-bias", logitBias,
             "ID=VALUE, added to the logit of a token; -inf bans it; repeatable");
  repeatable("--stop", stop, "Text that ends the generation; repeatable");
  repeatable("--stop-id", stopIds, "Token id that ends the generation; repeatable");
  command
      .add_flag("--ignore-eos", ignoreEos,
                "Go on behind the end of the text, also inside the thinking")
      ->group(samplingFlagGroup);
}

static Result<std::pair<int32_t, float>> readBias(const std::string &text) {
  const Status bad = invalidArgument("--logit-bias: expects ID=VALUE, got '" + text + "'");
  const char *end = text.data() + text.size();
  std::pair<int32_t, float> bias;
  auto id = std::from_chars(text.data(), end, bias.first);
  if (id.ec != std::errc() || id.ptr == end || *id.ptr != '=')
    return bad;
  const char *value = id.ptr + 1;
  if (value != end && *value == '+') // from_chars reads no plus sign
    ++value;
  auto number = std::from_chars(value, end, bias.second);
  if (number.ec != std::errc() || number.ptr != end)
    return bad;
  return bias;
}

Status SamplingFlags::applyTo(GenerationRequest &request) const {
  SamplingOptions &sampling = request.sampling;
  assign(sampling.temperature, temperature);
  assign(sampling.topK, topK);
  assign(sampling.topP, topP);
  assign(sampling.minP, minP);
  assign(sampling.seed, seed);
  assign(sampling.repetitionPenalty, repetition);
  assign(sampling.repetitionWindow, window);
  assign(sampling.presencePenalty, presence);
  assign(sampling.frequencyPenalty, frequency);
  QRT_RETURN_IF_ERROR(needs({{window.has_value(), "--repeat-last-n"}},
                            sampling.repetitionPenalty != 1, "--repeat-penalty"));
  assign(sampling.dry.multiplier, dryMultiplier);
  assign(sampling.dry.base, dryBase);
  assign(sampling.dry.allowedLength, dryAllowed);
  assign(sampling.dry.window, dryWindow);
  QRT_RETURN_IF_ERROR(needs({{dryBase.has_value(), "--dry-base"},
                             {dryAllowed.has_value(), "--dry-allowed-length"},
                             {dryWindow.has_value(), "--dry-window"},
                             {!dryBreakers.empty(), "--dry-breaker"}},
                            sampling.dry.multiplier != 0, "--dry-multiplier or --preset dry"));
  sampling.dry.breakers.insert(sampling.dry.breakers.end(), dryBreakers.begin(), dryBreakers.end());
  for (const std::string &text : logitBias) {
    QRT_ASSIGN_OR_RETURN(auto bias, readBias(text));
    sampling.logitBias.push_back(bias);
  }
  request.maxTokens = maxTokens;
  request.stopStrings = stop;
  request.stopIds = stopIds;
  request.ignoreEos = ignoreEos;
  return Status::ok();
}

} // namespace qrt
