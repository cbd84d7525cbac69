//===- SamplingFlags.cpp - Flags that choose tokens and end a text ---------------------------===//
#include "SamplingFlags.h"

#include <charconv>

namespace qrt {

void SamplingFlags::addTo(CLI::App &command) {
  command
      .add_option("-n,--max-tokens", maxTokens,
                  "Most tokens to generate, thinking included; -1: up to the context")
      ->check(CLI::Range(int64_t(-1), int64_t(INT32_MAX)))
      ->capture_default_str();
  command.add_option("--temp,--temperature", temperature, "Temperature; 0: greedy");
  command.add_option("--top-k", topK, "Only the K likeliest tokens; 0: off");
  command.add_option("--top-p", topP, "Only the likeliest tokens with this probability; 1: off");
  command.add_option("--min-p", minP, "Only tokens this likely against the likeliest; 0: off");
  command.add_option("--seed", seed, "Seed of the draws (0)");
  command.add_option("--repeat-penalty,--repetition-penalty", repetition,
                     "Penalty of tokens seen before, prompt included; 1: off");
  command.add_option("--repeat-last-n", window, "Tokens that --repeat-penalty looks at; 0: all");
  command.add_option("--presence-penalty", presence, "Subtracted from tokens generated before");
  command.add_option("--frequency-penalty", frequency, "Subtracted per time a token was generated");
  command
      .add_option("--logit-bias", logitBias,
                  "ID=VALUE, added to the logit of a token; -inf bans it; repeatable")
      ->allow_extra_args(false);
  command.add_option("--stop", stop, "Text that ends the generation; repeatable")
      ->allow_extra_args(false);
  command.add_flag("--ignore-eos", ignoreEos,
                   "Go on behind the end of the text, also inside the thinking");
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

Status SamplingFlags::applyTo(GenerationRequest &request, const ModelTexts &texts) const {
  SamplingOptions &sampling = request.sampling;
  sampling = texts.samplingDefaults;
  auto set = [](auto &field, const auto &flag) {
    if (flag)
      field = *flag;
  };
  set(sampling.temperature, temperature);
  set(sampling.topK, topK);
  set(sampling.topP, topP);
  set(sampling.minP, minP);
  set(sampling.seed, seed);
  set(sampling.repetitionPenalty, repetition);
  set(sampling.repetitionWindow, window);
  set(sampling.presencePenalty, presence);
  set(sampling.frequencyPenalty, frequency);
  if (sampling.temperature == 0)
    for (auto [given, flag] :
         {std::pair{topK.has_value(), "--top-k"}, std::pair{topP.has_value(), "--top-p"},
          std::pair{minP.has_value(), "--min-p"}, std::pair{seed.has_value(), "--seed"}})
      if (given)
        return invalidArgument(std::string(flag) + " has no effect at temperature 0 (greedy)");
  if (window && sampling.repetitionPenalty == 1)
    return invalidArgument("--repeat-last-n has no effect without --repeat-penalty");
  for (const std::string &text : logitBias) {
    QRT_ASSIGN_OR_RETURN(auto bias, readBias(text));
    sampling.logitBias.push_back(bias);
  }
  request.maxTokens = maxTokens;
  request.stopStrings = stop;
  request.ignoreEos = ignoreEos;
  return Status::ok();
}

} // namespace qrt
