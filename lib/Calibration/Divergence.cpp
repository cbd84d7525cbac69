//===- Divergence.cpp - Logits of a sample compared ------------------------------------------===//
#include "Divergence.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace qopt::calibration {

double divergence(const float *p, const float *q, int64_t count) {
  float maxP = p[0], maxQ = q[0];
  for (int64_t i = 1; i < count; ++i) {
    maxP = std::max(maxP, p[i]);
    maxQ = std::max(maxQ, q[i]);
  }
  double sumP = 0, sumQ = 0, dot = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double a = std::exp(double(p[i]) - maxP);
    sumP += a;
    sumQ += std::exp(double(q[i]) - maxQ);
    dot += a * ((double(p[i]) - maxP) - (double(q[i]) - maxQ));
  }
  return std::max(0.0, dot / sumP - std::log(sumP) + std::log(sumQ));
}

double probability(const float *logits, int64_t count, int64_t token) {
  const float largest = *std::max_element(logits, logits + count);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i)
    sum += std::exp(double(logits[i]) - largest);
  return std::exp(double(logits[token]) - largest) / sum;
}

double entropy(const float *logits, int64_t count) {
  const float largest = *std::max_element(logits, logits + count);
  double sum = 0, dot = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double shifted = double(logits[i]) - largest, a = std::exp(shifted);
    sum += a;
    dot += a * shifted;
  }
  return std::max(0.0, std::log(sum) - dot / sum);
}

TokenTable firstTokens(const TokenTable &table, int64_t count) {
  TokenTable sample;
  bool counts = false;
  for (const TokenTable::Sequence &sequence : table.sequences) {
    const int64_t left = count - sample.tokens();
    if (left <= 0 && counts)
      break;
    const int64_t take = counts && left < sequence.tokens ? left : sequence.tokens;
    sample.append(std::span(table.ids).subspan(sequence.first, take));
    for (int64_t i = 0; !table.weights.empty() && i < take; ++i)
      sample.weights.push_back(table.weights[sequence.first + i]);
    counts = sample.weights.empty() || std::any_of(sample.weights.begin(), sample.weights.end(),
                                                   [](float w) { return w > 0; });
  }
  return sample;
}

} // namespace qopt::calibration
