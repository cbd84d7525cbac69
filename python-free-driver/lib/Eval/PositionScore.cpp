//===- PositionScore.cpp - Reference and model at one position --------------------------------===//
#include "Eval/PositionScore.h"

#include "Sampling/Softmax.h"

#include <algorithm>
#include <cmath>

namespace qrt {
namespace {

constexpr double eventProbability = 0.01;

/// How many tokens come before `token` (larger logit, or equal and lower id).
int64_t rankOf(std::span<const float> logits, int32_t token) {
  int64_t rank = 0;
  for (size_t v = 0; v < logits.size(); ++v)
    rank += logits[v] > logits[size_t(token)] ||
            (logits[v] == logits[size_t(token)] && int32_t(v) < token);
  return rank;
}

double logOdds(double logProbability) {
  // ln(p / (1 - p)), finite also where p rounds to 1.
  return logProbability - std::log(std::max(-std::expm1(logProbability), 1e-12));
}

} // namespace

PositionScore scorePosition(std::span<const float> p, std::span<const float> q, int32_t next,
                            const AuditTokens &audit) {
  PositionScore out;
  LogitSummary sp = summarize(p), sq = summarize(q);
  if (sp.argmax < 0 || sq.argmax < 0) {
    out.finite = false;
    return out;
  }
  auto logP = [&](int32_t v) { return double(p[size_t(v)]) - sp.logSumExp; };
  auto logQ = [&](int32_t v) { return double(q[size_t(v)]) - sq.logSumExp; };
  double kl = 0;
  for (size_t v = 0; v < p.size(); ++v) {
    double weight = expOfNegative(std::min(0.0, logP(int32_t(v))));
    if (weight > 0)
      kl += weight * (logP(int32_t(v)) - logQ(int32_t(v)));
  }
  out.kl = std::max(0.0, kl); // rounding may leave -1e-17
  out.entropyReference = sp.entropy;
  out.entropyModel = sq.entropy;
  out.nllReference = -logP(next);
  out.nllModel = -logQ(next);
  out.sameTop = sp.argmax == sq.argmax;
  auto mass = [&](const std::vector<int32_t> &ids, double (&sum)[2]) {
    for (int32_t id : ids) {
      sum[0] += std::exp(logP(id));
      sum[1] += std::exp(logQ(id));
    }
  };
  mass(audit.endOfThink, out.endOfThink);
  mass(audit.endOfText, out.endOfText);
  mass(audit.markers, out.allMarkers);
  for (size_t m = 0; m < audit.markers.size(); ++m) {
    int32_t id = audit.markers[m];
    double lp = logP(id), lq = logQ(id);
    out.markerReference.push_back(std::exp(lp));
    out.markerModel.push_back(std::exp(lq));
    if (std::max(out.markerReference.back(), out.markerModel.back()) >= eventProbability)
      out.events.push_back(
          {int32_t(m), lq - lp, logOdds(lq) - logOdds(lp), double(rankOf(q, id) - rankOf(p, id))});
  }
  return out;
}

} // namespace qrt
