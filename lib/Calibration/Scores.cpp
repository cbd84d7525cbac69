//===- Scores.cpp - Sensitivity scores as JSON -----------------------------------------------===//
#include "qopt/Calibration/Sensitivity.h"

#include "Support/Json.h"

namespace qopt::calibration {

static constexpr int64_t scoresVersion = 1;

std::string scoresToJson(const std::vector<UnitScore> &units) {
  qrt::OrderedJson json;
  json["qopt_scores"] = scoresVersion;
  qrt::OrderedJson &list = json["units"] = qrt::OrderedJson::array();
  for (const UnitScore &unit : units) {
    qrt::OrderedJson candidates = qrt::OrderedJson::array();
    for (const CandidateScore &c : unit.candidates) {
      candidates.push_back(
          {{"scheme", c.scheme}, {"bits", c.bits}, {"loss", c.loss}, {"kl", c.kl}});
      if (c.outliers > 0)
        candidates.back()["outliers"] = c.outliers;
    }
    list.push_back({{"weights", unit.weights},
                    {"elements", unit.elements},
                    {"kappa", unit.kappa},
                    {"probed", unit.probed},
                    {"candidates", candidates}});
  }
  return qrt::dumpJson(json, 1) + "\n";
}

static bool readUnit(const qrt::Json &json, UnitScore &unit) {
  auto weights = json.is_object() ? json.find("weights") : json.end();
  if (weights == json.end() || !weights->is_array() || weights->empty())
    return false;
  for (const qrt::Json &name : *weights) {
    if (!name.is_string())
      return false;
    unit.weights.push_back(name.get<std::string>());
  }
  unit.elements = qrt::jsonInt(json, "elements").value_or(0);
  unit.kappa = qrt::jsonNumber(json, "kappa").value_or(-1);
  unit.probed = qrt::jsonBool(json, "probed").value_or(false);
  auto candidates = json.find("candidates");
  if (unit.elements <= 0 || unit.kappa < 0 || candidates == json.end() || !candidates->is_array() ||
      candidates->empty())
    return false;
  for (const qrt::Json &entry : *candidates) {
    CandidateScore c;
    c.scheme = entry.is_object() ? qrt::jsonString(entry, "scheme").value_or("") : "";
    c.bits = entry.is_object() ? qrt::jsonInt(entry, "bits").value_or(0) : 0;
    c.loss = c.bits > 0 ? qrt::jsonNumber(entry, "loss").value_or(-1) : -1;
    c.kl = c.bits > 0 ? qrt::jsonNumber(entry, "kl").value_or(-1) : -1;
    c.outliers = c.bits > 0 ? qrt::jsonNumber(entry, "outliers").value_or(0) : 0;
    if (!(c.outliers >= 0) || c.outliers > 0.5)
      return false;
    if (c.scheme.empty() || c.bits <= 0 || !(c.loss >= 0) || !(c.kl >= 0))
      return false;
    unit.candidates.push_back(c);
  }
  return true;
}

qrt::Result<std::vector<UnitScore>> scoresFromJson(const std::string &text,
                                                   const std::string &what) {
  QRT_ASSIGN_OR_RETURN(qrt::Json json, qrt::parseJson(text, what));
  if (!json.is_object() || qrt::jsonInt(json, "qopt_scores") != scoresVersion ||
      !json.contains("units") || !json["units"].is_array())
    return qrt::invalidArgument(what + ": expects scores of this version of qopt");
  std::vector<UnitScore> units;
  for (const qrt::Json &entry : json["units"]) {
    units.emplace_back();
    if (!readUnit(entry, units.back()))
      return qrt::invalidArgument(what + ": unit " + std::to_string(units.size() - 1) +
                                  " is malformed");
  }
  return units;
}

} // namespace qopt::calibration
