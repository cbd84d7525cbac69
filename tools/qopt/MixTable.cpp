//===- MixTable.cpp - Scales and mixed precisions in reports ---------------------------------===//
#include "LinearTable.h"

#include "Support/Memory.h"

#include "llvm/Support/Format.h"

#include <map>

using namespace llvm;

namespace qopt {

void printScaleGroup(const char *method, const char *measure, const calibration::ScaleReport &group,
                     int64_t done, int64_t count, raw_ostream &os) {
  os << format("qopt: [%3lld/%lld] %s ", (long long)done, (long long)count, method) << group.name;
  if (group.skipped.empty())
    os << format("  exponent %.2f  %s %.3f of that without", group.alpha, measure,
                 group.lossPlain > 0 ? group.loss / group.lossPlain : 1.0);
  else
    os << "  no scales: " << group.skipped;
  os << format("  %.2f s\n", group.seconds);
}

void printMix(const calibration::MixedReport &mix, raw_ostream &os) {
  if (mix.units.empty())
    return;
  const char *measure = mix.probed ? "KL" : "relative error";
  os << format("  mixed: %.3f bits per weight, predicted ", mix.bitsPerWeight) << measure
     << format(" %.3e (schemes as given: %.3e, bound %.3e)\n", mix.kl, mix.klUniform,
               mix.lowerBound);
  std::map<std::string, int> counts;
  for (const auto &unit : mix.units)
    counts[unit.scheme] += static_cast<int>(unit.weights.size());
  for (const auto &[scheme, count] : counts)
    os << "    " << left_justify(scheme, 24) << format("%5d linears\n", count);
  os << "    other budgets:  bits   predicted " << left_justify(measure, 15) << "file, about\n";
  for (const calibration::ParetoPoint &point : mix.pareto)
    os << format("                  %6.3f  %.3e                ", point.bitsPerWeight, point.kl)
       << qrt::formatBytes(point.fileBytes) << "\n";
}

qrt::OrderedJson mixJson(const calibration::MixedReport &mix) {
  qrt::OrderedJson json;
  json["bits_per_weight"] = mix.bitsPerWeight;
  json["predicted"] = mix.probed ? "kl" : "relative_error";
  json["cost"] = mix.kl;
  json["cost_as_given"] = mix.klUniform;
  json["cost_lower_bound"] = mix.lowerBound;
  qrt::OrderedJson &pareto = json["pareto"] = qrt::OrderedJson::array();
  for (const calibration::ParetoPoint &point : mix.pareto)
    pareto.push_back({{"bits_per_weight", point.bitsPerWeight},
                      {"cost", point.kl},
                      {"file_bytes", point.fileBytes}});
  qrt::OrderedJson &units = json["units"] = qrt::OrderedJson::array();
  for (const auto &unit : mix.units)
    units.push_back({{"weights", unit.weights},
                     {"scheme", unit.scheme},
                     {"bits_per_weight", unit.bitsPerWeight},
                     {"cost", unit.kl}});
  return json;
}

qrt::OrderedJson scalesJson(const std::vector<calibration::ScaleReport> &groups) {
  qrt::OrderedJson list = qrt::OrderedJson::array();
  for (const calibration::ScaleReport &group : groups)
    list.push_back({{"name", group.name},
                    {"skipped", group.skipped},
                    {"exponent", group.alpha},
                    {"loss", group.loss},
                    {"loss_plain", group.lossPlain},
                    {"seconds", group.seconds}});
  return list;
}

} // namespace qopt
