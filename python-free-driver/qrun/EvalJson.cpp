//===- EvalJson.cpp - Results of qrun eval as JSON --------------------------------------------===//
#include "EvalJson.h"

#include <cmath>

namespace qrt {

/// NaN has no JSON form.
static OrderedJson number(double value) {
  return std::isfinite(value) ? OrderedJson(value) : OrderedJson(nullptr);
}

AuditTokens auditTokens(const ModelTexts &texts) {
  AuditTokens audit;
  audit.endOfText = texts.eosIds;
  if (texts.thinkTags && texts.thinkTags->closeId)
    audit.endOfThink = {*texts.thinkTags->closeId};
  MarkerTable table;
  if (texts.markers) {
    table = *texts.markers;
  } else if (texts.tokenizer) {
    auto words = markerWordSet("default50");
    // A model none of whose tokens is a marker has nothing to audit.
    if (auto expanded = expandMarkers(
            *texts.tokenizer, std::vector<std::string>(words.begin(), words.end()), "default50"))
      table = expanded.takeValue();
  }
  for (const Marker &marker : table.markers)
    audit.markers.push_back(marker.token);
  return audit;
}

OrderedJson comparisonJson(const Comparison &c, const ModelTexts &texts) {
  OrderedJson out;
  out["tokens"] = c.tokens;
  out["sequences"] = c.sequences;
  out["kl_mean"] = number(c.klMean);
  out["kl_median"] = number(c.klMedian);
  out["kl_p999"] = number(c.klP999);
  out["kl_max"] = number(c.klMax);
  out["kl_stderr"] = number(c.klStderr);
  out["top1"] = number(c.top1);
  out["ppl"] = number(c.perplexity);
  out["ppl_reference"] = number(c.perplexityReference);
  out["ppl_ratio"] = {{"value", number(c.perplexity / c.perplexityReference)},
                      {"low", number(c.perplexityRatioLow)},
                      {"high", number(c.perplexityRatioHigh)}};
  out["entropy_reference"] = number(c.entropyReference);
  out["entropy"] = number(c.entropyModel);
  out["kl_entropy_spearman"] = number(c.klEntropySpearman);
  OrderedJson markers = OrderedJson::array();
  for (const TokenShift &s : c.markers) {
    OrderedJson m;
    m["token"] = s.token;
    if (texts.tokenizer)
      m["text"] = texts.tokenizer->tokenBytes(s.token);
    m["p_reference"] = number(s.meanReference);
    m["p"] = number(s.meanModel);
    m["events"] = s.events;
    m["log_ratio"] = number(s.meanLogRatio);
    m["log_odds"] = number(s.meanLogOdds);
    m["rank_shift"] = number(s.meanRankShift);
    m["kl"] = number(s.meanKl);
    markers.push_back(std::move(m));
  }
  out["markers"] = std::move(markers);
  OrderedJson audit = OrderedJson::object();
  for (const AuditEntry &a : c.audit) {
    OrderedJson e;
    e["p_reference"] = number(a.meanReference);
    e["p"] = number(a.meanModel);
    e["targets"] = a.targets;
    e["p_reference_at_targets"] = a.targets ? number(a.targetReference) : OrderedJson(nullptr);
    e["p_at_targets"] = a.targets ? number(a.targetModel) : OrderedJson(nullptr);
    e["collapsed"] = a.collapsed;
    audit[a.name] = std::move(e);
  }
  out["audit"] = std::move(audit);
  return out;
}

} // namespace qrt
