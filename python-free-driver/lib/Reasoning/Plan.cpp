//===- Plan.cpp - The reasoning controls of one request, resolved against a model -------------===//
#include "Reasoning/Plan.h"

#include <algorithm>

namespace qrt {
namespace {

Status cannot(const char *control, const char *why) {
  return invalidArgument(std::string(control) + " cannot act on this model: " + why);
}

Result<MarkerTable> resolveMarkers(const ReasoningModel &model, const MarkerPenaltyOptions &o) {
  const bool own = o.set == "model" || o.fitted;
  if (own && !model.markers)
    return cannot("marker penalty", "it stores no marker table (qrun derive-markers makes one)");
  if (own || (o.set.empty() && o.words.empty() && model.markers))
    return *model.markers;
  if (!model.tokenizer)
    return cannot("marker penalty", "it has neither a marker table nor a tokenizer");
  std::vector<std::string> words = o.words;
  std::string name = words.empty() ? (o.set.empty() ? "default50" : o.set) : "words";
  if (words.empty()) {
    auto set = markerWordSet(name);
    words.assign(set.begin(), set.end());
  }
  if (words.empty()) {
    std::string known;
    for (std::string_view n : markerWordSetNames())
      known += " " + std::string(n);
    return invalidArgument("there is no marker set '" + name + "'; known:" + known);
  }
  return expandMarkers(*model.tokenizer, words, name);
}

/// The first control that needs think tags or a tokenizer and does not have them.
Status checkAbilities(const ReasoningModel &model, const ReasoningOptions &o) {
  const bool closes =
      o.loop.action == LoopOptions::Action::Break || o.loop.action == LoopOptions::Action::Commit;
  if (o.usesSecondSet() && !model.secondWeightSet)
    return cannot("FP16 planning and rescue", "its engine has no second weight set; compile the "
                                              "model with qopt --with-fp16 all (or critical)");
  const char *control = nullptr;
  if (o.budget.maxThink >= 0)
    control = "thinking budget";
  else if (o.budget.minThink > 0)
    control = "minimum thinking";
  else if (!o.budget.message.empty())
    control = "closing message";
  else if (closes)
    control = "loop rescue by ending the thinking";
  else if (o.earlyExit.enabled)
    control = "early exit";
  else if (o.fp16.plans())
    control = "FP16 planning";
  else if (o.fp16.answer)
    control = "FP16 answer";
  else if (o.marker.active() && o.marker.scope == MarkerPenaltyOptions::Scope::Think)
    control = "marker penalty with scope think";
  if (!control)
    return Status::ok();
  if (!model.tokenizer)
    return cannot(control, "it has no tokenizer");
  if (!model.thinkTags)
    return cannot(control, "it has no think tags");
  if (o.budget.minThink > 0 && !model.thinkTags->closeId)
    return cannot("minimum thinking", "its end-of-think tag is not one token");
  return Status::ok();
}

} // namespace

const Marker *ReasoningPlan::marker(int32_t token) const {
  auto at = std::lower_bound(markers.markers.begin(), markers.markers.end(), token,
                             [](const Marker &m, int32_t t) { return m.token < t; });
  return at != markers.markers.end() && at->token == token ? &*at : nullptr;
}

std::vector<int32_t> ReasoningPlan::encode(const std::string &text) const {
  return tokenizer->encode(text, {.addSpecialTokens = false, .parseSpecial = true});
}

Result<std::shared_ptr<const ReasoningPlan>>
ReasoningPlan::create(const ReasoningModel &model, const ReasoningOptions &options) {
  QRT_RETURN_IF_ERROR(options.verify());
  QRT_RETURN_IF_ERROR(checkAbilities(model, options));
  auto plan = std::make_shared<ReasoningPlan>();
  plan->options = options;
  plan->tokenizer = model.tokenizer;
  plan->eosIds = model.eosIds;
  if (model.thinkTags)
    plan->tags = std::make_shared<const ThinkTags>(*model.thinkTags);
  if (options.marker.active() || options.earlyExit.enabled) {
    QRT_ASSIGN_OR_RETURN(plan->markers, resolveMarkers(model, options.marker));
    if (options.marker.fitted) {
      plan->options.marker.strength = plan->markers.strength.value_or(0);
      if (plan->options.marker.strength == 0)
        return cannot("marker penalty with the fitted strength",
                      plan->markers.strength ? "its table stores 0: nothing is to be repaired"
                                             : "its table stores none");
    }
    if (!plan->tokenizer && std::any_of(plan->markers.markers.begin(), plan->markers.markers.end(),
                                        [](const Marker &m) { return m.lineStart; }))
      return cannot("marker penalty", "its table has line-start markers and it has no tokenizer");
  }
  if (plan->tags && plan->tokenizer) {
    const std::string &close = plan->tags->close, &message = options.budget.message;
    const std::string text = message + (message.empty() || message.ends_with('\n') ? "" : "\n");
    plan->closingAtLineStart = plan->encode(text);
    plan->closing = plan->encode("\n" + text);
    std::vector<int32_t> tag =
        plan->tags->closeId ? std::vector<int32_t>{*plan->tags->closeId} : plan->encode(close);
    for (auto *ids : {&plan->closing, &plan->closingAtLineStart})
      ids->insert(ids->end(), tag.begin(), tag.end());
    if (const std::string &go = options.budget.minMessage; !go.empty()) {
      plan->extensionAtLineStart = plan->encode(go);
      plan->extension = plan->encode("\n" + go);
    }
    const std::string &prompt = options.earlyExit.prompt;
    plan->trialPrompt = plan->encode(prompt.empty() ? "\n" + close + "\n\\boxed{" : prompt);
    if (options.earlyExit.enabled && plan->trialPrompt.empty())
      return invalidArgument("reasoning option early_exit.prompt: gives no token");
  }
  return std::shared_ptr<const ReasoningPlan>(std::move(plan));
}

} // namespace qrt
