//===- QualityGate.cpp - Bounds that a measurement has to keep -------------------------------===//
#include "Support/QualityGate.h"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace qrt {

static std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

Result<QualityGate> QualityGate::parse(std::string_view text, std::span<const GateMetric> metrics) {
  QualityGate gate;
  auto bad = [&](std::string_view part) {
    std::string known;
    for (const GateMetric &metric : metrics)
      known +=
          (known.empty() ? "" : ", ") + std::string(metric.name) + (metric.upper ? "<=" : ">=");
    return invalidArgument("--gate: expects bounds as in kl<=0.02,top1>=0.97, got '" +
                           std::string(part) + "'; known: " + known);
  };
  while (true) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = trimmed(text.substr(0, comma));
    const GateMetric *found = nullptr;
    std::string_view number;
    for (const GateMetric &metric : metrics)
      if (part.starts_with(metric.name) &&
          part.substr(metric.name.size()).starts_with(metric.upper ? "<=" : ">=")) {
        found = &metric;
        number = part.substr(metric.name.size() + 2);
      }
    double limit = 0;
    auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), limit);
    if (!found || gate.hasBound(found->name) || error != std::errc() ||
        end != number.data() + number.size() || !std::isfinite(limit) || limit < 0)
      return bad(part);
    gate.bounds.push_back({std::string(found->name), found->upper, limit, std::string(number)});
    if (comma == text.size())
      return gate;
    text.remove_prefix(comma + 1);
  }
}

bool QualityGate::hasBound(std::string_view metric) const {
  for (const Bound &bound : bounds)
    if (bound.metric == metric)
      return true;
  return false;
}

std::string QualityGate::text() const {
  std::string out;
  for (const Bound &bound : bounds)
    out += (out.empty() ? "" : ",") + bound.metric + (bound.upper ? "<=" : ">=") + bound.text;
  return out;
}

Status QualityGate::check(const std::map<std::string, double, std::less<>> &measured,
                          const std::string &note) const {
  std::string failed;
  for (const Bound &bound : bounds) {
    auto at = measured.find(bound.metric);
    const double value = at == measured.end() ? NAN : at->second;
    if (bound.upper ? value <= bound.limit : value >= bound.limit)
      continue;
    char text[48];
    std::snprintf(text, sizeof text, std::isnan(value) ? " (not measured)" : " %.6g", value);
    failed += (failed.empty() ? "" : ", ") + bound.metric + text + (bound.upper ? " > " : " < ") +
              bound.text;
  }
  return failed.empty() ? Status::ok() : Status::error(StatusCode::GateFailed, failed + note);
}

} // namespace qrt
