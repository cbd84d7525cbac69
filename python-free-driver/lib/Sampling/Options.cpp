//===- Options.cpp - Checks of the sampling options -------------------------------------------===//
#include "Sampling/Options.h"

#include "Support/OptionRange.h"

#include <cmath>

namespace qrt {
namespace {

Status bad(const char *field, const std::string &why) {
  return invalidArgument("sampling option " + std::string(field) + ": " + why);
}

Status inRange(const char *field, double value, double low, double high) {
  return checkRange("sampling option " + std::string(field), value, low, high);
}

} // namespace

Status SamplingOptions::verify(int32_t vocabSize) const {
  QRT_RETURN_IF_ERROR(inRange("temperature", temperature, 0, 100));
  QRT_RETURN_IF_ERROR(inRange("top_k", topK, 0, INT32_MAX));
  QRT_RETURN_IF_ERROR(inRange("top_p", topP, 0, 1));
  QRT_RETURN_IF_ERROR(inRange("min_p", minP, 0, 1));
  QRT_RETURN_IF_ERROR(inRange("repetition_penalty", repetitionPenalty, 0.01, 100));
  QRT_RETURN_IF_ERROR(inRange("presence_penalty", presencePenalty, -100, 100));
  QRT_RETURN_IF_ERROR(inRange("frequency_penalty", frequencyPenalty, -100, 100));
  QRT_RETURN_IF_ERROR(inRange("repetition_window", repetitionWindow, 0, INT32_MAX));
  QRT_RETURN_IF_ERROR(inRange("dry_multiplier", dry.multiplier, 0, 100));
  QRT_RETURN_IF_ERROR(inRange("dry_base", dry.base, 1, 100));
  QRT_RETURN_IF_ERROR(inRange("dry_allowed_length", dry.allowedLength, 1, INT32_MAX));
  QRT_RETURN_IF_ERROR(inRange("dry_window", dry.window, 0, INT32_MAX));
  QRT_RETURN_IF_ERROR(inRange("logprobs", logprobs, -1, vocabSize));
  auto checkId = [&](const char *field, int32_t id) {
    return id >= 0 && id < vocabSize
               ? Status::ok()
               : bad(field, "token " + std::to_string(id) + " is outside the vocabulary of " +
                                std::to_string(vocabSize));
  };
  for (auto [id, bias] : logitBias) {
    QRT_RETURN_IF_ERROR(checkId("logit_bias", id));
    if (std::isnan(bias) || bias == INFINITY)
      return bad("logit_bias", "token " + std::to_string(id) + ": not finite (only -inf bans)");
  }
  for (int32_t id : dry.breakers)
    QRT_RETURN_IF_ERROR(checkId("dry_sequence_breakers", id));
  return Status::ok();
}

} // namespace qrt
