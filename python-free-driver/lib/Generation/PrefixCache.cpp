//===- PrefixCache.cpp - Sequences that stay in the engine for a next prompt -----------------===//
#include "Generation/PrefixCache.h"

#include <algorithm>

namespace qrt {

Result<PrefixCache::Start> PrefixCache::take(std::span<const int32_t> prompt, bool alternate) {
  auto best = kept.end();
  int64_t longest = 0;
  for (auto it = kept.begin(); it != kept.end(); ++it) {
    // The last token of the prompt is always read: its logits are wanted.
    const size_t most = std::min(it->tokens.size(), prompt.size() - 1);
    size_t common = 0;
    while (common < most && it->tokens[common] == prompt[common] &&
           it->alternate[common] == alternate)
      ++common;
    if (int64_t(common) > longest) {
      longest = int64_t(common);
      best = it;
    }
  }
  if (best == kept.end()) {
    QRT_ASSIGN_OR_RETURN(int seq, engine.addSequence());
    return Start{seq, 0};
  }
  const int seq = best->seq;
  kept.erase(best);
  if (Status status = engine.truncate(seq, longest); !status) {
    engine.release(seq);
    return status;
  }
  return Start{seq, longest};
}

void PrefixCache::put(int seq, std::vector<int32_t> tokens, std::vector<bool> alternate) {
  if (capacity <= 0 || tokens.empty()) {
    engine.release(seq);
    return;
  }
  if (kept.size() >= size_t(capacity)) {
    engine.release(kept.front().seq);
    kept.pop_front();
  }
  kept.push_back({seq, std::move(tokens), std::move(alternate)});
}

bool PrefixCache::clear() {
  const bool any = !kept.empty();
  for (const Kept &entry : kept)
    engine.release(entry.seq);
  kept.clear();
  return any;
}

} // namespace qrt
