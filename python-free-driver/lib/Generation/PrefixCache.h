//===- PrefixCache.h - Sequences that stay in the engine for a next prompt -------------------===//
// A finished request leaves its tokens in the KV cache; a later prompt that begins with the same
// ones, as the next turn of a conversation does, needs only the rest. Tokens count as the same only
// if the same weight set computed them. The least recently used sequence goes first.
// Not thread safe; holds sequences of one engine, which must outlive it.
#ifndef QRT_GENERATION_PREFIXCACHE_H
#define QRT_GENERATION_PREFIXCACHE_H

#include "qrt/Engine.h"

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace qrt {

class PrefixCache {
public:
  PrefixCache(Engine &engine, int capacity) : engine(engine), capacity(capacity) {}
  ~PrefixCache() { clear(); }
  PrefixCache(const PrefixCache &) = delete;
  PrefixCache &operator=(const PrefixCache &) = delete;

  struct Start {
    int seq;
    int64_t length; ///< tokens of the prompt that are in the sequence; fewer than the prompt has
  };
  /// A sequence for a prompt whose tokens the weight set `alternate` is to compute: the one with
  /// the longest common beginning, cut to that, else a new one.
  Result<Start> take(std::span<const int32_t> prompt, bool alternate);
  /// Keeps a sequence, or releases it. `alternate`: per token, which weight set computed it; as
  /// many as the sequence is long.
  void put(int seq, std::vector<int32_t> tokens, std::vector<bool> alternate);
  /// Releases every sequence; true if there was one.
  bool clear();

private:
  struct Kept {
    int seq;
    std::vector<int32_t> tokens;
    std::vector<bool> alternate;
  };
  Engine &engine;
  int capacity;
  std::deque<Kept> kept; // most recently used last
};

} // namespace qrt

#endif // QRT_GENERATION_PREFIXCACHE_H
