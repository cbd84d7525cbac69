//===- MarkerEvidence.cpp - Which words a quantized model prefers, and by how much -----------===//
#include "Reasoning/MarkerEvidence.h"

#include "Sampling/Softmax.h"

#include <algorithm>
#include <cmath>

namespace qrt {
namespace {

constexpr double least = 1e-3; // probability
constexpr double nucleusMass = 0.95;
constexpr double leastExcess = 0.05; // of the most overused word's

bool isLetter(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

double logit(double p) { return std::log(p / std::max(1 - p, 1e-9)); }

double median(std::vector<float> values) {
  if (values.empty())
    return 0;
  const auto middle = values.begin() + ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2)
    return *middle;
  return (double(*middle) + double(*std::max_element(values.begin(), middle))) / 2;
}

} // namespace

std::vector<LikelyToken> likelyTokens(std::span<const float> logits) {
  std::vector<LikelyToken> out;
  const LogitSummary summary = summarize(logits);
  if (summary.argmax < 0)
    return out;
  const double floor = summary.logSumExp + std::log(least);
  for (size_t v = 0; v < logits.size(); ++v)
    if (logits[v] >= floor)
      out.push_back({int32_t(v), float(logits[v] - summary.logSumExp), false});
  std::vector<size_t> order(out.size());
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return out[a].logProbability > out[b].logProbability;
  });
  double mass = 0;
  for (size_t i = 0; i < order.size() && mass < nucleusMass; ++i) {
    out[order[i]].nucleus = true;
    mass += std::exp(double(out[order[i]].logProbability));
  }
  return out;
}

MarkerEvidence::MarkerEvidence(std::shared_ptr<const Tokenizer> given, const DeriveOptions &options)
    : tokenizer(std::move(given)), options(options), tokens(size_t(tokenizer->vocabSize())) {
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (tokenizer->isSpecial(int32_t(id)))
      continue;
    const std::string bytes = tokenizer->tokenBytes(int32_t(id));
    const bool space = bytes.starts_with(' ');
    const std::string_view word = std::string_view(bytes).substr(space);
    if (word.size() >= 2 && std::all_of(word.begin(), word.end(), isLetter))
      tokens[id].kind = space ? Kind::Word : Kind::BareWord;
  }
}

void MarkerEvidence::event(int32_t id, double p, double q, bool lineStart) {
  if (id < 0 || size_t(id) >= tokens.size())
    return;
  Token &token = tokens[size_t(id)];
  if (token.kind == Kind::None || (token.kind == Kind::BareWord && !lineStart))
    return;
  ++token.events;
  token.positive += q > p;
  token.excess += q - p;
  if (q > p)
    token.logOdds.push_back(float(logit(q) - logit(p)));
  if (token.textEvents++ == 0)
    touched.push_back(id);
  token.textSum += std::log(q / p);
}

void MarkerEvidence::add(std::span<const LikelyToken> p, std::span<const LikelyToken> q,
                         bool lineStart) {
  auto probability = [](const LikelyToken &t) { return std::exp(double(t.logProbability)); };
  for (size_t i = 0, j = 0; i < p.size() || j < q.size();) {
    const bool inP = i < p.size() && (j >= q.size() || p[i].token <= q[j].token);
    const bool inQ = j < q.size() && (i >= p.size() || q[j].token <= p[i].token);
    const int32_t id = inP ? p[i].token : q[j].token;
    if ((inP && p[i].nucleus) || (inQ && q[j].nucleus))
      event(id, inP ? probability(p[i]) : least, inQ ? probability(q[j]) : least, lineStart);
    i += inP;
    j += inQ;
  }
}

void MarkerEvidence::endText() {
  for (int32_t id : touched) {
    Token &token = tokens[size_t(id)];
    const double mean = token.textSum / double(token.textEvents);
    token.sum += mean;
    token.squares += mean * mean;
    ++token.texts;
    token.textSum = 0;
    token.textEvents = 0;
  }
  touched.clear();
  ++textCount;
}

