//===- LoopDetector.cpp - Repetition of what was just written ---------------------------------===//
#include "Reasoning/LoopDetector.h"

#include <algorithm>
#include <set>

namespace qrt {
namespace {

uint64_t hashOf(std::span<const int32_t> tokens) {
  uint64_t h = 0x9E3779B97F4A7C15ull;
  for (int32_t t : tokens) {
    h = (h ^ uint32_t(t)) * 0xFF51AFD7ED558CCDull;
    h ^= h >> 32;
  }
  return h;
}

constexpr int64_t shortestPeriod = 8, nearStride = 16;

} // namespace

void LoopDetector::enter(int64_t end) { ++occurrences[hashes[size_t(end - 1)]]; }

void LoopDetector::leave(int64_t end) {
  auto it = occurrences.find(hashes[size_t(end - 1)]);
  if (it != occurrences.end() && --it->second == 0)
    occurrences.erase(it);
}

/// The repetition may have begun before the n-gram that gave it away.
int64_t LoopDetector::firstPlace(int64_t start, int64_t period) const {
  while (start > period && tokens[size_t(start - 1)] == tokens[size_t(start - 1 - period)])
    --start;
  return start;
}

std::optional<Loop> LoopDetector::push(int32_t token) {
  tokens.push_back(token);
  const int64_t n = size();
  hashes.push_back(n >= ngram ? hashOf(gram(n)) : 0);
  if (n < ngram)
    return std::nullopt;
  enter(n);
  // The n-gram that begins `window` tokens back has left.
  if (n > window)
    leave(n - window + ngram - 1);
  if (occurrences[hashes.back()] >= count) {
    // Verify on the tokens: a hash may lie.
    std::vector<int64_t> ends;
    for (int64_t end = std::max<int64_t>(ngram, n - window + ngram); end <= n; ++end)
      if (hashes[size_t(end - 1)] == hashes.back() && std::ranges::equal(gram(end), gram(n)))
        ends.push_back(end);
    if (int64_t(ends.size()) >= count) {
      int64_t period = ends[1] - ends[0];
      return Loop{firstPlace(ends[1] - ngram, period), period, true};
    }
  }
  if (nearCycles && n % nearStride == 0)
    return findNear();
  return std::nullopt;
}

std::optional<Loop> LoopDetector::findNear() const {
  const int64_t n = size();
  for (int64_t p = shortestPeriod; p <= window / 3 && 3 * p <= n; ++p) {
    int64_t different = 0, allowed = 2 * p / 10;
    for (int64_t i = n - 2 * p; i < n && different <= allowed; ++i)
      different += tokens[size_t(i)] != tokens[size_t(i - p)];
    if (different <= allowed)
      return Loop{n - 2 * p, p, different == 0};
  }
  return std::nullopt;
}

void LoopDetector::truncate(int64_t length) {
  tokens.resize(size_t(std::min(length, size())));
  hashes.resize(tokens.size());
  occurrences.clear();
  for (int64_t end = std::max<int64_t>(ngram, size() - window + ngram); end <= size(); ++end)
    enter(end);
}

bool hasExactLoop(std::span<const int32_t> tokens, int32_t ngram, int32_t count, int32_t window) {
  LoopDetector detector(ngram, count, window, false);
  return std::any_of(tokens.begin(), tokens.end(),
                     [&](int32_t t) { return detector.push(t).has_value(); });
}

bool hasExplicitLoop(std::span<const int32_t> tokens, std::string_view text) {
  size_t run = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    run = i > 0 && tokens[i] == tokens[i - 1] ? run + 1 : 1;
    if (run >= 64)
      return true;
  }
  if (tokens.size() < 4)
    return false;
  std::unordered_map<uint64_t, int64_t> windows;
  for (size_t i = 0; i + 4 <= tokens.size(); ++i)
    ++windows[hashOf(tokens.subspan(i, 4))];
  int64_t total = int64_t(tokens.size()) - 3, repeated = 0;
  for (auto [hash, times] : windows)
    repeated += times > 1 ? times : 0;
  if (repeated * 10 < total * 8)
    return false;
  std::set<std::string_view> seen;
  int64_t lines = 0, duplicates = 0;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos)
      continue;
    ++lines;
    duplicates += !seen.insert(line).second;
  }
  return lines > 0 && duplicates * 2 >= lines;
}

} // namespace qrt
