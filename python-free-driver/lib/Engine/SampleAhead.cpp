//===- SampleAhead.cpp - Whether a step that was launched ahead is the one asked for ---------===//
#include "Engine/SampleAhead.h"

#include <algorithm>

namespace qrt {

using Entries = std::span<const SampleEntry>;

static Entries part(Entries entries, const SampleList &list) {
  return entries.subspan(size_t(list.first), size_t(list.count));
}

static bool isSame(Entries a, Entries b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const SampleEntry &x, const SampleEntry &y) {
                      return x.token == y.token && x.value == y.value;
                    });
}

/// `b` is `a` with `token` once more; tokens stand in the order in which they came first.
static bool isSameWithOneMore(Entries a, int32_t token, Entries b) {
  bool found = false;
  auto same = [&](const SampleEntry &x, const SampleEntry &y) {
    const bool it = x.token == token;
    found |= it;
    return x.token == y.token && x.value + float(it) == y.value;
  };
  if (b.size() < a.size() || !std::equal(a.begin(), a.end(), b.begin(), same))
    return false;
  const Entries rest = b.subspan(a.size());
  return found ? rest.empty() : rest.size() == 1 && rest[0].token == token && rest[0].value == 1.0f;
}

bool isSameChoice(const SampleRow &a, Entries aEntries, int32_t carried, const SampleRow &b,
                  Entries bEntries) {
  if (a.seed != b.seed || a.stream != b.stream || a.position != b.position ||
      a.temperature != b.temperature || a.topP != b.topP || a.minP != b.minP || a.topK != b.topK ||
      a.repetition != b.repetition || a.presence != b.presence || a.frequency != b.frequency ||
      a.entropyMin != b.entropyMin || a.forced != b.forced || b.carries != 0)
    return false;
  auto same = [&](SampleList SampleRow::*list) {
    return isSame(part(aEntries, a.*list), part(bEntries, b.*list));
  };
  auto sameWritten = [&](SampleList SampleRow::*list, bool used) {
    return a.carries && used
               ? isSameWithOneMore(part(aEntries, a.*list), carried, part(bEntries, b.*list))
               : same(list);
  };
  return same(&SampleRow::bias) && same(&SampleRow::penalties) && same(&SampleRow::dry) &&
         same(&SampleRow::banned) && sameWritten(&SampleRow::seen, a.repetition != 1) &&
         sameWritten(&SampleRow::generated, a.presence != 0 || a.frequency != 0);
}

} // namespace qrt