void MarkerEvidence::readText(std::span<const int32_t> ids) {
  for (size_t i = 0; i + 1 < ids.size(); ++i) {
    if (ids[i] < 0 || size_t(ids[i]) >= tokens.size())
      continue;
    Token &token = tokens[size_t(ids[i])];
    if (token.kind == Kind::None)
      continue;
    const std::string next =
        tokenizer->isSpecial(ids[i + 1]) ? "" : tokenizer->tokenBytes(ids[i + 1]);
    const bool more = !next.empty() && isLetter(static_cast<unsigned char>(next[0]));
    ++(more ? token.continued : token.whole);
  }
}

void MarkerEvidence::readFreeText(bool ofModel, std::span<const int32_t> thinking) {
  bool lineStart = true;
  for (int32_t id : thinking) {
    if (id >= 0 && size_t(id) < tokens.size()) {
      Token &token = tokens[size_t(id)];
      token.written[ofModel] +=
          token.kind == Kind::Word || (token.kind == Kind::BareWord && lineStart);
      lineStart = tokenizer->tokenBytes(id).ends_with('\n');
    }
  }
  freeTokens[ofModel] += int64_t(thinking.size());
}

bool MarkerEvidence::isSelected(const Token &token) const {
  if (token.kind == Kind::None || token.events < options.minEvents ||
      token.texts < options.minTexts || token.excess <= 0 || token.logOdds.empty())
    return false;
  if (double(token.positive) < 0.6 * double(token.events))
    return false;
  const double n = double(token.texts), mean = token.sum / n;
  const double variance = std::max(0.0, token.squares / n - mean * mean) * n / (n - 1);
  if (mean <= 2 * std::sqrt(variance / n))
    return false;
  if (token.whole < 9 * token.continued || token.whole == 0)
    return false;
  if (freeTokens[0] > 0 && freeTokens[1] > 0 &&
      double(token.written[1]) * double(freeTokens[0]) <=
          double(token.written[0]) * double(freeTokens[1]))
    return false;
  return true;
}

std::vector<MarkerCandidate> MarkerEvidence::selected() const {
  std::vector<MarkerCandidate> out;
  for (size_t id = 0; id < tokens.size(); ++id) {
    const Token &token = tokens[id];
    if (!isSelected(token))
      continue;
    MarkerCandidate c;
    c.marker.token = int32_t(id);
    c.marker.text = tokenizer->tokenBytes(int32_t(id));
    c.marker.lineStart = token.kind == Kind::BareWord;
    c.events = token.events;
    c.texts = token.texts;
    const double n = double(token.texts);
    c.shift = token.sum / n;
    c.shiftError = std::sqrt(std::max(0.0, token.squares / n - c.shift * c.shift) / (n - 1));
    c.consistency = double(token.positive) / double(token.events);
    c.excess = token.excess / double(std::max<int64_t>(1, textCount));
    c.logOdds = median(token.logOdds);
    out.push_back(std::move(c));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto &a, const auto &b) { return a.excess > b.excess; });
  while (!out.empty() && (out.size() > size_t(std::max(options.maxMarkers, 0)) ||
                          out.back().excess < leastExcess * out.front().excess))
    out.pop_back();
  std::vector<float> odds;
  for (const MarkerCandidate &c : out)
    odds.push_back(float(c.logOdds));
  const double typical = median(odds);
  for (MarkerCandidate &c : out)
    c.marker.strength = float(std::round(100 * c.logOdds / typical) / 100);
  std::sort(out.begin(), out.end(),
            [](const auto &a, const auto &b) { return a.marker.token < b.marker.token; });
  return out;
}

Result<MarkerTable> MarkerEvidence::derive(std::string name) const {
  MarkerTable table;
  table.name = std::move(name);
  for (MarkerCandidate &c : selected())
    table.markers.push_back(std::move(c.marker));
  if (table.markers.empty()) {
    const auto seen = std::count_if(tokens.begin(), tokens.end(),
                                    [](const Token &token) { return token.events > 0; });
    return invalidArgument("no marker can be derived: of " + std::to_string(seen) +
                           " words with events in " + std::to_string(textCount) +
                           " texts none rises consistently");
  }
  return table;
}

} // namespace qrt
